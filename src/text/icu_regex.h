#pragma once

#include <unicode/regex.h>

#include <memory>
#include <string>
#include <string_view>

namespace hrt {

icu::UnicodeString to_icu(std::string_view utf8);

// A regular expression out of somebody's file. Throws InputError, naming it by `where`, when it is broken or
// longer than any that has a use.
std::unique_ptr<icu::RegexPattern> compile_regex(std::string_view expression, const std::string& where);

// Throws InputError when the match took too much time or memory, and RunError when it failed otherwise.
void check_match(UErrorCode status, const std::string& where);

}  // namespace hrt
