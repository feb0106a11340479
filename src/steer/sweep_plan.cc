#include "hrt/steer/sweep_plan.h"

#include <algorithm>
#include <set>

#include "hrt/experiment/prompt_work.h"

namespace hrt {
namespace {

constexpr double kSnapshotBytes = 512e6;
constexpr std::size_t kMostPrompts = 256;
constexpr double kMostOnCpu = 2048;  // items: a tiny model's time goes elsewhere than into FLOPs

bool is_wanted(const Cell& cell, const PreparedPrompt& prompt) {
  if (cell.is_baseline()) return true;
  return is_on(cell, prompt.record) && !(cell.control_of && prompt.record.side);
}

std::int64_t longest(const PromptSet& set) {
  std::size_t tokens = 1;
  for (const PreparedPrompt& prompt : set.prompts) tokens = std::max(tokens, prompt.prompt.ids.size());
  return static_cast<std::int64_t>(tokens);
}

std::size_t branching_layers(const std::vector<Cell>& cells) {
  std::set<std::int64_t> layers;
  for (const Cell& cell : cells) {
    if (!cell.is_baseline()) layers.insert(first_layer(cell));
  }
  return layers.size();
}

struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// The items of some cells and one block of prompts, cut behind the cell with which a group has enough of
// them.
void cut_block(const std::vector<Cell>& cells, Range some, const PromptSet& set, Range block,
               std::size_t enough, std::vector<SweepGroup>& groups) {
  SweepGroup group;
  for (std::size_t c = some.begin; c < some.end; ++c) {
    for (std::size_t p = block.begin; p < block.end; ++p) {
      if (is_wanted(cells[c], set.prompts[p])) group.push_back({c, p});
    }
    if (group.size() < enough) continue;
    groups.push_back(std::move(group));
    group = {};
  }
  if (!group.empty()) groups.push_back(std::move(group));
}

}  // namespace

std::int64_t suitable_sweep_group(const PromptSet& set, const DecoderSpec& spec, std::int64_t max_new_tokens,
                                  bool cpu) {
  const auto tokens = static_cast<double>(longest(set) + max_new_tokens);
  const double flops = 2.0 * static_cast<double>(parameters_per_token(spec)) * tokens;
  const double items = kCpuGroupFlops / flops;
  return std::max<std::int64_t>(1,
                                static_cast<std::int64_t>(cpu ? std::min(items, kMostOnCpu) : 100 * items));
}

std::vector<SweepGroup> cut_sweep(const std::vector<Cell>& cells, const PromptSet& set,
                                  const DecoderSpec& spec, std::int64_t group_size, bool baseline_first) {
  const double snapshot = static_cast<double>(longest(set) * spec.hidden) * 4.0 *
                          static_cast<double>(std::max<std::size_t>(1, branching_layers(cells)));
  const auto block =
      std::clamp<std::size_t>(static_cast<std::size_t>(kSnapshotBytes / snapshot), 1, kMostPrompts);
  std::vector<SweepGroup> groups;
  const std::size_t prompts = set.prompts.size();
  const std::vector<Range> parts =
      baseline_first ? std::vector<Range>{{0, 1}, {1, cells.size()}} : std::vector<Range>{{0, cells.size()}};
  for (const Range& some : parts) {
    for (std::size_t begin = 0; begin < prompts; begin += block)
      cut_block(cells, some, set, {begin, std::min(begin + block, prompts)},
                static_cast<std::size_t>(group_size), groups);
  }
  return groups;
}

}  // namespace hrt
