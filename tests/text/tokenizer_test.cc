#include "hrt/text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "golden_lines.h"
#include "temporary_folder.h"

namespace hrt {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

std::filesystem::path small_tokenizer(const std::string& name) {
  return std::filesystem::path(HRT_SOURCE_DIR) / "tests/text/data/tokenizers" / name;
}

// A tokenizer of each structure, trained by tools/dev/make_tokenizers.py.
class SmallTokenizer : public testing::TestWithParam<std::string> {};

TEST_P(SmallTokenizer, EncodesAndDecodesAsTheOriginalLibrary) {
  const std::filesystem::path folder = small_tokenizer(GetParam());
  expect_goldens(*open_tokenizer(folder), folder / "goldens.jsonl");
}

TEST_P(SmallTokenizer, SpellsEveryTokenAndFindsItAgain) {
  const auto tokenizer = open_tokenizer(small_tokenizer(GetParam()));
  ASSERT_GT(tokenizer->size(), 100);
  for (std::int64_t id = 0; id < tokenizer->size(); ++id) {
    const auto piece = tokenizer->piece(id);
    ASSERT_TRUE(piece) << id;
    EXPECT_EQ(tokenizer->id_of(*piece), id);
  }
  EXPECT_EQ(tokenizer->piece(-1), std::nullopt);
  EXPECT_EQ(tokenizer->piece(tokenizer->size()), std::nullopt);
  EXPECT_EQ(tokenizer->id_of("no such piece"), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Structures, SmallTokenizer,
                         testing::Values("llama3", "qwen2", "smollm2", "splits", "behaviors", "prefix-space",
                                         "merges", "llama2", "llama2-metaspace", "metaspace-always", "gemma",
                                         "sentencepiece-bpe", "sentencepiece-unigram", "sentencepiece-chat"));

// Special tokens, and whether the text around them is the template's or plain.
class Markers : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Tokenizer> tokenizer_ = open_tokenizer(small_tokenizer(GetParam()));
  const std::string text_ = "<|im_start|>a <|im_start|>b<|im_end|>";
  const std::int64_t start_ = tokenizer_->id_of("<|im_start|>").value();
  const std::int64_t end_ = tokenizer_->id_of("<|im_end|>").value();
};

TEST_P(Markers, AreTokensInTemplateText) {
  const Encoding encoding = tokenizer_->encode(text_);
  EXPECT_EQ(std::count(encoding.ids.begin(), encoding.ids.end(), start_), 2);
  EXPECT_EQ(encoding.ids.back(), end_);
  EXPECT_TRUE(tokenizer_->is_special(start_));
}

TEST_P(Markers, ArePlainTextInPlainSpans) {
  const Encoding encoding = tokenizer_->encode(text_, {.plain = {{12, 27}}});
  EXPECT_EQ(encoding.ids.front(), start_);
  EXPECT_EQ(std::count(encoding.ids.begin(), encoding.ids.end(), start_), 1);
  EXPECT_EQ(encoding.ids.back(), end_);
  EXPECT_EQ(tokenizer_->decode(encoding.ids, false), text_);
  std::size_t covered = 0;  // every byte belongs to a token
  for (const ByteSpan& span : encoding.spans) {
    EXPECT_EQ(span.begin, covered);
    covered = span.end;
  }
  EXPECT_EQ(covered, text_.size());
}

TEST_P(Markers, AreNotMadeAcrossTheEndOfAPlainSpan) {
  const Encoding encoding = tokenizer_->encode("<|im_start|>", {.plain = {{4, 12}}});
  EXPECT_THAT(encoding.ids, Not(Contains(start_)));
}

INSTANTIATE_TEST_SUITE_P(Structures, Markers,
                         testing::Values("llama3", "qwen2", "smollm2", "sentencepiece-chat"));

TEST(Tokenizer, OtherAddedTokensMatchInPlainSpansUnlessTheTemplateWritesThem) {
  const auto tokenizer = open_tokenizer(small_tokenizer("splits"));
  const std::int64_t line_break = tokenizer->id_of("<br>").value();
  EXPECT_FALSE(tokenizer->is_special(line_break));
  EXPECT_THAT(tokenizer->encode("<br>", {.plain = {{0, 4}}}).ids, ElementsAre(line_break));
  EXPECT_THAT(tokenizer->encode("<br>", {.plain = {{0, 4}}, .markers = {"<br>"}}).ids,
              Not(Contains(line_break)));
  EXPECT_THAT(tokenizer->encode("<br>", {.markers = {"<br>"}}).ids, ElementsAre(line_break));
}

TEST(Tokenizer, NormalizedAddedTokensKnowPlainSpansToo) {
  const auto tokenizer = open_tokenizer(small_tokenizer("splits"));
  const std::int64_t norm = tokenizer->id_of("NORM").value();
  const EncodeOptions second_is_plain{.plain = {{5, 9}}, .markers = {"NORM"}};
  const Encoding encoding = tokenizer->encode("NORM NORM", second_is_plain);
  EXPECT_EQ(encoding.ids.front(), norm);
  EXPECT_EQ(std::count(encoding.ids.begin(), encoding.ids.end(), norm), 1);
}

TEST(Tokenizer, UserDefinedPiecesThatAreNoMarkersMatchInPlainSpans) {
  const auto tokenizer = open_tokenizer(small_tokenizer("sentencepiece-chat"));
  EXPECT_THAT(tokenizer->encode("\n", {.plain = {{0, 1}}}).ids, ElementsAre(tokenizer->id_of("\n").value()));
}

// The pieces of "a<s>a</s>a" under a tokenizer_config.json.
std::vector<std::string> pieces_under(const std::string& config) {
  const TemporaryFolder folder;
  std::filesystem::copy(small_tokenizer("sentencepiece-bpe") / "tokenizer.model", folder.path());
  folder.write("tokenizer_config.json", config);
  const auto tokenizer = open_tokenizer(folder.path());
  std::vector<std::string> pieces;
  for (const std::int64_t id : tokenizer->encode("a<s>a</s>a", {.add_special = true}).ids) {
    pieces.push_back(tokenizer->piece(id).value());
  }
  return pieces;
}

TEST(Tokenizer, FlagsOfASentencePieceModelMeanWhatTheyMeanInTransformers) {
  const std::string names = R"("bos_token": "<s>", "eos_token": {"content": "</s>"}, )";
  EXPECT_THAT(pieces_under("{" + names + R"("add_eos_token": true})"),
              ElementsAre("<s>", "▁a", "<s>", "▁a", "</s>", "▁a", "</s>"));
  EXPECT_THAT(pieces_under("{" + names + R"("legacy": false})"),
              ElementsAre("<s>", "▁a", "<s>", "a", "</s>", "a"));
  EXPECT_THAT(
      pieces_under("{" + names + R"("legacy": false, "add_prefix_space": false, "add_bos_token": false})"),
      ElementsAre("a", "<s>", "a", "</s>", "a"));
}

TEST(Tokenizer, RawBosComesFromThePostProcessorOrTheModel) {
  const auto bos_of = [](const std::string& name) {
    const auto tokenizer = open_tokenizer(small_tokenizer(name));
    return tokenizer->raw_bos() ? tokenizer->piece(*tokenizer->raw_bos()) : std::nullopt;
  };
  EXPECT_EQ(bos_of("llama3"), "<|begin|>");
  EXPECT_EQ(bos_of("llama2"), "<s>");
  EXPECT_EQ(bos_of("qwen2"), std::nullopt);
  EXPECT_EQ(bos_of("smollm2"), std::nullopt);
  EXPECT_EQ(bos_of("sentencepiece-bpe"), "<s>");
}

TEST(Tokenizer, DecodingLeavesUnknownIdsOut) {
  for (const char* name : {"llama3", "sentencepiece-bpe"}) {
    const auto tokenizer = open_tokenizer(small_tokenizer(name));
    std::vector<std::int64_t> ids = tokenizer->encode("the Work").ids;
    ids.insert(ids.begin() + 1, {-1, 1'000'000'000'000});
    EXPECT_EQ(tokenizer->decode(ids, false), "the Work");
  }
}

TEST(Tokenizer, SaysWhatItIs) {
  EXPECT_EQ(open_tokenizer(small_tokenizer("smollm2"))->describe(),
            "tokenizer.json: byte-level BPE, 500 pieces, 3 added, Digits + ByteLevel");
  EXPECT_EQ(open_tokenizer(small_tokenizer("sentencepiece-chat"))->describe(),
            "tokenizer.model: sentencepiece, 500 pieces, 5 added, not legacy");
}

TEST(CodePointSpans, CountCharacters) {
  const std::string text = "aé😀b";
  EXPECT_THAT(code_point_spans(text, {{0, 1}, {1, 3}, {3, 7}, {7, 8}, {0, 0}, {8, 8}, {0, 8}}),
              ElementsAre(CodePointSpan{0, 1}, CodePointSpan{1, 2}, CodePointSpan{2, 3}, CodePointSpan{3, 4},
                          CodePointSpan{0, 0}, CodePointSpan{4, 4}, CodePointSpan{0, 4}));
}

TEST(CodePointSpans, CountACharacterInThatAnEndLiesIn) {
  EXPECT_THAT(code_point_spans("é😀", {{1, 2}, {0, 4}, {4, 5}}),
              ElementsAre(CodePointSpan{0, 1}, CodePointSpan{0, 2}, CodePointSpan{1, 2}));
}

}  // namespace
}  // namespace hrt
