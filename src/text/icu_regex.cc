#include "icu_regex.h"

#include "hrt/base/error.h"

namespace hrt {
namespace {

// Those of tokenizers and adapters have some hundred bytes.
constexpr std::size_t kMaxExpression = std::size_t{1} << 16;

}  // namespace

icu::UnicodeString to_icu(std::string_view utf8) {
  return icu::UnicodeString::fromUTF8({utf8.data(), static_cast<std::int32_t>(utf8.size())});
}

std::unique_ptr<icu::RegexPattern> compile_regex(std::string_view expression, const std::string& where) {
  if (expression.size() > kMaxExpression) {
    throw InputError("{}: a regular expression of {} bytes, expected at most {}", where, expression.size(),
                     kMaxExpression);
  }
  UErrorCode status = U_ZERO_ERROR;
  UParseError place{};
  std::unique_ptr<icu::RegexPattern> compiled(
      icu::RegexPattern::compile(to_icu(expression), 0, place, status));
  if (U_FAILURE(status)) {
    throw InputError("{}: not a valid regular expression ({} near character {})", where, u_errorName(status),
                     place.offset);
  }
  return compiled;
}

void check_match(UErrorCode status, const std::string& where) {
  if (status == U_REGEX_TIME_OUT || status == U_REGEX_STACK_OVERFLOW)
    throw InputError("{}: a regular expression that takes too much time or memory on this text", where);
  if (U_FAILURE(status)) throw RunError("{}: the match failed ({})", where, u_errorName(status));
}

}  // namespace hrt
