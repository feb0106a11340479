#pragma once

#include <cstdint>
#include <string>

#include "hrt/base/json.h"
#include "hrt/experiment/groups.h"

namespace hrt {

// The row-identity check: some prompts are computed again, each alone, unbatched and without a shared prefix,
// and compared with what the run stored. Batched extractors that attach rows to the wrong prompt fail it at
// once.
struct RowIdentity {
  std::int64_t prompts = 0;
  double worst = 0;  // largest relative difference of a row
  double tolerance = 0;
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

// The largest relative difference of a row that rounding explains.
double row_tolerance(at::ScalarType dtype);

// Checks `share` of the prompts, at least 16 (or all), drawn by `seed`.
RowIdentity check_row_identity(const Decoder& decoder, const PromptSet& set, const Work& work,
                               const GroupRunner& groups, double share, std::uint64_t seed);

}  // namespace hrt
