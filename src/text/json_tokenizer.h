#pragma once

#include <filesystem>
#include <memory>

#include "hrt/text/tokenizer.h"

namespace hrt {

// A tokenizer.json with a BPE model, as it stands. Its "truncation" and "padding" are for batches of a
// trainer and are not applied. Throws InputError.
std::unique_ptr<Tokenizer> open_json_tokenizer(const std::filesystem::path& file);

// A folder with vocab.json and merges.txt (merges_folder.h).
std::unique_ptr<Tokenizer> open_merges_tokenizer(const std::filesystem::path& folder);

}  // namespace hrt
