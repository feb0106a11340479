#include "rope_config.h"

#include <algorithm>
#include <span>
#include <utility>

#include "config_values.h"
#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

constexpr double kLeastPositive = 1e-9;
constexpr double kMaxFactor = 1e6;
constexpr double kLeastTheta = 1.01;  // yarn divides by its logarithm
constexpr double kMaxTheta = 1e15;

using Keys = std::span<const std::string_view>;

constexpr std::string_view kFactor[] = {"factor"};
constexpr std::string_view kYarn[] = {"factor",           "original_max_position_embeddings",
                                      "attention_factor", "beta_fast",
                                      "beta_slow",        "mscale",
                                      "mscale_all_dim",   "truncate"};
constexpr std::string_view kLlama3[] = {"factor", "original_max_position_embeddings", "low_freq_factor",
                                        "high_freq_factor"};
constexpr std::string_view kLongRope[] = {"factor", "original_max_position_embeddings", "attention_factor",
                                          "short_factor", "long_factor"};

// What the RoPE object of each kind may hold, beside kEvery.
struct Kind {
  std::string_view name;
  RopeSpec::Kind kind;
  Keys keys;
};
constexpr Kind kKinds[] = {
    {"default", RopeSpec::Kind::kDefault, {}},          {"dynamic", RopeSpec::Kind::kDynamic, kFactor},
    {"linear", RopeSpec::Kind::kLinear, kFactor},       {"llama3", RopeSpec::Kind::kLlama3, kLlama3},
    {"longrope", RopeSpec::Kind::kLongRope, kLongRope}, {"yarn", RopeSpec::Kind::kYarn, kYarn}};
// `finetuned` is a note of the first yarn models.
constexpr std::string_view kEvery[] = {"rope_type", "type", "rope_theta", "finetuned"};
constexpr std::string_view kPartial = "partial_rotary_factor";
constexpr std::string_view kGlobalLayers = "full_attention";
constexpr std::string_view kLocalLayers = "sliding_attention";
constexpr UnsupportedKey kUnsupported[] = {
    {kPartial, "1.0"}, {kGlobalLayers, "null"}, {kLocalLayers, "null"}};

// A RoPE object and the key of config.json that it stands under; an empty object where none does.
struct Found {
  std::string key;
  JsonObject rope;
};

JsonObject object_or_empty(const JsonObject& parent, std::string_view key) {
  static const Json kEmpty = Json::object();
  return parent.has(key) ? parent.object(key) : JsonObject(kEmpty, parent.where(key));
}

// transformers: an empty rope_scaling counts as none. Where layers differ (Gemma 3), `layers` is the name of
// their object inside rope_parameters; rope_scaling is of the global ones.
Found find_rope(const JsonObject& config, std::string_view layers) {
  const Json* scaling = config.find("rope_scaling");
  if (scaling != nullptr && !scaling->empty() && layers != kLocalLayers) {
    return {"rope_scaling", config.object("rope_scaling")};
  }
  const JsonObject parameters = object_or_empty(config, "rope_parameters");
  if (layers.empty()) return {"rope_parameters", parameters};
  return {fmt::format("rope_parameters/{}", layers), object_or_empty(parameters, layers)};
}

std::string_view global_layers(const RopeRules& rules) { return rules.local_theta ? kGlobalLayers : ""; }

const Kind& kind_of(const JsonObject& rope, const RopeRules& rules) {
  const std::string_view key = rope.has("rope_type") ? "rope_type" : "type";
  std::string name = rope.string(key, "default");
  if (rules.phi3 && (name == "su" || name == "yarn")) name = "longrope";
  std::vector<std::string> known;
  for (const Kind& kind : kKinds) {
    if (kind.name == name) return kind;
    known.emplace_back(kind.name);
  }
  throw InputError("{}: hrt has no RoPE kind \"{}\", only {}", rope.where(key), escape_for_terminal(name),
                   join(known, ", "));
}

double positive(const JsonObject& rope, std::string_view key) {
  return read_number(rope, key, kLeastPositive, kMaxFactor);
}

// transformers takes 0 in these for "not given".
std::optional<double> non_zero(const JsonObject& rope, std::string_view key) {
  const double value = rope.has(key) ? read_number(rope, key, 0, kMaxFactor) : 0;
  return value == 0 ? std::nullopt : std::optional(value);
}

double read_theta(const JsonObject& config, const JsonObject& rope, std::string_view key, double fallback) {
  if (rope.has("rope_theta")) return read_number(rope, "rope_theta", kLeastTheta, kMaxTheta);
  return !key.empty() && config.has(key) ? read_number(config, key, kLeastTheta, kMaxTheta) : fallback;
}

// Of a head's dimensions.
std::int64_t read_rotary_dim(const JsonObject& config, const JsonObject& rope, const RopeRules& rules,
                             std::int64_t head_dim) {
  if (rules.partial_key.empty()) return head_dim;
  const bool inside = rope.has(kPartial);
  const JsonObject& holder = inside ? rope : config;
  const std::string_view key = inside ? kPartial : rules.partial_key;
  const double share = holder.has(key) ? read_number(holder, key, kLeastPositive, 1) : rules.partial;
  const auto rotary_dim = static_cast<std::int64_t>(static_cast<double>(head_dim) * share);
  if (rotary_dim < 2 || rotary_dim % 2 != 0) {
    throw InputError("{}: {} of the {} dimensions of a head are rotated, expected an even number from 2",
                     holder.where(key), rotary_dim, head_dim);
  }
  return rotary_dim;
}

// Where both stand, transformers takes the one outside the RoPE object.
std::int64_t original_positions(const JsonObject& config, const JsonObject& rope,
                                std::int64_t max_positions) {
  constexpr std::string_view key = "original_max_position_embeddings";
  return read_size(config, key, kMaxPositions, read_size(rope, key, kMaxPositions, max_positions));
}

void read_yarn(const JsonObject& rope, std::int64_t max_positions, RopeSpec& spec) {
  spec.factor = rope.has("factor")
                    ? positive(rope, "factor")
                    : static_cast<double>(max_positions) / static_cast<double>(spec.original_max_positions);
  if (rope.has("attention_factor")) spec.attention_factor = positive(rope, "attention_factor");
  spec.beta_fast = non_zero(rope, "beta_fast").value_or(32.0);
  spec.beta_slow = non_zero(rope, "beta_slow").value_or(1.0);
  spec.mscale = non_zero(rope, "mscale");
  spec.mscale_all_dim = non_zero(rope, "mscale_all_dim");
  spec.truncate = rope.boolean("truncate", true);
}

void read_llama3(const JsonObject& rope, RopeSpec& spec) {
  spec.factor = positive(rope, "factor");
  spec.low_freq_factor = positive(rope, "low_freq_factor");
  spec.high_freq_factor = positive(rope, "high_freq_factor");
  if (spec.high_freq_factor <= spec.low_freq_factor) {
    throw InputError("{} is {}, expected more than low_freq_factor, {}", rope.where("high_freq_factor"),
                     spec.high_freq_factor, spec.low_freq_factor);
  }
}

std::vector<double> read_factors(const JsonObject& rope, std::string_view key, std::int64_t pairs) {
  const Json* list = rope.find(key);
  if (list == nullptr || !list->is_array() || std::cmp_not_equal(list->size(), pairs)) {
    throw InputError("{} must list a factor for each of the {} rotated pairs", rope.where(key), pairs);
  }
  std::vector<double> factors;
  for (const Json& factor : *list) {
    if (!factor.is_number() || factor.get<double>() < kLeastPositive || factor.get<double>() > kMaxFactor) {
      throw InputError("{}/{} is {}, expected a number from {} to {}", rope.where(key), factors.size(),
                       escape_for_terminal(to_line(factor)), kLeastPositive, kMaxFactor);
    }
    factors.push_back(factor.get<double>());
  }
  return factors;
}

void read_longrope(const JsonObject& rope, std::int64_t max_positions, std::int64_t rotary_dim,
                   RopeSpec& spec) {
  spec.factor = rope.has("factor")
                    ? positive(rope, "factor")
                    : static_cast<double>(max_positions) / static_cast<double>(spec.original_max_positions);
  if (rope.has("attention_factor")) spec.attention_factor = positive(rope, "attention_factor");
  spec.short_factors = read_factors(rope, "short_factor", rotary_dim / 2);
  spec.long_factors = read_factors(rope, "long_factor", rotary_dim / 2);
}

// Phi-3's count stands at the top level only.
std::int64_t longrope_original(const JsonObject& config, const JsonObject& rope, const RopeRules& rules,
                               std::int64_t max_positions) {
  constexpr std::int64_t kPhi3 = 4096;
  if (!rules.phi3) return original_positions(config, rope, max_positions);
  return read_size(config, "original_max_position_embeddings", kMaxPositions, kPhi3);
}

RopeSpec read_global(const JsonObject& config, const JsonObject& rope, const RopeRules& rules,
                     std::int64_t max_positions, std::int64_t rotary_dim) {
  RopeSpec spec;
  spec.kind = kind_of(rope, rules).kind;
  spec.theta = read_theta(config, rope, rules.theta_key, rules.theta);
  spec.original_max_positions = max_positions;
  switch (spec.kind) {
    case RopeSpec::Kind::kDefault:
      break;
    case RopeSpec::Kind::kLinear:
    case RopeSpec::Kind::kDynamic:
      spec.factor = positive(rope, "factor");
      break;
    case RopeSpec::Kind::kYarn:
      spec.original_max_positions = original_positions(config, rope, max_positions);
      read_yarn(rope, max_positions, spec);
      break;
    case RopeSpec::Kind::kLlama3:
      spec.original_max_positions = original_positions(config, rope, max_positions);
      read_llama3(rope, spec);
      break;
    case RopeSpec::Kind::kLongRope:
      spec.original_max_positions = longrope_original(config, rope, rules, max_positions);
      read_longrope(rope, max_positions, rotary_dim, spec);
      break;
  }
  return spec;
}

RopeSpec read_local(const JsonObject& config, const RopeRules& rules) {
  const JsonObject rope = find_rope(config, kLocalLayers).rope;
  if (kind_of(rope, rules).kind != RopeSpec::Kind::kDefault) {
    throw InputError("{}: layers with a window are rotated unscaled, found another kind",
                     rope.where("rope_type"));
  }
  RopeSpec spec;
  spec.theta = read_theta(config, rope, rules.local_theta_key, *rules.local_theta);
  return spec;
}

// Appends what is unknown in one RoPE object.
void check_object(const Found& found, const RopeRules& rules, std::vector<std::string>& unknown) {
  const Keys keys = kind_of(found.rope, rules).keys;
  for (const auto& [key, value] : found.rope.raw().items()) {
    if (std::ranges::count(keys, key) > 0 || std::ranges::count(kEvery, key) > 0) continue;
    if (key == kPartial && !rules.partial_key.empty()) continue;
    if (is_unsupported(kUnsupported, found.rope, key)) continue;
    unknown.push_back(fmt::format("{}/{}", found.key, key));
  }
}

}  // namespace

void read_rope(const JsonObject& config, const RopeRules& rules, DecoderSpec& spec) {
  const JsonObject rope = find_rope(config, global_layers(rules)).rope;
  spec.rotary_dim = read_rotary_dim(config, rope, rules, spec.head_dim);
  spec.rope = read_global(config, rope, rules, spec.max_positions, spec.rotary_dim);
  if (spec.rope.kind == RopeSpec::Kind::kDynamic && spec.rotary_dim < 4) {
    throw InputError("{}: dynamic RoPE rotates from 4 dimensions of a head on, these have {}",
                     rope.where("rope_type"), spec.rotary_dim);
  }
  if (rules.local_theta) spec.local_rope = read_local(config, rules);
}

std::vector<std::string> check_rope_keys(const JsonObject& config, const RopeRules& rules) {
  std::vector<std::string> unknown;
  check_object(find_rope(config, global_layers(rules)), rules, unknown);
  if (rules.local_theta) check_object(find_rope(config, kLocalLayers), rules, unknown);
  return unknown;
}

}  // namespace hrt
