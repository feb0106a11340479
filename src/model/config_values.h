#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "hrt/base/json.h"
#include "hrt/model/decoder_spec.h"
#include "hrt/model/families.h"

namespace hrt {

// Values of config.json, bounded: a size out of somebody's file decides how much is allocated. Each throws
// InputError with file and JSON pointer.

// Limits far above any model, and low enough that products of two sizes fit 63 bits.
inline constexpr std::int64_t kMaxLayers = 1 << 12;
inline constexpr std::int64_t kMaxWidth = 1 << 24;    // hidden, intermediate, heads, head_dim, vocabulary
inline constexpr std::int64_t kMaxExperts = 1 << 17;  // of all layers together
inline constexpr std::int64_t kMaxPositions = std::int64_t{1} << 32;

std::int64_t read_size(const JsonObject& config, std::string_view key, std::int64_t most);
std::int64_t read_size(const JsonObject& config, std::string_view key, std::int64_t most,
                       std::int64_t fallback);

// In [least, most].
double read_number(const JsonObject& config, std::string_view key, double least, double most);

Activation read_activation(const JsonObject& config, std::string_view key, std::string_view fallback);

// Written, with the value null: not always what absence means.
bool is_null(const JsonObject& config, std::string_view key);

// Whether `key` is in `table`. Throws InputError, which ends with `advice`, when it is and its value is
// neither null nor neutral.
bool is_unsupported(std::span<const UnsupportedKey> table, const JsonObject& object, const std::string& key,
                    std::string_view advice = "");

}  // namespace hrt
