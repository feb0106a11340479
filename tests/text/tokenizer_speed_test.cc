#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "hrt/text/tokenizer.h"

namespace hrt {
namespace {

std::string repeated(const std::string& unit, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += unit;
  return text;
}

// The better of two runs, in seconds.
double seconds_to_encode(const Tokenizer& tokenizer, const std::string& text) {
  double best = 1e9;
  for (int run = 0; run < 2; ++run) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_FALSE(tokenizer.encode(text).ids.empty());
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    best = std::min(best, taken.count());
  }
  return best;
}

// Text that is one long word for some step, or that makes regular expressions go back. A quadratic step would
// take 100 times as long for 10 times the text.
class SlowTokenizer : public testing::TestWithParam<std::string> {};

TEST_P(SlowTokenizer, TakesNearlyLinearTime) {
  const auto tokenizer =
      open_tokenizer(std::filesystem::path(HRT_SOURCE_DIR) / "tests/text/data/tokenizers" / GetParam());
  for (const char* unit : {"a", " ", "\n", "😀", "0123456789", " \n", "e\u0301", "<|im_", "the Work "}) {
    const double small = seconds_to_encode(*tokenizer, repeated(unit, 100'000) + "x");
    const double large = seconds_to_encode(*tokenizer, repeated(unit, 1'000'000) + "x");
    EXPECT_LT(large, 35 * small + 0.1) << unit;
  }
}

INSTANTIATE_TEST_SUITE_P(SlowOf, SlowTokenizer,
                         testing::Values("llama3", "qwen2", "smollm2", "splits", "llama2", "llama2-metaspace",
                                         "gemma", "sentencepiece-bpe", "sentencepiece-chat"));

}  // namespace
}  // namespace hrt
