#include "job_check.h"

#include <utility>

#include "hrt/base/error.h"

namespace hrt {
namespace {

void check_job(const Job& job, std::size_t index, const DecoderSpec& spec) {
  const auto length = static_cast<std::int64_t>(job.tokens.size());
  if (length == 0) throw InputError("prompt {} has no tokens", index);
  for (const std::int64_t token : job.tokens) {
    if (token < 0 || token >= spec.vocabulary) {
      throw InputError("prompt {}: token {} is outside the vocabulary of {}", index, token, spec.vocabulary);
    }
  }
  const std::string switched = rotation_switch(spec, length, job.max_new_tokens);
  if (!switched.empty()) throw InputError("prompt {}: {}", index, switched);
  for (const std::int64_t position : job.capture) {
    if (position < 0 || position >= length + job.max_new_tokens) {
      throw InputError("prompt {}: position {} is outside its {} tokens{}", index, position, length,
                       job.max_new_tokens > 0 ? fmt::format(" and {} new ones", job.max_new_tokens) : "");
    }
  }
}

void check_branch(std::span<const Job> jobs, std::size_t index, const DecoderSpec& spec) {
  const Branch& branch = *jobs[index].branch;
  if (branch.stem >= index || jobs[branch.stem].branch || jobs[branch.stem].tokens != jobs[index].tokens) {
    throw InputError("prompt {}: its stem must be a prompt before it, the same, and no branch", index);
  }
  if (branch.layer < 0 || branch.layer >= spec.layers) {
    throw InputError("prompt {}: layer {} is outside 0..{}", index, branch.layer, spec.layers - 1);
  }
  if (branch.token < 0 || std::cmp_greater_equal(branch.token, jobs[index].tokens.size())) {
    throw InputError("prompt {}: it parts from its stem at token {} of {}", index, branch.token,
                     jobs[index].tokens.size());
  }
  const std::vector<std::int64_t>& capture = jobs[index].capture;
  if (!capture.empty() && std::cmp_greater_equal(capture.back(), jobs[index].tokens.size()))
    throw InputError("prompt {}: rows of a branch's reply cannot be captured", index);
}

}  // namespace

void check_jobs(std::span<const Job> jobs, const EngineOptions& options, const DecoderSpec& spec) {
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    check_job(jobs[i], i, spec);
    if (jobs[i].branch) check_branch(jobs, i, spec);
  }
  for (const std::int64_t row : options.rows) {
    if (row < 0 || row > spec.layers) throw InputError("row {} is outside 0..{}", row, spec.layers);
  }
}

}  // namespace hrt
