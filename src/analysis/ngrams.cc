#include "hrt/analysis/ngrams.h"

#include <ATen/ops/zeros.h>

#include <string_view>
#include <vector>

namespace hrt {
namespace {

bool is_word_byte(unsigned char byte) {
  return byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
         (byte >= 'A' && byte <= 'Z');
}

char lower(char byte) { return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte; }

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char byte : text) {
    const bool part = is_word_byte(static_cast<unsigned char>(byte));
    if (part && !inside) words.emplace_back();
    if (part) words.back() += lower(byte);
    inside = part;
  }
  return words;
}

// FNV-1a, 64 bits.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3u;
  return hash;
}

}  // namespace

at::Tensor ngram_features(std::span<const std::string> texts, std::int64_t buckets) {
  const at::Tensor features = at::zeros({std::ssize(texts), buckets}, at::kDouble);
  double* row = features.mutable_data_ptr<double>();
  for (const std::string& text : texts) {
    std::string before;
    for (const std::string& word : words_of(text)) {
      row[hash_of(word) % static_cast<std::uint64_t>(buckets)] = 1;
      if (!before.empty()) row[hash_of(before + ' ' + word) % static_cast<std::uint64_t>(buckets)] = 1;
      before = word;
    }
    row += buckets;
  }
  return features;
}

}  // namespace hrt
