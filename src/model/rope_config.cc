#include "rope_config.h"

#include <algorithm>
#include <span>

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

// What the RoPE object of each kind may hold, beside kEvery.
struct Kind {
  std::string_view name;
  RopeSpec::Kind kind;
  Keys keys;
};
constexpr Kind kKinds[] = {{"default", RopeSpec::Kind::kDefault, {}},
                           {"dynamic", RopeSpec::Kind::kDynamic, kFactor},
                           {"linear", RopeSpec::Kind::kLinear, kFactor},
                           {"llama3", RopeSpec::Kind::kLlama3, kLlama3},
                           {"yarn", RopeSpec::Kind::kYarn, kYarn}};
// `finetuned` is a note of the first yarn models.
constexpr std::string_view kEvery[] = {"rope_type", "type", "rope_theta", "finetuned"};
// full_attention, sliding_attention: an object for each type of layer.
constexpr UnsupportedKey kUnsupported[] = {
    {"partial_rotary_factor", "1.0"}, {"full_attention", "null"}, {"sliding_attention", "null"}};

// transformers: an empty rope_scaling counts as none.
std::string_view object_key(const JsonObject& config) {
  const Json* scaling = config.find("rope_scaling");
  return scaling != nullptr && !scaling->empty() ? "rope_scaling" : "rope_parameters";
}

JsonObject rope_object(const JsonObject& config) {
  static const Json kEmpty = Json::object();
  const std::string_view key = object_key(config);
  return config.has(key) ? config.object(key) : JsonObject(kEmpty, config.origin(), fmt::format("/{}", key));
}

const Kind& kind_of(const JsonObject& rope) {
  const std::string_view key = rope.has("rope_type") ? "rope_type" : "type";
  const std::string name = rope.string(key, "default");
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

double read_theta(const JsonObject& config, const JsonObject& rope, double default_theta) {
  if (rope.has("rope_theta")) return read_number(rope, "rope_theta", kLeastTheta, kMaxTheta);
  return config.has("rope_theta") ? read_number(config, "rope_theta", kLeastTheta, kMaxTheta) : default_theta;
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

}  // namespace

RopeSpec read_rope(const JsonObject& config, std::int64_t max_positions, double default_theta) {
  const JsonObject rope = rope_object(config);
  RopeSpec spec;
  spec.kind = kind_of(rope).kind;
  spec.theta = read_theta(config, rope, default_theta);
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
  }
  return spec;
}

std::vector<std::string> check_rope_keys(const JsonObject& config) {
  const JsonObject rope = rope_object(config);
  const Keys keys = kind_of(rope).keys;
  std::vector<std::string> unknown;
  for (const auto& [key, value] : rope.raw().items()) {
    if (std::ranges::count(keys, key) > 0 || std::ranges::count(kEvery, key) > 0) continue;
    if (is_unsupported(kUnsupported, rope, key)) continue;
    unknown.push_back(fmt::format("{}/{}", object_key(config), key));
  }
  return unknown;
}

}  // namespace hrt
