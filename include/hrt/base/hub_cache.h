#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace hrt {

// Whether a name that is no path of this machine may be a model's on the Hugging Face hub: ORG/NAME.
bool is_hub_name(std::string_view name);

// Where the Hugging Face libraries keep what they download: $HF_HUB_CACHE, else $HF_HOME/hub, else
// ${XDG_CACHE_HOME:-~/.cache}/huggingface/hub.
std::filesystem::path hub_cache();

// ORG/NAME of a snapshot's folder, .../models--ORG--NAME/snapshots/COMMIT; empty for any other path.
std::string cached_name(const std::filesystem::path& folder);

// The folder of ORG/NAME in that cache, at the revision `main`. Nothing is downloaded: InputError, saying
// where it looked, when it is not there.
std::filesystem::path cached_model(std::string_view name);

}  // namespace hrt
