#include "pattern.h"

#include <unicode/regex.h>

#include "hrt/base/error.h"
#include "unicode_text.h"

namespace hrt {
namespace {

// The largest text whose positions fit ICU's 32 bits.
constexpr std::size_t kMaxBytes = std::size_t{1} << 30;

class StringPattern : public Pattern {
 public:
  explicit StringPattern(std::string wanted) : wanted_(std::move(wanted)) {}

  std::vector<ByteSpan> find(std::string_view text, const std::vector<ByteSpan>& pieces) const override {
    std::vector<ByteSpan> matches;
    for (const ByteSpan& piece : pieces) {
      const std::string_view inside = text.substr(piece.begin, piece.size());
      for (std::size_t at = inside.find(wanted_); at != inside.npos; at = inside.find(wanted_, at)) {
        matches.push_back({piece.begin + at, piece.begin + at + wanted_.size()});
        at += wanted_.size();
      }
    }
    return matches;
  }

 private:
  std::string wanted_;
};

void check(UErrorCode status) {
  if (U_FAILURE(status)) throw RunError("regular expression failed: {}", u_errorName(status));
}

class RegexPattern : public Pattern {
 public:
  explicit RegexPattern(std::unique_ptr<icu::RegexPattern> pattern) : pattern_(std::move(pattern)) {}

  std::vector<ByteSpan> find(std::string_view text, const std::vector<ByteSpan>& pieces) const override {
    if (text.size() > kMaxBytes) throw InputError("a text of more than 1 GiB cannot be split into tokens");
    UErrorCode status = U_ZERO_ERROR;
    const auto wide = icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())});
    const std::unique_ptr<icu::RegexMatcher> matcher(pattern_->matcher(wide, status));
    check(status);
    matcher->setStackLimit(0, status);  // the default fails on long runs of white space
    std::vector<ByteSpan> matches;
    Utf16Cursor cursor(text);
    for (const ByteSpan& piece : pieces) {
      const std::int32_t begin = cursor.unit_at(piece.begin);
      matcher->region(begin, Utf16Cursor(cursor).unit_at(piece.end), status);
      while (matcher->find(status)) add_match(*matcher, cursor, matches);
      check(status);
    }
    return matches;
  }

 private:
  static void add_match(const icu::RegexMatcher& matcher, Utf16Cursor& cursor,
                        std::vector<ByteSpan>& matches) {
    UErrorCode status = U_ZERO_ERROR;
    const std::size_t begin = cursor.byte_at(matcher.start(status));
    const std::size_t end = cursor.byte_at(matcher.end(status));
    check(status);
    if (begin < end) matches.push_back({begin, end});
  }

  std::unique_ptr<icu::RegexPattern> pattern_;
};

}  // namespace

std::unique_ptr<Pattern> string_pattern(std::string wanted) {
  return std::make_unique<StringPattern>(std::move(wanted));
}

std::unique_ptr<Pattern> regex_pattern(std::string_view expression, const std::string& where) {
  UErrorCode status = U_ZERO_ERROR;
  UParseError place{};
  const auto wide =
      icu::UnicodeString::fromUTF8({expression.data(), static_cast<std::int32_t>(expression.size())});
  std::unique_ptr<icu::RegexPattern> compiled(icu::RegexPattern::compile(wide, 0, place, status));
  if (U_FAILURE(status)) {
    throw InputError("{}: not a valid regular expression ({} near character {})", where, u_errorName(status),
                     place.offset);
  }
  return std::make_unique<RegexPattern>(std::move(compiled));
}

std::unique_ptr<Pattern> read_pattern(const StepJson& step, const std::string& key) {
  const JsonObject pattern = step.fields.object(key);
  if (pattern.has("Regex")) return regex_pattern(pattern.string("Regex"), pattern.where("Regex"));
  const std::string wanted = pattern.string("String");
  if (wanted.empty()) step.refuse_value(key, "a non-empty String or a Regex");
  return string_pattern(wanted);
}

}  // namespace hrt
