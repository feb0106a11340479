#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "hrt/base/json.h"

namespace hrt {

// What a checkpoint folder holds, with the adapter if there is one: sizes, RoPE, windows, files, memory, stop
// tokens, tokenizer, the template that `auto` chooses and why (or why not), unknown config keys, fingerprint.
// Throws InputError when the checkpoint is one that hrt cannot run; a missing tokenizer is no error.
Json describe_checkpoint(const std::filesystem::path& folder,
                         const std::optional<std::filesystem::path>& adapter = {});

// The same of a folder that holds a tokenizer and no config.json. Throws InputError without a tokenizer.
Json describe_tokenizer_folder(const std::filesystem::path& folder);

// Either description as a page for people.
std::string checkpoint_page(const Json& description);

// The model types that hrt knows: [{model_type, title}].
Json describe_families();

}  // namespace hrt
