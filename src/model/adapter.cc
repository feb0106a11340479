#include "hrt/model/adapter.h"

#include <ATen/ops/isfinite.h>
#include <ATen/ops/mm.h>

#include <algorithm>

#include "adapter_config.h"
#include "adapter_targets.h"
#include "hrt/base/error.h"
#include "hrt/base/hash.h"
#include "hrt/base/page.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "base_model.model.";
constexpr std::string_view kEndA = ".lora_A.weight";
constexpr std::string_view kEndB = ".lora_B.weight";

fs::path adapter_file(const fs::path& folder) {
  if (!fs::exists(folder / "adapter_config.json"))
    throw InputError("{}: no adapter_config.json, so no PEFT adapter", folder.string());
  for (const char* name : {"adapter_model.safetensors", "adapter_model.bin"}) {
    if (fs::exists(folder / name)) return folder / name;
  }
  throw InputError("{}: neither adapter_model.safetensors nor adapter_model.bin", folder.string());
}

// The module of a map, "PREFIX.lora_A.weight" without both ends; empty: the tensor is no part of one.
std::string module_of(const std::string& tensor, std::string_view end) {
  if (!tensor.starts_with(kPrefix) || !tensor.ends_with(end)) return {};
  return tensor.substr(kPrefix.size(), tensor.size() - kPrefix.size() - end.size());
}

void check_matrix(const TensorFile& file, const std::string& name, std::int64_t rows, std::int64_t columns) {
  const TensorLayout& tensor = file.layout(name);
  const std::vector<std::int64_t> expected{rows, columns};
  if (tensor.shape != expected) {
    throw InputError("{}: tensor {} is [{}], expected [{}, {}] for this model and rank", file.path().string(),
                     escape_for_terminal(name), fmt::join(tensor.shape, ", "), rows, columns);
  }
  if (!c10::isFloatingType(tensor.dtype))
    throw InputError("{}: tensor {} is not floating", file.path().string(), escape_for_terminal(name));
}

}  // namespace

at::Tensor LoraUpdate::rows(std::int64_t begin, std::int64_t count) const {
  return in_out ? at::mm(a.narrow(1, begin, count).t(), b.t()) : at::mm(b.narrow(0, begin, count), a);
}

Adapter::Adapter(const fs::path& folder, const Family& family, const DecoderSpec& spec,
                 const WeightNames& names)
    : folder_(folder), file_(adapter_file(folder)) {
  const AdapterConfig config(folder / "adapter_config.json");
  base_model_ = config.base_model();
  std::vector<std::string> modules;
  for (const TensorLayout& tensor : file_.tensors()) modules.push_back(module_of(tensor.name, kEndA));
  const AdapterTargets targets(modules, family, spec, names);
  for (const TensorLayout& tensor : file_.tensors()) add(tensor.name, targets, config);
  if (maps_.empty()) throw InputError("{}: holds no tensor", file_.path().string());
  missing_ = missing_of(targets, config);
}

void Adapter::add(const std::string& tensor, const AdapterTargets& targets, const AdapterConfig& config) {
  const auto refuse = [&](const std::string& why) {
    throw InputError("{}: tensor {} {}", file_.path().string(), escape_for_terminal(tensor), why);
  };
  const bool is_a = tensor.ends_with(kEndA);
  const std::string module = module_of(tensor, is_a ? kEndA : kEndB);
  const AdapterTarget* target = targets.find(module);
  if (target == nullptr) refuse("has no place: the model has no linear map of its own of that name");
  if (!config.targets(module, target->head))
    refuse("is of a module that adapter_config.json does not target");
  const std::string stem = tensor.substr(0, tensor.size() - kEndA.size());
  const std::string a = stem + std::string(kEndA);
  const std::string b = stem + std::string(kEndB);
  for (const std::string& half : {a, b}) {
    if (!file_.has(half)) refuse(fmt::format("is there without {}", escape_for_terminal(half)));
  }
  const std::int64_t rank = config.rank(module);
  if (!maps_.try_emplace(target->tensor, Map{a, b, config.scale(module), target->in_out}).second) return;
  check_matrix(file_, a, rank, target->in);
  check_matrix(file_, b, target->out, rank);
  ranks_.insert(rank);
  parameters_ += rank * (target->in + target->out);
}

// In transformers 5 experts and routers are no modules of their own: an adapter made there has none of them.
std::vector<std::string> Adapter::missing_of(const AdapterTargets& targets,
                                             const AdapterConfig& config) const {
  const bool experts = std::ranges::any_of(targets.all(), [&](const auto& entry) {
    return entry.second.expert && maps_.contains(entry.second.tensor);
  });
  std::vector<std::string> missing;
  for (const auto& [module, target] : targets.all()) {
    if (maps_.contains(target.tensor) || (target.expert && !experts)) continue;
    if (config.targets(module, target.head)) missing.push_back(module);
  }
  return missing;
}

Json Adapter::describe() const {
  return {{"path", fs::absolute(folder_).lexically_normal().string()},
          {"base_model", base_model_},
          {"ranks", ranks_},
          {"maps", maps_.size()},
          {"parameters", parameters_}};
}

std::string adapter_line(const Json& described) {
  const auto base = described.at("base_model").get<std::string>();
  return fmt::format("LoRA of rank {} on {}, {} parameters{}: {}",
                     fmt::join(described.at("ranks").get<std::vector<std::int64_t>>(), ", "),
                     counted(described.at("maps").get<std::size_t>(), "map"),
                     grouped(described.at("parameters").get<std::int64_t>()),
                     base.empty() ? "" : fmt::format(", made on {}", base),
                     described.at("path").get<std::string>());
}

at::Tensor Adapter::matrix(const std::string& name) const {
  const at::Tensor stored = file_.tensor(name);
  const at::Tensor matrix = stored.to(at::kFloat, false, true);
  file_.release(name);
  if (at::isfinite(matrix).all().item<bool>()) return matrix;
  throw InputError("{}: tensor {} holds NaN or infinity", file_.path().string(), escape_for_terminal(name));
}

std::optional<LoraUpdate> Adapter::update(const std::string& tensor) const {
  const auto map = maps_.find(tensor);
  if (map == maps_.end()) return std::nullopt;
  return LoraUpdate{matrix(map->second.a), matrix(map->second.b).mul_(map->second.scale), map->second.in_out};
}

void Adapter::add_to(Sha256& hash) const {
  for (const auto& [tensor, map] : maps_) {
    hash.update(fmt::format("{} {} {:a}\n", tensor, fmt::join(file_.layout(map.a).shape, ","), map.scale));
    for (const std::string& name : {map.a, map.b}) {
      const at::Tensor values = matrix(name).contiguous();
      hash.update(values.const_data_ptr(), values.nbytes());
    }
  }
}

}  // namespace hrt
