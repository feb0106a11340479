#pragma once

#include <filesystem>
#include <string>

#include "hrt/base/json.h"
#include "hrt/model/checkpoint.h"

namespace hrt {

// What a run's manifest says of its model: {path, family, parameters, layers, hidden, stored_dtype,
// unknown_config_keys, adapter (where there is one)}.
Json run_model(const Checkpoint& checkpoint);

// The same on a line, without the adapter.
std::string model_line(const Json& run_model);

// The fingerprint of a manifest's model; empty where it names none. A run that was judged again carries the
// identity of the run it was made from. Throws InputError "ORIGIN: /identity ...".
std::string stored_fingerprint(const Json& manifest, const std::string& origin);

// A sentence where the directions of a run were made on another model than `checkpoint` (its config, weights,
// tokenizer or adapter differ); else empty. Throws InputError when the run has no manifest of hrt's.
std::string model_difference(const std::filesystem::path& run, const Checkpoint& checkpoint);

}  // namespace hrt
