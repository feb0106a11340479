#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hrt/experiment/grouped_work.h"
#include "hrt/experiment/prompt_run.h"
#include "hrt/experiment/row_identity.h"

namespace hrt {

// A direction that may be chosen: the difference of means at one token and one block input.
struct CandidateVector {
  std::int64_t position = 0;  // negative, from the prompt's end
  std::int64_t layer = 0;
  at::Tensor vector;  // [hidden] float32
};

// What is done with a candidate: projected out of every block input and of what every attention and MLP adds,
// or added to its own layer's block input; at all tokens of the prompt.
enum class Trial { kAblate, kAdd };

// One prompt under one candidate.
struct SelectItem {
  std::size_t candidate = 0;
  std::size_t prompt = 0;
  Trial trial = Trial::kAblate;
};

// What the model says at a prompt's end, one value a prompt. Nothing where the prompt has no such trial.
struct CandidateScores {
  std::vector<std::optional<double>> ablated;  // refusal score
  std::vector<std::optional<double>> added;    // refusal score; harmless prompts only
  std::vector<std::optional<double>> kl;       // ablated, from the model as it is; harmless prompts only
};

// Candidates x prompts, in groups of candidates. Every group computes the prompts as they are first, and
// trials go on from there; nothing is generated.
class SelectWork : public GroupedWork {
 public:
  // Candidates of one layer should be neighbours: a group keeps the residual stream of each of its layers.
  struct Parts {
    const PromptRun& prompts;  // all with a label
    std::vector<CandidateVector> candidates;
    std::vector<std::int64_t> refusal_tokens;
  };
  SelectWork(std::filesystem::path folder, Parts parts);

  std::size_t group_count() const override { return groups_.size(); }
  std::vector<Json> reply_lines(std::size_t) const override { return {}; }

  const std::vector<CandidateVector>& candidates() const { return parts_.candidates; }
  // By prompt: the refusal score of the model as it is.
  std::vector<double> base_scores() const;
  // By candidate.
  std::vector<CandidateScores> scores() const;

  // Items drawn by seed, each computed alone from its first token and block on: row L of the last token.
  RowIdentity verify(const Decoder& decoder, double share, std::uint64_t seed) const;

 private:
  struct Computation;

  std::vector<SelectItem> items_of(const Group& group) const;
  void verify_item(const Decoder& decoder, std::size_t group, std::size_t item,
                   RowComparison& comparison) const;

  Size size_of(std::size_t group) const override;
  std::string unit() const override { return "trials"; }
  std::vector<NamedTensor> compute(const Decoder& decoder, std::size_t group, const Events& events,
                                   EngineStats& stats) override;

  Parts parts_;
  std::vector<Group> groups_;  // of candidates
};

}  // namespace hrt
