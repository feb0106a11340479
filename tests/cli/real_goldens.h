#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt_process.h"

namespace hrt::testing {

// What transformers computed from a model of tools/fetch and harmless texts (tools/dev/make_real_goldens.py).
class RealGoldens {
 public:
  explicit RealGoldens(std::string model);

  // Whether the model and the prompts are fetched.
  bool is_fetched() const;
  // Runs a command over the goldens' texts into run(). Its failure fails the test.
  void run_hrt_over(const std::string& command, const std::vector<std::string>& more) const;

  // Of `hrt extract`: tokens, positions, and the rows at them.
  void expect_tokens_positions_and_rows() const;
  // Of `hrt steer`: greedy replies, which may part only where the model is undecided.
  void expect_replies() const;

 private:
  std::filesystem::path model() const;
  std::filesystem::path run() const { return folder_.path() / "run"; }
  std::string prompts() const;
  void expect_rows() const;

  std::string name_;
  std::vector<Json> lines_;
  TemporaryFolder folder_;
};

}  // namespace hrt::testing
