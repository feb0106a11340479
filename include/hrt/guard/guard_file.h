#pragma once

#include <filesystem>
#include <string>

#include "hrt/guard/guard.h"
#include "hrt/tensor/safetensors.h"

namespace hrt {

// A guard as one safetensors file (docs/formats.md).
void write_guard(const std::filesystem::path& file, const Guard& guard);
// Throws InputError: no guard file, one of a later version, tensors or metadata that are not what they should
// be.
Guard read_guard(const std::filesystem::path& file);

// Whether a safetensors file with this metadata says that it is one.
bool is_guard(const Metadata& metadata);
bool holds_guard(const std::filesystem::path& file);

// {"kind": "none" | "platt" | "isotonic", ...}
Json calibration_json(const Calibration& calibration);

}  // namespace hrt
