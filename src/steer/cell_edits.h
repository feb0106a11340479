#pragma once

#include <cstdint>
#include <vector>

#include "hrt/experiment/direction_source.h"
#include "hrt/model/steering.h"
#include "hrt/steer/cells.h"

namespace hrt {

// A cell's interventions as edits of the decoder's values, with the scope of each.
struct CellEdits {
  std::vector<Edit> edits;
  std::vector<Scope> scopes;  // of each edit
  bool neutral = true;        // no edit changes anything: coefficient 0, or vectors of zeros

  // The first token of a prompt that an edit is made on; nothing where none is.
  std::optional<std::int64_t> first_token(const TemplatedPrompt& prompt) const;
};

// Throws InputError: see DirectionSource.
CellEdits edits_of(const Cell& cell, const DirectionSource& directions, std::int64_t hidden);

// Looks up everything that a cell needs. Throws InputError as `vector` does.
void check_directions(const Cell& cell, const DirectionSource& directions, std::int64_t hidden);

}  // namespace hrt
