#include "nfc.h"

#include <unicode/bytestream.h>
#include <unicode/edits.h>
#include <unicode/normalizer2.h>
#include <unicode/uniset.h>

#include <algorithm>
#include <vector>

#include "hrt/base/error.h"
#include "unicode_text.h"

namespace hrt {
namespace {

void check(UErrorCode status) {
  if (U_FAILURE(status)) throw RunError("Unicode normalization failed: {}", u_errorName(status));
}

const icu::Normalizer2& nfc_of_unicode_9() {
  static const icu::FilteredNormalizer2* const kNormalizer = [] {
    UErrorCode status = U_ZERO_ERROR;
    const auto* nfc = icu::Normalizer2::getNFCInstance(status);
    auto* characters = new icu::UnicodeSet(UNICODE_STRING_SIMPLE("[:age=9.0:]"), status);
    characters->freeze();
    check(status);
    return new icu::FilteredNormalizer2(*nfc, *characters);  // lives as long as the process
  }();
  return *kNormalizer;
}

std::vector<std::string_view> characters_of(std::string_view text) {
  std::vector<std::string_view> characters;
  for (std::size_t at = 0; at < text.size(); at += characters.back().size()) {
    characters.push_back(text.substr(at, char_length(text[at])));
  }
  return characters;
}

// Appends what a changed stretch became. Behind the characters that stayed, the first one takes up the
// difference in number (it was composed out of several, or decomposed into several); the others follow one by
// one. The tokenizers library counts in the same way.
void append_changed(const AlignedText& before, ByteSpan from, std::string_view changed, AlignedText& result) {
  const auto old = characters_of(std::string_view(before.text).substr(from.begin, from.size()));
  const auto now = characters_of(changed);
  const auto kept = static_cast<std::size_t>(
      std::mismatch(old.begin(), old.end(), now.begin(), now.end()).first - old.begin());
  const std::size_t more = now.size() > old.size() ? now.size() - old.size() : 0;
  const std::size_t fewer = old.size() > now.size() ? old.size() - now.size() : 0;
  std::size_t source = 0;
  std::size_t byte = from.begin;  // where old[source] begins
  for (std::size_t i = 0; i < now.size(); ++i) {
    const std::size_t wanted = i <= kept ? i : i <= kept + more ? kept : i - more + fewer;
    for (; source < wanted; ++source) byte += old[source].size();
    result.append(now[i], before.origin[byte]);
  }
}

}  // namespace

AlignedText nfc(AlignedText text) {
  const icu::Normalizer2& normalizer = nfc_of_unicode_9();
  UErrorCode status = U_ZERO_ERROR;
  if (normalizer.isNormalizedUTF8(text.text, status) && U_SUCCESS(status)) return text;

  std::string composed;
  icu::StringByteSink<std::string> sink(&composed);
  icu::Edits edits;
  normalizer.normalizeUTF8(0, text.text, sink, &edits, status);
  check(status);

  AlignedText result;
  result.reserve(composed.size());
  for (auto edit = edits.getFineIterator(); edit.next(status);) {
    const auto source = static_cast<std::size_t>(edit.sourceIndex());
    const ByteSpan from{source, source + static_cast<std::size_t>(edit.oldLength())};
    if (edit.hasChange()) {
      const auto to = static_cast<std::size_t>(edit.destinationIndex());
      const auto length = static_cast<std::size_t>(edit.newLength());
      append_changed(text, from, std::string_view(composed).substr(to, length), result);
    } else {
      result.append(text, from);
    }
  }
  check(status);
  return result;
}

}  // namespace hrt
