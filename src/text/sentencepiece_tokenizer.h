#pragma once

#include <filesystem>
#include <memory>

#include "hrt/text/tokenizer.h"

namespace hrt {

// A sentencepiece model, with the tokenizer_config.json beside it if there is one. Throws InputError.
std::unique_ptr<Tokenizer> open_sentencepiece_tokenizer(const std::filesystem::path& file);

}  // namespace hrt
