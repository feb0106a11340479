#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "hrt/base/json.h"
#include "hrt/experiment/prompt_work.h"

namespace hrt {

// The row-identity check: some prompts are computed again, each alone, unbatched and without a shared prefix,
// and compared with what the run stored. Batched extractors that attach rows to the wrong prompt fail it at
// once. Replies whose rows were captured while they were written are computed with their prompt in one go.
struct RowIdentity {
  std::int64_t prompts = 0;
  double worst = 0;  // largest relative difference of a row
  double tolerance = 0;
  // What rounding alone explains. Where it may choose other experts, `tolerance` is wider, but only a share of
  // the prompts may go beyond this.
  double rounding = 0;
  double forgiven_share = 0;
  std::int64_t beyond_rounding = 0;
  std::string worst_prompt;  // id
  std::string worst_position;
  std::int64_t worst_row = 0;
  std::int64_t replies = 0;        // compared by their first token
  std::int64_t other_replies = 0;  // of these, with another first token
  double margin = 0;               // a first token may differ where its logit margin is at most this
  double largest_gap = 0;          // logit margin of the widest such disagreement

  // Replies may differ only where the model itself is undecided.
  bool holds() const;
  Json to_json() const;
};

// Compares what a job stored with what it gives alone, and keeps the worst. `row` numbers the rows in
// dimension 1 of [tokens, rows, hidden].
class RowComparison {
 public:
  RowComparison(at::ScalarType dtype, bool experts);

  void compare_rows(const std::string& id, const std::string& position, const std::vector<std::int64_t>& rows,
                    const at::Tensor& stored, const at::Tensor& alone);
  // By the first token; `gap`: the logit margin of the reply computed alone.
  void compare_replies(const std::vector<std::int64_t>& stored, const std::vector<std::int64_t>& alone,
                       double gap);
  void next_prompt();
  const RowIdentity& result() const { return result_; }

 private:
  RowIdentity result_;
  double worst_of_prompt_ = 0;
};

// `share` of `total` items, at least 16 (or all), drawn by `seed`; none for a share of 0.
std::vector<std::int64_t> draw_for_verification(std::int64_t total, double share, std::uint64_t seed);

// Checks items of groups drawn so: `compare` is handed each as its group and its number in the group. `unit`
// is what progress counts.
using CompareItem = std::function<void(std::size_t group, std::size_t item, RowComparison& comparison)>;
RowIdentity check_drawn_items(const Decoder& decoder, const std::vector<std::size_t>& group_sizes,
                              double share, std::uint64_t seed, const std::string& unit,
                              const CompareItem& compare);

// Checks prompts drawn so. `set`: with the replies that positions were asked of.
RowIdentity check_row_identity(const Decoder& decoder, const PromptSet& set, const Work& work,
                               const PromptWork& groups, double share, std::uint64_t seed);

}  // namespace hrt
