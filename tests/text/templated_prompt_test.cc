#include "hrt/text/templated_prompt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_tokenizer.h"
#include "hrt/base/error.h"
#include "test_data.h"

namespace hrt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const std::vector<std::string> kChatMl = {"<s>",         "<|im_start|>", "<|im_end|>", "user\n",
                                          "assistant\n", "hi",           "?\n",        "\nhi"};

TemplatedPrompt chatml(const std::string& text, const PromptOptions& options = {}) {
  return prepare_prompt(FakeTokenizer(kChatMl), template_by_name("chatml"), {{"user", text}}, options);
}

std::vector<std::string> parts_of(const TemplatedPrompt& prompt) {
  std::vector<std::string> parts;
  for (const Part part : prompt.parts) parts.emplace_back(part_name(part));
  return parts;
}

TEST(TemplatedPrompt, FindsThePositionsAndNamesEveryToken) {
  const TemplatedPrompt prompt = chatml("hi!");
  EXPECT_THAT(prompt.ids,
              ElementsAre(0, 1, 3, 5, FakeTokenizer::byte_id('!'), 2, FakeTokenizer::byte_id('\n'), 1, 4));
  EXPECT_THAT(parts_of(prompt),
              ElementsAre("bos", "template", "template", "instruction", "instruction", "post_instruction",
                          "post_instruction", "post_instruction", "post_instruction"));
  EXPECT_EQ(prompt.instruction, (TokenRange{3, 5}));
  EXPECT_EQ(prompt.t_inst, 4);
  EXPECT_EQ(prompt.t_post_inst, 8);
  EXPECT_FALSE(prompt.straddle);
  EXPECT_FALSE(prompt.takes_leading_space);
  EXPECT_EQ(token_text(prompt, 4), "!");
}

TEST(TemplatedPrompt, AFrameStandsAroundTheInstruction) {
  PromptOptions options;
  options.chat.frame = Frame{"hi ", "\n", "Bad?"};
  const TemplatedPrompt prompt = chatml("hi!", options);
  EXPECT_EQ(prompt.rendered, "<s><|im_start|>user\nhi hi!\nBad?<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(prompt.instruction, (TokenRange{5, 7}));
  EXPECT_EQ(prompt.t_inst, 6);
  EXPECT_EQ(prompt.question, (TokenRange{8, 12}));
  EXPECT_EQ(prompt.user_begin, 3);
  EXPECT_THAT(parts_of(prompt),
              ElementsAre("bos", "template", "template", "template", "template", "instruction", "instruction",
                          "template", "question", "question", "question", "question", "post_instruction",
                          "post_instruction", "post_instruction", "post_instruction"));
  options.chat.post_instruction = false;
  EXPECT_TRUE(chatml("hi!", options).rendered->ends_with("\nBad?"));
}

// With `raw` a frame is all of the template.
TEST(TemplatedPrompt, MarkersInAFrameAreTokens) {
  PromptOptions options;
  options.chat.frame = Frame{"<|im_start|>user\n", "<|im_end|>", "?\n"};
  const TemplatedPrompt prompt =
      prepare_prompt(FakeTokenizer(kChatMl), template_by_name("raw"), {{"user", "<|im_end|>"}}, options);
  EXPECT_EQ(prompt.instruction, (TokenRange{2, 12}));
  EXPECT_EQ(prompt.ids.front(), 1);
  EXPECT_EQ(prompt.ids.at(12), 2);
}

TEST(TemplatedPrompt, MarkersInTheInstructionArePlainText) {
  EXPECT_EQ(chatml("<|im_end|>").instruction->size(), 10);
  EXPECT_EQ(chatml("<|im_end|>", {.parse_special = true}).instruction->size(), 1);
}

// "raw text" as the post-instruction side needs a template that writes a plain newline after the instruction.
ChatTemplate newline_after() {
  return ChatTemplate({.name = "lines", .user = {"Q: ", "\n"}, .generation_prompt = "A:"});
}

TEST(TemplatedPrompt, AStraddlingTokenIsTheLastOfTheInstruction) {
  const TemplatedPrompt prompt =
      prepare_prompt(FakeTokenizer({"Q: ", "?\n", "A:"}), newline_after(), {{"user", "x?"}});
  EXPECT_TRUE(prompt.straddle);
  EXPECT_EQ(prompt.instruction, (TokenRange{1, 3}));
  EXPECT_EQ(token_text(prompt, *prompt.t_inst), "?\n");
  EXPECT_THAT(parts_of(prompt), ElementsAre("template", "instruction", "instruction", "post_instruction"));
}

TEST(TemplatedPrompt, ATokenThatTakesInTheTemplatesSpaceIsNoStraddle) {
  const TemplatedPrompt prompt =
      prepare_prompt(FakeTokenizer({"Q:", " x"}), newline_after(), {{"user", "x?"}});
  EXPECT_FALSE(prompt.straddle);
  EXPECT_TRUE(prompt.takes_leading_space);
  EXPECT_EQ(prompt.instruction, (TokenRange{1, 3}));
}

TEST(TemplatedPrompt, ATokenThatTakesInMoreThanSpaceStraddles) {
  const TemplatedPrompt prompt =
      prepare_prompt(FakeTokenizer({"Q", ": x"}), newline_after(), {{"user", "x?"}});
  EXPECT_TRUE(prompt.straddle);
  EXPECT_FALSE(prompt.takes_leading_space);
}

// Sentencepiece gives the bytes of one character no width, except for the last.
class ByteFallback : public FakeTokenizer {
 public:
  ByteFallback() : FakeTokenizer({}) {}
  Encoding encode(std::string_view, const EncodeOptions&) const override {
    return {{1, 2, 3, 4, 5}, {{0, 3}, {3, 3}, {3, 5}, {5, 5}, {5, 7}}};
  }
};

TEST(TemplatedPrompt, BytesWithoutWidthBelongToTheirCharacter) {
  const ChatTemplate chat({.name = "any", .user = {"abc", "\xc3\xa9"}});
  const TemplatedPrompt prompt = prepare_prompt(ByteFallback(), chat, {{"user", "\xc3\xa9"}});
  EXPECT_EQ(prompt.instruction, (TokenRange{1, 3}));
  EXPECT_THAT(parts_of(prompt),
              ElementsAre("template", "instruction", "instruction", "post_instruction", "post_instruction"));
}

TEST(TemplatedPrompt, AnEmptyInstructionHasNoPositions) {
  const TemplatedPrompt prompt = chatml("");
  EXPECT_FALSE(prompt.instruction || prompt.t_inst || prompt.t_post_inst);
  EXPECT_EQ(prompt.ids.size(), 7U);
}

TEST(TemplatedPrompt, RawTakesTheTokenizersBos) {
  const ChatTemplate raw = template_by_name("raw");
  const TemplatedPrompt prompt = prepare_prompt(FakeTokenizer(kChatMl, 0), raw, {{"user", "hihi"}});
  EXPECT_THAT(prompt.ids, ElementsAre(0, 5, 5));
  EXPECT_THAT(parts_of(prompt), ElementsAre("bos", "instruction", "instruction"));
  EXPECT_EQ(prompt.t_inst, 2);
  EXPECT_EQ(prompt.t_post_inst, 2);
  EXPECT_THAT(prepare_prompt(FakeTokenizer(kChatMl), raw, {{"user", "hi"}}).ids, ElementsAre(5));
  EXPECT_THAT(prepare_prompt(FakeTokenizer(kChatMl, 0), raw, {{"user", "hi"}}, {.bos = BosMode::kNever}).ids,
              ElementsAre(5));
}

TEST(TemplatedPrompt, RawSaysWhenTheTextBringsAnotherBos) {
  const FakeTokenizer tokenizer(kChatMl, 0);
  const ChatTemplate raw = template_by_name("raw");
  const auto doubled = prepare_prompt(tokenizer, raw, {{"user", "<s>hi"}}, {.parse_special = true});
  EXPECT_THAT(doubled.ids, ElementsAre(0, 0, 5));
  EXPECT_TRUE(doubled.doubled_bos);
  EXPECT_FALSE(prepare_prompt(tokenizer, raw, {{"user", "<s>hi"}}).doubled_bos);
  const PromptOptions always{.bos = BosMode::kAlways, .parse_special = true};
  EXPECT_THAT(prepare_prompt(tokenizer, raw, {{"user", "<s>hi"}}, always).ids, ElementsAre(0, 5));
}

TEST(TemplatedPrompt, ATemplatesBosIsNeverDoubled) {
  const ChatTemplate chat = template_by_name("chatml");
  for (const BosMode mode : {BosMode::kAuto, BosMode::kAlways}) {
    const auto prompt = prepare_prompt(FakeTokenizer(kChatMl, 0), chat, {{"user", "hi"}}, {.bos = mode});
    EXPECT_THAT((std::vector(prompt.ids.begin(), prompt.ids.begin() + 2)), ElementsAre(0, 1));
  }
  EXPECT_EQ(chatml("hi", {.bos = BosMode::kNever}).ids.front(), 1);
}

TEST(TemplatedPrompt, AlwaysAddsABosThatTheTemplateLacks) {
  std::vector<std::string> pieces = kChatMl;
  const auto prompt = prepare_prompt(FakeTokenizer(pieces, 0), template_by_name("qwen2"), {{"user", "hi"}},
                                     {.bos = BosMode::kAlways});
  EXPECT_THAT((std::vector(prompt.ids.begin(), prompt.ids.begin() + 2)), ElementsAre(0, 1));
  EXPECT_EQ(prompt.parts.front(), Part::kBos);
  EXPECT_EQ(prompt.spans.front(), ByteSpan{});
  EXPECT_EQ(token_text(prompt, *prompt.t_inst), "hi");
}

TEST(TemplatedPrompt, RefusesABosThatIsNotThere) {
  EXPECT_THAT(
      [] {
        prepare_prompt(FakeTokenizer({}), template_by_name("chatml"), {{"user", "hi"}});
      },
      ThrowsMessage<InputError>(HasSubstr("does not read its BOS \"<s>\"")));
  EXPECT_THAT(
      [] {
        prepare_prompt(FakeTokenizer({}), template_by_name("raw"), {{"user", "hi"}},
                       {.bos = BosMode::kAlways});
      },
      ThrowsMessage<InputError>(HasSubstr("--bos always")));
}

TEST(TemplatedPrompt, IdsNeedNoTokenizer) {
  const TemplatedPrompt prompt = prompt_from_ids({7, 8, 9});
  EXPECT_EQ(prompt.t_inst, 2);
  EXPECT_EQ(prompt.t_post_inst, 2);
  EXPECT_EQ(prompt.instruction, (TokenRange{0, 3}));
  EXPECT_EQ(prompt.rendered, std::nullopt);
  EXPECT_EQ(token_text(prompt, 0), std::nullopt);
}

TEST(TemplatedPrompt, MissingMarkersAreNamed) {
  EXPECT_THAT(missing_markers(FakeTokenizer({"<s>", "<|im_end|>"}), template_by_name("chatml")),
              ElementsAre("<|im_start|>"));
}

// Real vocabularies.

std::unique_ptr<Tokenizer> real_tokenizer(const std::string& name) {
  const auto folder = large_test_data() / "tokenizers" / name;
  return std::filesystem::exists(folder) ? open_tokenizer(folder) : nullptr;
}

struct PostInstruction {
  const char* tokenizer;
  const char* chat;
  std::vector<std::int64_t> ids;
};

TEST(GoldensTemplatedPrompt, PostInstructionTokensAreThoseOfTheFamily) {
  const std::vector<PostInstruction> cases = {{"llama3", "llama3", {128009, 128006, 78191, 128007, 271}},
                                              {"llama3", "llama3.1", {128009, 128006, 78191, 128007, 271}},
                                              {"llama3", "llama3.2", {128009, 128006, 78191, 128007, 271}},
                                              {"qwen2", "qwen3", {151645, 198, 151644, 77091, 198}},
                                              {"qwen2", "qwen2", {151645, 198, 151644, 77091, 198}},
                                              {"qwen2", "qwen2.5", {151645, 198, 151644, 77091, 198}},
                                              {"llama2", "llama2", {518, 29914, 25580, 29962}}};
  for (const PostInstruction& expected : cases) {
    const auto tokenizer = real_tokenizer(expected.tokenizer);
    if (!tokenizer) GTEST_SKIP() << "the large vocabularies are absent";
    const auto prompt =
        prepare_prompt(*tokenizer, template_by_name(expected.chat), {{"user", "How do I bake bread?"}});
    EXPECT_EQ((std::vector(prompt.ids.begin() + *prompt.t_inst + 1, prompt.ids.end())), expected.ids)
        << expected.chat;
    EXPECT_EQ(token_text(prompt, *prompt.t_inst), "?") << expected.chat;
    EXPECT_FALSE(prompt.straddle) << expected.chat;
    EXPECT_EQ(prompt.takes_leading_space, std::string_view(expected.chat) == "llama2");
  }
}

TEST(GoldensTemplatedPrompt, InjectedMarkersStayPlainText) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"llama3", "<|eot_id|>"}, {"qwen2", "<|im_end|>"}, {"llama2", "</s>"}};
  for (const auto& [name, marker] : cases) {
    const auto tokenizer = real_tokenizer(name);
    if (!tokenizer) GTEST_SKIP() << "the large vocabularies are absent";
    const std::vector<Message> messages = {{"user", "a" + marker + "b"}};
    const std::int64_t id = tokenizer->id_of(marker).value();
    const auto count = [&](const TemplatedPrompt& prompt) {
      return std::count(prompt.ids.begin() + prompt.instruction->begin,
                        prompt.ids.begin() + prompt.instruction->end, id);
    };
    const ChatTemplate chat = template_by_name(name);
    EXPECT_EQ(count(prepare_prompt(*tokenizer, chat, messages)), 0) << name;
    EXPECT_EQ(count(prepare_prompt(*tokenizer, chat, messages, {.parse_special = true})), 1) << name;
  }
}

TEST(GoldensTemplatedPrompt, ABareModelReadsWhatTheTemplateWrites) {
  const auto tokenizer = real_tokenizer("llama2.tokenizer.model");  // no tokenizer_config.json beside it
  if (!tokenizer) GTEST_SKIP() << "the large vocabularies are absent";
  const auto prompt = prepare_prompt(*tokenizer, template_by_name("llama2"), {{"user", "a <s> b"}});
  EXPECT_EQ(prompt.ids.front(), 1);
  EXPECT_EQ(std::count(prompt.ids.begin(), prompt.ids.end(), 1), 1);
}

TEST(GoldensTemplatedPrompt, PlainNewlineAfterAQuestionMarkStraddles) {
  for (const char* name : {"llama3", "qwen2"}) {
    const auto tokenizer = real_tokenizer(name);
    if (!tokenizer) GTEST_SKIP() << "the large vocabularies are absent";
    const auto prompt = prepare_prompt(*tokenizer, newline_after(), {{"user", "Why?"}});
    EXPECT_TRUE(prompt.straddle) << name;
    EXPECT_EQ(token_text(prompt, *prompt.t_inst), "?\n") << name;
  }
}

}  // namespace
}  // namespace hrt
