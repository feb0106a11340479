#include "hrt/text/regex.h"

#include <unicode/regex.h>

#include "hrt/base/error.h"

namespace hrt {
namespace {

// In ICU's steps of about a millisecond. Backtracking can take for ever.
constexpr std::int32_t kTimeLimit = 1000;

icu::UnicodeString wide(std::string_view text) {
  return icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())});
}

}  // namespace

struct Regex::Compiled {
  Compiled(std::string_view expression, std::string place) : where(std::move(place)) {
    UErrorCode status = U_ZERO_ERROR;
    UParseError error{};
    pattern.reset(icu::RegexPattern::compile(wide(expression), 0, error, status));
    if (U_FAILURE(status)) {
      throw InputError("{}: not a valid regular expression ({} near character {})", where,
                       u_errorName(status), error.offset);
    }
  }

  // The matcher refers to `text`.
  std::unique_ptr<icu::RegexMatcher> matcher(const icu::UnicodeString& text) const {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<icu::RegexMatcher> result(pattern->matcher(text, status));
    check(status);
    result->setTimeLimit(kTimeLimit, status);
    check(status);
    return result;
  }

  void check(UErrorCode status) const {
    if (U_FAILURE(status))
      throw InputError("{}: the regular expression failed ({})", where, u_errorName(status));
  }

  std::string where;
  std::unique_ptr<icu::RegexPattern> pattern;
};

Regex::Regex(std::string_view expression, std::string where)
    : compiled_(std::make_unique<Compiled>(expression, std::move(where))) {}
Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

bool Regex::matches(std::string_view text) const {
  const icu::UnicodeString input = wide(text);
  UErrorCode status = U_ZERO_ERROR;
  const bool matched = compiled_->matcher(input)->matches(status) != 0;
  compiled_->check(status);
  return matched;
}

std::optional<std::string> Regex::first_group(std::string_view text) const {
  const icu::UnicodeString input = wide(text);
  const auto matcher = compiled_->matcher(input);
  UErrorCode status = U_ZERO_ERROR;
  const bool matched = matcher->lookingAt(status) != 0;
  compiled_->check(status);
  if (!matched) return std::nullopt;
  std::string group;
  matcher->group(1, status).toUTF8String(group);
  compiled_->check(status);
  return group;
}

}  // namespace hrt
