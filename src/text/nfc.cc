#include "nfc.h"

#include <unicode/bytestream.h>
#include <unicode/edits.h>
#include <unicode/normalizer2.h>
#include <unicode/uniset.h>

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

// Which characters of the input those of a changed stretch stand for: the first takes up the difference in
// number (it was composed out of several, or decomposed into several), the others follow one by one. The
// library counts in the same way.
void align_changed(const AlignedText& before, ByteSpan from, std::string_view changed, AlignedText& result) {
  std::vector<ByteSpan> sources;
  for (std::size_t at = from.begin; at < from.end; at += char_length(before.text[at])) {
    sources.push_back(before.origin[at]);
  }
  std::vector<std::string_view> characters;
  for (std::size_t at = 0; at < changed.size(); at += char_length(changed[at])) {
    characters.push_back(changed.substr(at, char_length(changed[at])));
  }
  const std::size_t extra = characters.size() - std::min(characters.size(), sources.size());
  const std::size_t missing = sources.size() - std::min(characters.size(), sources.size());
  for (std::size_t i = 0; i < characters.size(); ++i) {
    const std::size_t source = i <= extra ? 0 : i - extra;
    result.append(characters[i], sources[i == 0 ? 0 : source + missing]);
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
      align_changed(text, from, std::string_view(composed).substr(to, length), result);
    } else {
      result.append(text, from);
    }
  }
  check(status);
  return result;
}

}  // namespace hrt
