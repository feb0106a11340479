#include "hrt/text/regex.h"

#include "icu_regex.h"

namespace hrt {
namespace {

// In ICU's steps of about a millisecond. Backtracking can take for ever.
constexpr std::int32_t kTimeLimit = 1000;

}  // namespace

struct Regex::Compiled {
  // The matcher refers to `text`.
  std::unique_ptr<icu::RegexMatcher> matcher(const icu::UnicodeString& text) const {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<icu::RegexMatcher> result(pattern->matcher(text, status));
    check_match(status, where);
    result->setTimeLimit(kTimeLimit, status);
    check_match(status, where);
    return result;
  }

  std::string where;
  std::unique_ptr<icu::RegexPattern> pattern = {};
};

Regex::Regex(std::string_view expression, std::string where)
    : compiled_(std::make_unique<Compiled>(where, compile_regex(expression, where))) {}
Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

bool Regex::matches(std::string_view text) const {
  const icu::UnicodeString input = to_icu(text);
  UErrorCode status = U_ZERO_ERROR;
  const bool matched = compiled_->matcher(input)->matches(status) != 0;
  check_match(status, compiled_->where);
  return matched;
}

std::optional<std::string> Regex::first_group(std::string_view text) const {
  const icu::UnicodeString input = to_icu(text);
  const auto matcher = compiled_->matcher(input);
  UErrorCode status = U_ZERO_ERROR;
  const bool matched = matcher->lookingAt(status) != 0;
  check_match(status, compiled_->where);
  if (!matched) return std::nullopt;
  std::string group;
  matcher->group(1, status).toUTF8String(group);
  check_match(status, compiled_->where);
  return group;
}

}  // namespace hrt
