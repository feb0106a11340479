#include "hrt/experiment/row_identity.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>

#include "hrt/analysis/directions.h"
#include "hrt/base/interrupt.h"
#include "hrt/base/progress.h"
#include "hrt/base/random.h"

namespace hrt {
namespace {

constexpr std::int64_t kFewest = 16;

// The gap of the two best logits below which rounding may choose the other token. The half formats: twice the widest
// flip seen on SmolLM2 for bfloat16; none was seen for float16.
double undecided_margin(at::ScalarType dtype) {
  if (dtype == at::kFloat) return 5e-3;
  return dtype == at::kBFloat16 ? 0.5 : 5e-2;
}

// Where the rows of a prompt's position begin in its group's tensor.
std::int64_t row_offset(const PromptSet& set, const Group& group, std::int64_t prompt, std::size_t position) {
  std::int64_t offset = 0;
  for (std::int64_t i = group.begin; i < prompt; ++i) {
    const auto& range = set.prompts[static_cast<std::size_t>(i)].positions[position];
    offset += range ? range->size() : 0;
  }
  return offset;
}

class Checker {
 public:
  Checker(const Decoder& decoder, const PromptSet& set, const Work& work, const GroupRunner& groups)
      : decoder_(decoder), set_(set), work_(work), groups_(groups) {
    result_.tolerance = row_tolerance(decoder.dtype());
    result_.margin = undecided_margin(decoder.dtype());
  }

  void check(std::int64_t prompt) {
    const auto size = groups_.groups().front().size();
    const auto g = static_cast<std::size_t>(prompt / size);
    const GroupResult stored = groups_.result(g);
    const JobResult alone = compute_alone(static_cast<std::size_t>(prompt));
    for (std::size_t p = 0; p < set_.specs.size(); ++p)
      compare_rows(stored, groups_.groups()[g], prompt, p, alone);
    compare_reply(stored.replies()[static_cast<std::size_t>(prompt % size)], alone);
    ++result_.prompts;
  }

  RowIdentity result() const { return result_; }

 private:
  JobResult compute_alone(std::size_t prompt) const {
    Job job = make_job(set_, work_, prompt);
    job.max_new_tokens = std::min<std::int64_t>(job.max_new_tokens, 1);
    EngineOptions options = make_engine_options(work_, 1);
    options.share_prefix = false;
    options.logits = false;
    return std::move(run_jobs(decoder_, std::span(&job, 1), options).front());
  }

  void compare_rows(const GroupResult& stored, const Group& group, std::int64_t prompt, std::size_t position,
                    const JobResult& alone) {
    const PreparedPrompt& prepared = set_.prompts[static_cast<std::size_t>(prompt)];
    if (!prepared.positions[position]) return;
    const at::Tensor fresh = rows_of_position(prepared, position, alone);
    const at::Tensor kept =
        stored.rows(set_.specs[position]).narrow(0, row_offset(set_, group, prompt, position), fresh.size(0));
    for (std::int64_t r = 0; r < fresh.size(1); ++r) {
      const double difference = largest_relative_difference(kept.select(1, r), fresh.select(1, r));
      if (difference <= result_.worst) continue;
      result_.worst = difference;
      result_.worst_prompt = prepared.record.id;
      result_.worst_position = set_.specs[position].name;
      result_.worst_row = work_.rows[static_cast<std::size_t>(r)];
    }
  }

  void compare_reply(const std::optional<Reply>& stored, const JobResult& alone) {
    if (!stored) return;
    ++result_.replies;
    const auto first = [](const std::vector<std::int64_t>& tokens) {
      return tokens.empty() ? -1 : tokens.front();
    };
    if (first(stored->tokens) == first(alone.reply)) return;
    ++result_.other_replies;
    result_.largest_gap = std::max(result_.largest_gap, alone.first_margin);
  }

  const Decoder& decoder_;
  const PromptSet& set_;
  const Work& work_;
  const GroupRunner& groups_;
  RowIdentity result_;
};

}  // namespace

double row_tolerance(at::ScalarType dtype) {
  // float32: the contract's 2e-5. The half formats: wide bounds that still catch a foreign row.
  if (dtype == at::kFloat) return 2e-5;
  return dtype == at::kBFloat16 ? 1e-1 : 2e-3;
}

bool RowIdentity::holds() const {
  // A flipped first token is a finding only where the model was sure of it.
  return worst <= tolerance && largest_gap <= margin;
}

Json RowIdentity::to_json() const {
  return {{"prompts", prompts},
          {"worst_relative_difference", worst},
          {"tolerance", tolerance},
          {"worst_prompt", worst_prompt},
          {"worst_position", worst_position},
          {"worst_row", worst_row},
          {"replies", replies},
          {"other_first_tokens", other_replies},
          {"largest_logit_gap", largest_gap},
          {"holds", holds()}};
}

RowIdentity check_row_identity(const Decoder& decoder, const PromptSet& set, const Work& work,
                               const GroupRunner& groups, double share, std::uint64_t seed) {
  const auto total = static_cast<std::int64_t>(set.prompts.size());
  const auto wanted = static_cast<std::int64_t>(std::ceil(share * static_cast<double>(total)));
  const std::int64_t count = share > 0 ? std::min(total, std::max(kFewest, wanted)) : 0;
  Checker checker(decoder, set, work, groups);
  Progress progress("verifying", count, "prompts");
  for (const std::int64_t prompt : sample_indices(total, count, seed)) {
    check_interrupt();
    checker.check(prompt);
    progress.advance();
  }
  return checker.result();
}

}  // namespace hrt
