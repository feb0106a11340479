#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hrt/data/inversion.h"
#include "hrt/experiment/direction_source.h"
#include "hrt/experiment/prompt_run.h"
#include "hrt/experiment/row_identity.h"
#include "hrt/steer/cells.h"
#include "hrt/steer/sweep_plan.h"

namespace hrt {

// First tokens of the two answers to an inversion's question.
struct AnswerTokens {
  std::vector<std::int64_t> yes;
  std::vector<std::int64_t> no;
};

// How a cell's edits came out, over all its prompts.
struct CellReceipt {
  std::int64_t tokens = 0;  // changed, at the place where most were
  double changes = 0;       // tokens x places
  double norm_change = 0;   // sum over changes of |h' - h| / |h|
};

// A sweep's cells x prompts, in groups. Every group computes its prompts unsteered first; cells go on from
// there.
class SweepWork : public GroupedWork {
 public:
  struct Parts {
    const PromptRun& prompts;
    const std::vector<Cell>& cells;
    const DirectionSource& directions;
    std::optional<AnswerTokens> answers;                      // inversion
    std::int64_t batch_size = 0;                              // 0: from sizes
    std::function<bool(std::string_view text)> decided = {};  // ends a reply early
    // Asked when the baseline's groups, so many, are done: false leaves out all that follow.
    std::function<bool(std::size_t groups)> worth_steering = {};
    std::function<Json(const SweepItem& item, const Reply& reply)> describe;  // a line of replies.jsonl
  };
  SweepWork(std::filesystem::path folder, Parts parts, std::vector<SweepGroup> groups);

  std::size_t group_count() const override { return groups_.size(); }
  bool goes_on(std::size_t group) override;
  // Those that were left out are not among them.
  const std::vector<SweepGroup>& groups() const { return groups_; }
  std::vector<Json> reply_lines(std::size_t group) const override;

  // Per item of a group. An item that was not steered has the baseline's reply, which another group may hold.
  std::vector<std::optional<Reply>> replies(std::size_t group) const;
  std::vector<double> kl(
      std::size_t group) const;  // from the unsteered model at the first new token; NaN: not harmless
  std::vector<std::array<double, 2>> answer_mass(
      std::size_t group) const;  // of yes and no, at the first new token
  std::vector<bool> steered(
      std::size_t group) const;  // false: the baseline's result, since nothing was changed
  // By cell, of those in the group.
  std::map<std::size_t, CellReceipt> receipts(std::size_t group) const;

  // Items drawn by seed, each computed alone from its first token and block on: the last row of the last
  // prompt token, and the first new token.
  RowIdentity verify(const Decoder& decoder, double share, std::uint64_t seed) const;

 private:
  std::map<std::size_t, std::optional<Reply>> baseline_replies() const;
  void verify_item(const Decoder& decoder, std::size_t group, std::size_t item,
                   RowComparison& comparison) const;

  Size size_of(std::size_t group) const override;
  std::string unit() const override { return "replies"; }
  std::vector<NamedTensor> compute(const Decoder& decoder, std::size_t group, const Events& events,
                                   EngineStats& stats) override;

  Parts parts_;
  std::vector<SweepGroup> groups_;
};

}  // namespace hrt
