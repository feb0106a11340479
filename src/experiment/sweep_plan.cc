#include "hrt/experiment/sweep_plan.h"

#include <algorithm>
#include <set>

#include "hrt/experiment/prompt_work.h"

namespace hrt {
namespace {

constexpr double kSnapshotBytes = 512e6;
constexpr std::size_t kMostPrompts = 256;

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

// The items of one block of prompts, cut where a group has enough work.
class Cutter {
 public:
  Cutter(const std::vector<Cell>& cells, const PromptSet& set, double item_flops, double group_flops)
      : cells_(cells), set_(set), item_flops_(item_flops), group_flops_(group_flops) {}

  void cut(std::size_t begin, std::size_t end, std::vector<SweepGroup>& groups) const {
    SweepGroup group;
    for (std::size_t c = 0; c < cells_.size(); ++c) {
      for (std::size_t p = begin; p < end; ++p) {
        if (is_wanted(cells_[c], set_.prompts[p])) group.push_back({c, p});
      }
      if (static_cast<double>(group.size()) * item_flops_ < group_flops_) continue;
      groups.push_back(std::move(group));
      group = {};
    }
    if (!group.empty()) groups.push_back(std::move(group));
  }

 private:
  const std::vector<Cell>& cells_;
  const PromptSet& set_;
  double item_flops_;
  double group_flops_;
};

}  // namespace

std::vector<SweepGroup> cut_sweep(const std::vector<Cell>& cells, const PromptSet& set,
                                  const DecoderSpec& spec, std::int64_t max_new_tokens, bool cpu) {
  const auto tokens = static_cast<double>(longest(set));
  const double snapshot = tokens * static_cast<double>(spec.hidden) * 4.0 *
                          static_cast<double>(std::max<std::size_t>(1, branching_layers(cells)));
  const auto block =
      std::clamp<std::size_t>(static_cast<std::size_t>(kSnapshotBytes / snapshot), 1, kMostPrompts);
  const double item_flops =
      2.0 * static_cast<double>(parameters_per_token(spec)) * (tokens + static_cast<double>(max_new_tokens));
  const Cutter cutter(cells, set, item_flops, cpu ? kCpuGroupFlops : 100 * kCpuGroupFlops);
  std::vector<SweepGroup> groups;
  for (std::size_t begin = 0; begin < set.prompts.size(); begin += block) {
    cutter.cut(begin, std::min(begin + block, set.prompts.size()), groups);
  }
  return groups;
}

}  // namespace hrt
