#include "pattern.h"

#include "hrt/base/error.h"
#include "icu_regex.h"
#include "unicode_text.h"

namespace hrt {
namespace {

// The largest text whose positions fit ICU's 32 bits.
constexpr std::size_t kMaxBytes = std::size_t{1} << 30;

// What a match may cost, so that an expression of somebody else's cannot hold the process: ICU counts in
// ticks of 10,000 steps back that it keeps. Tokenizers' expressions keep some ten a byte.
constexpr std::int32_t kTicks = 1000;
constexpr std::int32_t kBytesPerTick = 10;
// ICU's stack holds twice as many bytes as it is told, and ignores what is larger than this.
constexpr std::int32_t kStackBytes = (1 << 30) - 8;

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

class RegexPattern : public Pattern {
 public:
  RegexPattern(std::unique_ptr<icu::RegexPattern> pattern, std::string where)
      : pattern_(std::move(pattern)), where_(std::move(where)) {}

  std::vector<ByteSpan> find(std::string_view text, const std::vector<ByteSpan>& pieces) const override {
    if (text.size() > kMaxBytes) throw InputError("a text of more than 1 GiB cannot be split into tokens");
    UErrorCode status = U_ZERO_ERROR;
    const icu::UnicodeString wide = to_icu(text);
    const std::unique_ptr<icu::RegexMatcher> matcher(pattern_->matcher(wide, status));
    check_match(status, where_);
    matcher->setStackLimit(kStackBytes, status);  // the default fails on long runs of white space
    std::vector<ByteSpan> matches;
    Utf16Cursor cursor(text);
    for (const ByteSpan& piece : pieces) {
      const std::int32_t begin = cursor.unit_at(piece.begin);
      matcher->region(begin, Utf16Cursor(cursor).unit_at(piece.end), status);
      matcher->setTimeLimit(kTicks + static_cast<std::int32_t>(piece.size()) / kBytesPerTick, status);
      while (matcher->find(status)) add_match(*matcher, cursor, matches);
      check_match(status, where_);
    }
    return matches;
  }

 private:
  void add_match(const icu::RegexMatcher& matcher, Utf16Cursor& cursor,
                 std::vector<ByteSpan>& matches) const {
    UErrorCode status = U_ZERO_ERROR;
    const std::size_t begin = cursor.byte_at(matcher.start(status));
    const std::size_t end = cursor.byte_at(matcher.end(status));
    check_match(status, where_);
    if (begin < end) matches.push_back({begin, end});
  }

  std::unique_ptr<icu::RegexPattern> pattern_;
  std::string where_;
};

}  // namespace

std::unique_ptr<Pattern> string_pattern(std::string wanted) {
  return std::make_unique<StringPattern>(std::move(wanted));
}

std::unique_ptr<Pattern> regex_pattern(std::string_view expression, const std::string& where) {
  return std::make_unique<RegexPattern>(compile_regex(expression, where), where);
}

std::unique_ptr<Pattern> read_pattern(const StepJson& step, const std::string& key) {
  const JsonObject pattern = step.fields.object(key);
  if (pattern.has("Regex")) return regex_pattern(pattern.string("Regex"), pattern.where("Regex"));
  const std::string wanted = pattern.string("String");
  if (wanted.empty()) step.refuse_value(key, "a non-empty String or a Regex");
  return string_pattern(wanted);
}

}  // namespace hrt
