#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "fake_tokenizer.h"
#include "hrt/base/error.h"
#include "hrt/text/chat_template.h"
#include "temporary_folder.h"

namespace hrt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class TemplateFileTest : public ::testing::Test {
 protected:
  ChatTemplate read(const std::string& text, const std::string& name = "own.json") {
    std::ofstream(temporary_.path() / name) << text;
    return read_template(temporary_.path() / name);
  }
  void expect_error(const std::string& text, const std::string& part) {
    EXPECT_THAT([&] { read(text); }, ThrowsMessage<InputError>(HasSubstr(part)));
  }
  std::optional<std::string> disagreement(const std::string& jinja, const ChatTemplate& chat) {
    std::ofstream(temporary_.path() / "chat_template.jinja") << jinja;
    return template_disagreement(temporary_.path(), chat);
  }

  const TemporaryFolder temporary_;
};

// Granite 3, which has no built-in template.
const std::string kGranite = R"({
  "source": "ibm-granite/granite-3.0-8b-instruct",
  "system": {"before": "<|start_of_role|>system<|end_of_role|>", "after": "<|end_of_text|>\n"},
  "user": {"before": "<|start_of_role|>user<|end_of_role|>", "after": "<|end_of_text|>\n"},
  "assistant": {"before": "<|start_of_role|>assistant<|end_of_role|>", "after": "<|end_of_text|>\n", "strip": true},
  "generation_prompt": "<|start_of_role|>assistant<|end_of_role|>",
  "markers": ["<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>"],
  "end_of_turn": ["<|end_of_text|>"]})";

TEST_F(TemplateFileTest, RendersWhatItSays) {
  const ChatTemplate chat = read(kGranite, "granite.json");
  EXPECT_EQ(chat.name(), "granite");
  EXPECT_THAT(chat.end_of_turn(), ElementsAre("<|end_of_text|>"));
  const auto prompt = chat.render({{"system", "S"}, {"user", " Q"}});
  EXPECT_EQ(prompt.text,
            "<|start_of_role|>system<|end_of_role|>S<|end_of_text|>\n"
            "<|start_of_role|>user<|end_of_role|> Q<|end_of_text|>\n"
            "<|start_of_role|>assistant<|end_of_role|>");
  EXPECT_EQ(prompt.text.substr(prompt.instruction.begin, prompt.instruction.size()), " Q");
  EXPECT_TRUE(chat.render({{"user", "Q"}, {"assistant", "A "}}).text.ends_with("<|end_of_role|>A"));
}

TEST_F(TemplateFileTest, SystemTextInTheUserTurn) {
  const ChatTemplate chat =
      read(R"({"bos": "<s>", "system": {"after": "\n\n"}, "system_place": "last_user_turn",
      "user": {"before": "[I]", "after": "[/I]", "strip": true}, "assistant": {"after": "</s>\n", "after_last": "</s>"},
      "ending": "<|over|>", "default_system": "S", "alternate": true})");
  EXPECT_EQ(chat.render({{"user", " A "}, {"assistant", "B"}, {"user", "C"}}).text,
            "<s>[I]A[/I]B</s>\n[I]S\n\nC[/I]");
  EXPECT_EQ(chat.render({{"user", "A"}, {"assistant", "B"}}, {.generation_prompt = false}).text,
            "<s>[I]A[/I]B</s><|over|>");
  EXPECT_THAT(chat.markers(), ElementsAre("<s>"));
  EXPECT_THROW(chat.render({{"user", "A"}, {"user", "B"}}), InputError);
}

TEST_F(TemplateFileTest, RefusesWhatIsNotOne) {
  const std::string turns = R"("user": {}, "assistant": {})";
  expect_error("[]", "own.json");
  expect_error(R"({"user": {}})", "/system");
  expect_error(R"({"system": {}, "user": {}})", "/assistant");
  expect_error(R"({"systm": {}, )" + turns + "}", "/systm is not known here, did you mean system?");
  expect_error(R"({"system": {"befor": ""}, )" + turns + "}",
               "/system/befor is not known here, did you mean before?");
  expect_error(R"({"system_place": "end", )" + turns + "}", "none of own_turn, start");
  expect_error(R"({"system": {}, "markers": [1], )" + turns + "}", "/markers: expected a list of tokens");
  expect_error(R"({"system": {}, "markers": "x", )" + turns + "}", "/markers");
  expect_error(R"({"system": {"strip": "both"}, )" + turns + "}", "/system/strip");
  EXPECT_THAT([&] { read(kGranite, "qwen3.json"); }, ThrowsMessage<InputError>(HasSubstr("built-in")));
}

TEST_F(TemplateFileTest, TheCheckpointsOwnTemplateMayDisagree) {
  const std::string qwen = "<|im_start|> enable_thinking last_query_index <|im_end|> <think> </think>";
  EXPECT_EQ(disagreement(qwen, template_by_name("qwen3")), std::nullopt);
  EXPECT_EQ(disagreement(qwen, template_by_name("raw")), std::nullopt);
  EXPECT_THAT(*disagreement(qwen, template_by_name("llama3")), HasSubstr("is qwen3, not llama3"));
  EXPECT_EQ(disagreement("<|start_of_role|> <|end_of_role|> <|end_of_text|>", read(kGranite)), std::nullopt);
  EXPECT_THAT(*disagreement("<|start_of_role|> eos_token", read(kGranite)),
              HasSubstr("does not name <|end_of_role|>, which template own writes"));
}

TEST_F(TemplateFileTest, TheSameTextMayHaveTwoNames) {
  EXPECT_EQ(disagreement("<start_of_turn> System role not supported", template_by_name("gemma2")),
            std::nullopt);
}

}  // namespace
}  // namespace hrt
