#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "hrt/model/hooks.h"

namespace hrt {

// A change of the values h at one place of the decoder.
struct Edit {
  enum class Kind {
    kAdd,           // h + amount * vector
    kAddShare,      // h + amount * |h| * vector / |vector|
    kSetComponent,  // the component of h along vector becomes `amount`; 0 projects it out
  };
  HookPoint point = {};
  Kind kind = Kind::kAdd;
  at::Tensor vector = {};  // [hidden]; a zero vector changes nothing
  double amount = 0;
};

// The tokens begin .. end - 1 of a sequence, prompt and reply counted through.
struct TokenSpan {
  static constexpr std::int64_t kToTheEnd = std::numeric_limits<std::int64_t>::max();
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

// What an edit did.
struct EditTally {
  std::int64_t tokens = 0;  // that were changed; those that several jobs share count for each
  double norm_change = 0;   // sum over these of |h' - h| / |h|
  double mean_change() const { return tokens > 0 ? norm_change / static_cast<double>(tokens) : 0; }
};

// Edits of many jobs in one hook. Edits of one job at one place are made in the order in which they were
// assigned. Computes in float32; the result is rounded to the stream's dtype once.
class Steering {
 public:
  // Throws InputError: a vector of another width than `hidden`, or with NaN or infinity.
  Steering(std::vector<Edit> edits, std::int64_t hidden);

  // Edit `edit` is made on these tokens of job `job`.
  void assign(std::int64_t job, std::size_t edit, TokenSpan tokens);
  // The hook for run_jobs; refers to this object.
  Hook hook();
  // By edit.
  const std::vector<EditTally>& tallies() const { return tallies_; }

 private:
  struct Assignment {
    std::size_t edit = 0;
    TokenSpan tokens;
  };
  using ByJob = std::map<std::int64_t, std::vector<Assignment>>;
  struct Target;

  std::vector<std::vector<Target>> targets(const ByJob& jobs, const TokenMap& tokens) const;
  void change(at::Tensor& values, const std::vector<Target>& targets);
  void tally(const std::vector<Target>& targets, const at::Tensor& before, const at::Tensor& after);

  std::vector<Edit> edits_;
  at::Tensor vectors_;  // [edits, hidden] float32
  at::Tensor norms_;    // [edits, 1]
  std::map<std::pair<std::int64_t, Site>, ByJob> by_point_;
  std::vector<EditTally> tallies_;
};

}  // namespace hrt
