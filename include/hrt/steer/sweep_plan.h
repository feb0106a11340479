#pragma once

#include <cstdint>
#include <vector>

#include "hrt/experiment/prompt_set.h"
#include "hrt/model/decoder_spec.h"
#include "hrt/steer/cells.h"

namespace hrt {

// One prompt in one cell.
struct SweepItem {
  std::size_t cell = 0;
  std::size_t prompt = 0;
};

// Items that are computed together: some cells on some prompts, whose unsteered part is computed once.
using SweepGroup = std::vector<SweepItem>;

// Items in a group that are, on a CPU, at most about a minute's work: what a signal waits for.
std::int64_t suitable_sweep_group(const PromptSet& set, const DecoderSpec& spec, std::int64_t max_new_tokens,
                                  bool cpu);

// Cuts cells x prompts into groups: blocks of prompts whose kept residual streams fit 512 MB, and within a
// block runs of whole cells with `group_size` items or more. From sizes only, so that every machine cuts
// alike. Within a group items go cell by cell. The baseline is for all prompts; random controls leave out
// those that are there for side effects. `baseline_first`: of all prompts in groups of its own, before any
// other cell.
std::vector<SweepGroup> cut_sweep(const std::vector<Cell>& cells, const PromptSet& set,
                                  const DecoderSpec& spec, std::int64_t group_size, bool baseline_first);

}  // namespace hrt
