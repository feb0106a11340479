#pragma once

#include <filesystem>

#include "hrt/base/json.h"

namespace hrt {

// A folder with vocab.json and merges.txt and no tokenizer.json, as GPT-2 was published: the tokenizer.json
// that transformers would write for it, with the special tokens of tokenizer_config.json. Throws InputError,
// also for a tokenizer_class whose way of cutting text does not stand in these files.
bool is_merges_folder(const std::filesystem::path& folder);
Json read_merges_folder(const std::filesystem::path& folder);

}  // namespace hrt
