#include "adapter_targets.h"

#include <algorithm>
#include <set>

#include "weight_check.h"

namespace hrt {
namespace {

using Targets = std::map<std::string, AdapterTarget>;

std::set<std::string> expert_tensors(const WeightNames& names) {
  std::set<std::string> tensors;
  for (const LayerWeightNames& layer : names.layers) {
    if (!layer.experts.empty()) tensors.insert(layer.router.weight);
    for (const MlpNames& expert : layer.experts) {
      for (const TensorNames& map : expert.gate_up) tensors.insert(map.weight);
      tensors.insert(expert.down.weight);
    }
  }
  return tensors;
}

Targets targets_under(const WeightPrefix& prefix, const Family& family, const DecoderSpec& spec,
                      const WeightNames& names) {
  WeightNames own = weight_names(family.names, spec, prefix);
  if (spec.tied_head) own.head = own.embedding;
  const std::vector<ExpectedTensor> modules = expected_tensors(spec, own);
  const std::vector<ExpectedTensor> stored = expected_tensors(spec, names);
  constexpr std::string_view kWeight = ".weight";
  const std::set<std::string> experts = expert_tensors(names);
  Targets targets;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const std::string& tensor = stored[i].name;
    const std::vector<std::int64_t>& shape = stored[i].shape;
    const bool table = tensor == names.embedding || tensor == names.positions;
    if (shape.size() != 2 || table || !modules[i].name.ends_with(kWeight)) continue;
    const bool head = tensor == names.head;
    const bool in_out = spec.linear_in_out && !head;
    const std::string& name = modules[i].name;
    targets[name.substr(0, name.size() - kWeight.size())] = {.tensor = tensor,
                                                             .out = shape[in_out ? 1 : 0],
                                                             .in = shape[in_out ? 0 : 1],
                                                             .in_out = in_out,
                                                             .head = head,
                                                             .expert = experts.contains(tensor)};
  }
  return targets;
}

}  // namespace

AdapterTargets::AdapterTargets(const std::vector<std::string>& modules, const Family& family,
                               const DecoderSpec& spec, const WeightNames& names) {
  for (const WeightPrefix& prefix : family.prefixes) {
    targets_ = targets_under(prefix, family, spec, names);
    if (std::ranges::any_of(modules, [&](const std::string& m) { return targets_.contains(m); })) return;
  }
}

const AdapterTarget* AdapterTargets::find(const std::string& module) const {
  const auto found = targets_.find(module);
  return found == targets_.end() ? nullptr : &found->second;
}

}  // namespace hrt
