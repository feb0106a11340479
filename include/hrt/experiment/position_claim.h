#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/tensor/tensor_file.h"

namespace hrt {

// "These rows were taken at t_inst", said of a file of activations.
struct PositionClaim {
  // "AXIS:INDEX" picks the position out of a tensor such as [layers, prompts, positions, hidden]; any other
  // text is the name of a tensor that holds one position, as hrt writes them: [prompts, rows, hidden].
  std::string position;
  std::optional<std::string> tensor;       // with AXIS:INDEX; may be left out when the file holds just one
  std::optional<std::int64_t> layer_axis;  // default 0; of hrt's own tensors 1
};

// At row 0 the residual stream is the embedding of the token alone (where positions are not learned): prompts
// whose tokens at the position are equal have equal rows there, so every pair's cosine is 1. A necessary
// sign, which the tensors released with arXiv 2507.11878 do not give: their script computed positions for
// another template than the one it wrote.
struct ClaimCheck {
  std::string tensor;
  std::vector<std::int64_t> shape;
  std::int64_t prompts = 0;
  std::int64_t unusable = 0;  // prompts whose row 0 is zero or not finite: they have no cosine
  double min = 0;             // of the cosines between two usable prompts; NaN when there are not two
  double mean = 0;
  double tolerance = 0;  // a cosine may be this far below 1, by the dtype's rounding

  bool holds() const { return unusable == 0 && min >= 1 - tolerance; }
};

// Checks the claim for prompts that end in the same token. Throws InputError: no such tensor or axis, fewer
// than two prompts, row 0 not stored, a span.
ClaimCheck check_claim(const TensorFile& file, const PositionClaim& claim);

Json claim_json(const ClaimCheck& check);
std::string claim_page(const ClaimCheck& check, const PositionClaim& claim);

}  // namespace hrt
