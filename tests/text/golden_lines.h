#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>

#include "hrt/text/tokenizer.h"

namespace hrt {

// Tests a tokenizer against a file of goldens, one JSON object a line: text, add_special, ids, byte_offsets,
// offsets (code points; both may be absent), decoded, decoded_skip_special. Lines whose text is in `skipped`
// are left out.
void expect_goldens(const Tokenizer& tokenizer, const std::filesystem::path& goldens,
                    const std::set<std::string>& skipped = {});

}  // namespace hrt
