#include "adapter_config.h"

#include <algorithm>
#include <cmath>

#include "config_values.h"
#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

constexpr std::uint64_t kMaxConfigBytes = 16'000'000;
constexpr std::int64_t kMaxRank = 1 << 16;

constexpr std::string_view kAdapterRead[] = {"alpha_pattern",
                                             "base_model_name_or_path",
                                             "exclude_modules",
                                             "init_lora_weights",
                                             "layers_pattern",
                                             "layers_to_transform",
                                             "lora_alpha",
                                             "peft_type",
                                             "r",
                                             "rank_pattern",
                                             "target_modules",
                                             "use_rslora"};

// Training, provenance, and `fan_in_fan_out`: how a map lies in the files is known from the family.
constexpr std::string_view kAdapterHarmless[] = {
    "auto_mapping",      "corda_config", "eva_config",     "fan_in_fan_out", "inference_mode",
    "loftq_config",      "lora_dropout", "lora_ga_config", "megatron_core",  "peft_version",
    "qalora_group_size", "revision",     "runtime_config", "task_type"};

constexpr UnsupportedKey kAdapterUnsupported[] = {
    {"bias", "\"none\""},        {"layer_replication", "null"}, {"lora_bias", "false"},
    {"modules_to_save", "null"}, {"target_parameters", "null"}, {"trainable_token_indices", "null"},
    {"use_dora", "false"}};

// Initialisations after which the base is still the one on disk. Others (pissa, olora, ...) take a part of
// the base into the adapter.
constexpr std::string_view kKeepsBase[] = {"gaussian", "eva", "orthogonal"};

// What helps where hrt cannot add the adapter itself.
constexpr std::string_view kMergeInPeft =
    "; merge it in peft (merge_and_unload(), then save_pretrained()) and give the merged folder to --model";

// Kinds that change no weights, so that peft cannot merge them either.
constexpr std::string_view kUnmergeable[] = {
    "ADAPTION_PROMPT", "CARTRIDGE",     "CPT",     "MULTITASK_PROMPT_TUNING",
    "PREFIX_TUNING",   "PROMPT_TUNING", "P_TUNING"};

bool contains(std::span<const std::string_view> keys, std::string_view key) {
  return std::ranges::find(keys, key) != keys.end();
}

// What newer versions of peft add is neutral when it is off.
bool is_off(const Json& value) {
  return value.is_null() || value == false || (value.is_structured() && value.empty());
}

void check_kind(const JsonObject& config) {
  const std::string kind = config.string("peft_type");
  if (kind == "LORA") return;
  throw InputError("{}: \"{}\", but hrt merges only LORA adapters{}", config.where("peft_type"),
                   escape_for_terminal(kind),
                   contains(kUnmergeable, kind) ? ", and this kind changes no weights" : kMergeInPeft);
}

void check_adapter_keys(const JsonObject& config) {
  for (const auto& [key, value] : config.raw().items()) {
    if (contains(kAdapterRead, key) || contains(kAdapterHarmless, key)) continue;
    if (is_unsupported(kAdapterUnsupported, config, key, kMergeInPeft) || is_off(value)) continue;
    throw InputError("{} is {}, which hrt does not know{}", config.where(key),
                     escape_for_terminal(to_line(value)), kMergeInPeft);
  }
}

void check_initialisation(const JsonObject& config) {
  const Json* value = config.find("init_lora_weights");
  if (value == nullptr || value->is_boolean()) return;
  if (value->is_string() && contains(kKeepsBase, value->get<std::string>())) return;
  throw InputError(
      "{} is {}, which changes the base model's weights; save the adapter as a plain LoRA (peft: "
      "save_pretrained with "
      "path_initial_model_for_weight_conversion)",
      config.where("init_lora_weights"), escape_for_terminal(to_line(*value)));
}

std::vector<std::string> read_names(const JsonObject& config, std::string_view key) {
  const Json& value = *config.find(key);
  const Json list = value.is_array() ? value : Json::array({value});
  std::vector<std::string> names;
  for (const Json& name : list) {
    if (!name.is_string()) throw InputError("{} must be a string or a list of strings", config.where(key));
    names.push_back(name);
  }
  return names;
}

}  // namespace

AdapterConfig::AdapterConfig(const std::filesystem::path& file) {
  const Json content = read_json(file, kMaxConfigBytes);
  const JsonObject config(content, file.string());
  check_kind(config);
  check_adapter_keys(config);
  check_initialisation(config);
  base_model_ = config.string("base_model_name_or_path", "");
  if (!config.has("target_modules")) throw InputError("{} is missing", config.where("target_modules"));
  target_ = read_target(config, "target_modules");
  if (config.has("exclude_modules")) excluded_ = read_target(config, "exclude_modules");
  read_layers(config);
  for (const char* key : {"r", "lora_alpha"}) {
    if (is_null(config, key)) throw InputError("{} is null, expected a number", config.where(key));
  }
  rank_ = read_size(config, "r", kMaxRank, 8);
  alpha_ = config.number("lora_alpha", 8);
  rank_stabilised_ = config.boolean("use_rslora", false);
  ranks_ = read_patterns(config, "rank_pattern");
  alphas_ = read_patterns(config, "alpha_pattern");
}

AdapterConfig::Target AdapterConfig::read_target(const JsonObject& config, std::string_view key) {
  const Json& value = *config.find(key);
  if (!value.is_string()) return read_names(config, key);
  const std::string text = value;
  if (text == "all-linear") return AllLinear{};
  return Regex(text, config.where(key));
}

// {"REGEX": NUMBER}: of a module whose name's end matches, from a dot on. The first one counts.
std::vector<AdapterConfig::Pattern> AdapterConfig::read_patterns(const JsonObject& config,
                                                                 std::string_view key) {
  std::vector<Pattern> patterns;
  if (!config.has(key)) return patterns;
  const JsonObject table = config.object(key);
  for (const auto& [name, value] : table.raw().items()) {
    patterns.emplace_back(Regex(fmt::format("(?:.*\\.)?(?:{})", name), table.where(name)),
                          read_number(table, name, 0, kMaxRank));
  }
  return patterns;
}

// Only with a list of target modules, as peft has it.
void AdapterConfig::read_layers(const JsonObject& config) {
  if (!config.has("layers_to_transform") || !std::holds_alternative<Names>(*target_)) return;
  const Json& value = *config.find("layers_to_transform");
  const Json list = value.is_array() ? value : Json::array({value});
  if (list.empty()) return;
  layers_.emplace();
  for (const Json& layer : list) {
    if (!layer.is_number_integer())
      throw InputError("{} must be a layer or a list of layers", config.where("layers_to_transform"));
    layers_->push_back(to_line(layer));
  }
  const bool named = config.has("layers_pattern") && !config.find("layers_pattern")->empty();
  if (!named) layer_of_.emplace_back(R"(.*?\.[^.]*\.(\d+)\.)", config.where("layers_pattern"));
  for (const std::string& name : named ? read_names(config, "layers_pattern") : Names())
    layer_of_.emplace_back(fmt::format("(?:^|.*?\\.){}\\.(\\d+)\\.", name), config.where("layers_pattern"));
}

bool AdapterConfig::is_of_layer(const std::string& module) const {
  if (!layers_) return true;
  for (const Regex& pattern : layer_of_) {
    const auto layer = pattern.first_group(module);
    if (layer) return std::ranges::find(*layers_, *layer) != layers_->end();
  }
  return false;
}

bool AdapterConfig::targets(const std::string& module, bool head) const {
  const auto matches = [&](const Target& target) {
    if (const auto* regex = std::get_if<Regex>(&target)) return regex->matches(module);
    if (std::holds_alternative<AllLinear>(target)) return !head;
    return std::ranges::any_of(std::get<Names>(target), [&](const std::string& name) {
      return module == name || module.ends_with("." + name);
    });
  };
  return matches(*target_) && !(excluded_ && matches(*excluded_)) && is_of_layer(module);
}

std::int64_t AdapterConfig::rank(const std::string& module) const {
  const auto found = std::ranges::find_if(ranks_, [&](const Pattern& p) { return p.first.matches(module); });
  return found == ranks_.end() ? rank_ : static_cast<std::int64_t>(found->second);
}

double AdapterConfig::scale(const std::string& module) const {
  const auto found = std::ranges::find_if(alphas_, [&](const Pattern& p) { return p.first.matches(module); });
  const double alpha = found == alphas_.end() ? alpha_ : found->second;
  const auto rank = static_cast<double>(this->rank(module));
  return alpha / (rank_stabilised_ ? std::sqrt(rank) : rank);
}

}  // namespace hrt
