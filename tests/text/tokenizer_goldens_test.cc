#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <set>
#include <string>

#include "golden_lines.h"
#include "hrt/base/paths.h"
#include "hrt/text/tokenizer.h"
#include "test_data.h"

namespace hrt {
namespace {

struct Family {
  std::string goldens;  // NAME.jsonl
  std::string file;     // a folder with a tokenizer.json, or a .model
};

void PrintTo(const Family& family, std::ostream* out) { *out << family.goldens; }

std::string name_of(const testing::TestParamInfo<Family>& family) {
  std::string name = family.param.goldens;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

// Large vocabularies lie beside their goldens, or where `tools/fetch` puts them.
std::filesystem::path find_family(const std::string& file) {
  const std::filesystem::path beside = large_test_data() / "tokenizers" / file;
  return std::filesystem::exists(beside) ? beside : cache_dir() / file;
}

// Two ways to cut "#####" have the same score here; sentencepiece 0.1 and 0.2 choose differently.
const std::set<std::string> kTies = {"----- ***** ##### /////"};

class GoldensTokenizer : public testing::TestWithParam<Family> {};

TEST_P(GoldensTokenizer, EncodesAndDecodesAsTheOriginalLibrary) {
  const auto goldens = large_test_data() / "tokenizers/goldens" / (GetParam().goldens + ".jsonl");
  const auto file = find_family(GetParam().file);
  if (!std::filesystem::exists(goldens)) GTEST_SKIP() << "no " << goldens;
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no " << file;
  const bool is_unigram = GetParam().goldens == "unigram.model";
  expect_goldens(*open_tokenizer(file), goldens, is_unigram ? kTies : std::set<std::string>{});
}

INSTANTIATE_TEST_SUITE_P(GoldensOf, GoldensTokenizer,
                         testing::Values(Family{"llama3", "llama3"}, Family{"qwen2", "qwen2"},
                                         Family{"smollm2", "smollm2"}, Family{"gemma3", "gemma3"},
                                         Family{"gptoss", "gptoss"}, Family{"deepseek_v3", "deepseek_v3"},
                                         Family{"llama2", "llama2"},
                                         Family{"llama2-metaspace", "llama2-metaspace"},
                                         Family{"gemma-like", "gemma-like"},
                                         Family{"llama2.model", "llama2.tokenizer.model"},
                                         Family{"unigram.model", "unigram.tokenizer.model"}),
                         name_of);

}  // namespace
}  // namespace hrt
