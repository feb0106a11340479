#include "hrt/text/tokenizer.h"

#include <filesystem>

#include "hrt/base/error.h"
#include "hrt/text/tokenizer_files.h"
#include "json_tokenizer.h"
#include "merges_folder.h"
#include "sentencepiece_tokenizer.h"
#include "unicode_text.h"

namespace hrt {

std::vector<CodePointSpan> code_point_spans(std::string_view text, const std::vector<ByteSpan>& spans) {
  const auto begins_char = [&](std::size_t at) {
    return at >= text.size() || (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
  };
  std::vector<std::size_t> begun(text.size() + 1);  // characters that begin before each byte
  for (std::size_t at = 0; at < text.size(); ++at) begun[at + 1] = begun[at] + (begins_char(at) ? 1 : 0);
  std::vector<CodePointSpan> result;
  result.reserve(spans.size());
  for (const ByteSpan& span : spans) {
    result.push_back({begun[span.begin] - (begins_char(span.begin) ? 0 : 1), begun[span.end]});
  }
  return result;
}

bool has_tokenizer(const std::filesystem::path& folder) {
  return std::filesystem::exists(folder / "tokenizer.json") ||
         std::filesystem::exists(folder / "tokenizer.model") || is_merges_folder(folder);
}

std::unique_ptr<Tokenizer> open_tokenizer(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) {
    return path.extension() == ".json" ? open_json_tokenizer(path) : open_sentencepiece_tokenizer(path);
  }
  if (std::filesystem::exists(path / "tokenizer.json")) return open_json_tokenizer(path / "tokenizer.json");
  if (std::filesystem::exists(path / "tokenizer.model"))
    return open_sentencepiece_tokenizer(path / "tokenizer.model");
  if (is_merges_folder(path)) return open_merges_tokenizer(path);
  throw InputError("{}: no tokenizer.json, no tokenizer.model, no vocab.json with merges.txt", path.string());
}

}  // namespace hrt
