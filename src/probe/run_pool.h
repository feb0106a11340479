#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "hrt/experiment/activation_file.h"
#include "hrt/experiment/stored_run.h"
#include "hrt/probe/source.h"

namespace hrt {

// The prompts of several complete extractions, one after the other, with their rows.
class RunPool {
 public:
  // Throws InputError: no runs, none that is complete, no activations, other rows than the first run has.
  explicit RunPool(const std::vector<std::filesystem::path>& runs);

  const std::vector<ProbePrompt>& prompts() const { return prompts_; }
  const std::vector<std::int64_t>& rows() const { return rows_; }
  // Number of the run that a prompt is from.
  std::size_t run_of(std::size_t prompt) const;
  const StoredRun& run(std::size_t number) const { return runs_[number].run; }
  std::size_t run_count() const { return runs_.size(); }

  // Positions that every run has.
  const std::vector<std::string>& positions() const { return positions_; }
  // Whether a prompt has a position.
  bool has(std::size_t prompt, const std::string& position) const;
  // Of the prompts in `wanted` that have the position. Throws InputError.
  PositionRows rows_at(const std::string& position, const std::vector<bool>& wanted,
                       SpanValue value = SpanValue::kMean) const;

 private:
  struct Part {
    explicit Part(const std::filesystem::path& path);

    StoredRun run;
    std::size_t begin = 0;  // number of its first prompt
  };

  void add_prompts(Part& part);
  void check_fits(const Part& part) const;

  std::vector<Part> runs_;
  std::vector<ProbePrompt> prompts_;
  std::vector<std::int64_t> rows_;
  std::vector<std::string> positions_;
};

}  // namespace hrt
