#include "config_values.h"

#include <algorithm>
#include <string>
#include <vector>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

struct NamedActivation {
  std::string_view name;
  Activation activation;
};

// transformers' ACT2FN, as far as decoders use it. Several names are one function computed in several ways.
constexpr NamedActivation kActivations[] = {
    {"silu", Activation::kSilu},
    {"swish", Activation::kSilu},
    {"gelu", Activation::kGelu},
    {"gelu_python", Activation::kGelu},
    {"gelu_pytorch_tanh", Activation::kGeluTanh},
    {"gelu_python_tanh", Activation::kGeluTanh},
    {"gelu_new", Activation::kGeluTanh},
    {"gelu_fast", Activation::kGeluTanh},
    {"gelu_accurate", Activation::kGeluTanh},
    {"relu", Activation::kRelu},
};

}  // namespace

std::int64_t read_size(const JsonObject& config, std::string_view key, std::int64_t most) {
  const std::int64_t value = config.integer(key);
  if (value < 1 || value > most) {
    throw InputError("{} is {}, expected a number from 1 to {}", config.where(key), value, most);
  }
  return value;
}

std::int64_t read_size(const JsonObject& config, std::string_view key, std::int64_t most,
                       std::int64_t fallback) {
  return config.has(key) ? read_size(config, key, most) : fallback;
}

double read_number(const JsonObject& config, std::string_view key, double least, double most) {
  const double value = config.number(key);
  if (value < least || value > most) {
    throw InputError("{} is {}, expected a number from {} to {}", config.where(key), value, least, most);
  }
  return value;
}

Activation read_activation(const JsonObject& config, std::string_view key, std::string_view fallback) {
  const std::string name = config.string(key, fallback);
  std::vector<std::string> known;
  for (const NamedActivation& row : kActivations) {
    if (row.name == name) return row.activation;
    known.emplace_back(row.name);
  }
  throw InputError("{}: hrt has no activation \"{}\", only {}", config.where(key), escape_for_terminal(name),
                   join(known, ", "));
}

bool is_unsupported(std::span<const UnsupportedKey> table, const JsonObject& object, const std::string& key,
                    std::string_view advice) {
  const auto row = std::ranges::find(table, key, &UnsupportedKey::key);
  if (row == table.end()) return false;
  const Json* value = object.find(key);
  if (value != nullptr && *value != Json::parse(row->neutral)) {
    throw InputError("{} is {}, but hrt supports only {} here{}", object.where(key),
                     escape_for_terminal(to_line(*value)), row->neutral, advice);
  }
  return true;
}

bool is_null(const JsonObject& config, std::string_view key) {
  const auto found = config.raw().find(std::string(key));
  return found != config.raw().end() && found->is_null();
}

}  // namespace hrt
