#include "hrt/text/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <iomanip>
#include <sstream>

#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/json.h"
#include "test_data.h"

namespace hrt {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

std::vector<Message> messages_of(const Json& golden) {
  std::vector<Message> messages;
  for (const Json& message : golden["messages"]) messages.push_back({message["role"], message["content"]});
  return messages;
}

// Noon of a day, YYYY-MM-DD, local time.
std::time_t time_of(const std::string& day) {
  std::tm time{};
  std::istringstream(day) >> std::get_time(&time, "%Y-%m-%d");
  time.tm_hour = 12;
  time.tm_isdst = -1;
  return std::mktime(&time);
}

TemplateOptions options_of(const Json& golden, const ChatTemplate& chat) {
  TemplateOptions options;
  if (golden.value("now", Json()).is_string())
    options.args = clock_args(chat.spec(), time_of(golden["now"].get<std::string>()));
  for (const auto& [key, value] : golden["kwargs"].items()) {
    if (key == "add_generation_prompt") {
      options.generation_prompt = value.get<bool>();
    } else if (key != "continue_final_message") {  // always true, which generation_prompt means as well
      options.args[key] = value.is_boolean() ? to_line(value) : value.get<std::string>();
    }
  }
  return options;
}

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

void check_golden(const Json& golden) {
  SCOPED_TRACE(golden["family"].get<std::string>() + " " + golden["case"].get<std::string>());
  const ChatTemplate chat = template_by_name(golden["family"].get<std::string>());
  if (golden["rendered"].is_null()) {
    EXPECT_THROW(chat.render(messages_of(golden), options_of(golden, chat)), InputError);
    return;
  }
  const RenderedPrompt prompt = chat.render(messages_of(golden), options_of(golden, chat));
  EXPECT_EQ(prompt.text, golden["rendered"].get<std::string>());
  EXPECT_EQ(code_points(prompt.text.substr(0, prompt.instruction.begin)), golden["instruction_span"][0]);
  EXPECT_EQ(code_points(prompt.text.substr(0, prompt.instruction.end)), golden["instruction_span"][1]);
}

// Returns how many lines are of a family that this version has.
int check_goldens(const std::filesystem::path& file) {
  const std::vector<std::string> names = template_names();
  std::istringstream lines(read_file(file));
  int checked = 0;
  for (std::string line; std::getline(lines, line);) {
    const Json golden = parse_json(line, file.string());
    if (std::find(names.begin(), names.end(), golden["family"].get<std::string>()) == names.end()) continue;
    check_golden(golden);
    ++checked;
  }
  return checked;
}

TEST(ChatTemplate, RendersAsTransformersDoes) {
  EXPECT_EQ(check_goldens(std::filesystem::path(HRT_SOURCE_DIR) / "tests/text/data/templates.jsonl"), 267);
}

TEST(GoldensChatTemplate, RendersAllAsTransformersDoes) {
  const auto file = large_test_data() / "templates/goldens.jsonl";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is absent";
  EXPECT_EQ(check_goldens(file), 558);
}

// "PART:text" for each piece.
std::vector<std::string> pieces_of(const RenderedPrompt& prompt) {
  std::vector<std::string> pieces;
  std::size_t end = 0;
  for (const Piece& piece : prompt.pieces) {
    EXPECT_EQ(piece.span.begin, end) << "pieces must not leave gaps";
    end = piece.span.end;
    pieces.push_back(std::string(part_name(piece.part)) + ":" +
                     prompt.text.substr(piece.span.begin, piece.span.size()));
  }
  EXPECT_EQ(end, prompt.text.size());
  return pieces;
}

TEST(ChatTemplate, SaysWhatEveryPieceIs) {
  const std::vector<Message> messages = {{"system", "S"}, {"user", "A "}, {"assistant", "B"}, {"user", "C"}};
  EXPECT_THAT(pieces_of(template_by_name("llama2").render(messages)),
              ::testing::ElementsAre("bos:<s>", "template:[INST] ", "template:<<SYS>>\n", "system:S",
                                     "template:\n<</SYS>>\n\n", "history:A", "template: [/INST]",
                                     "template: ", "history:B", "template: </s>", "bos:<s>",
                                     "template:[INST] ", "instruction:C", "post_instruction: [/INST]"));
}

TEST(ChatTemplate, PrefillIsItsOwnPart) {
  const auto prompt =
      template_by_name("qwen2").render({{"user", "Q"}, {"assistant", "Sure"}}, {.system = ""});
  EXPECT_THAT(
      pieces_of(prompt),
      ::testing::ElementsAre("template:<|im_start|>system\n", "template:<|im_end|>\n",
                             "template:<|im_start|>user\n", "instruction:Q", "post_instruction:<|im_end|>\n",
                             "post_instruction:<|im_start|>assistant\n", "prefill:Sure"));
}

TEST(ChatTemplate, ContentsAreTheMessagesTexts) {
  const auto prompt =
      template_by_name("llama3").render({{"system", " S"}, {"user", "A "}, {"assistant", "B"}});
  std::string contents;
  for (const ByteSpan& span : prompt.contents) contents += prompt.text.substr(span.begin, span.size()) + "|";
  EXPECT_EQ(contents, "S|A|B|");
}

TEST(ChatTemplate, PlainChatMlFollowsABos) {
  EXPECT_EQ(template_by_name("chatml").render({{"user", "hi"}}).text,
            "<s><|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n");
}

TEST(ChatTemplate, SystemOptionYieldsToTheExchangesOwn) {
  const ChatTemplate chat = template_by_name("chatml");
  EXPECT_THAT(chat.render({{"user", "U"}}, {.system = "X"}).text,
              StartsWith("<s><|im_start|>system\nX<|im_end|>"));
  EXPECT_THAT(chat.render({{"system", "Y"}, {"user", "U"}}, {.system = "X"}).text,
              StartsWith("<s><|im_start|>system\nY<|im_end|>\n<|im_start|>user"));
}

TEST(ChatTemplate, EndsWithTheInstructionWithoutPostInstruction) {
  for (const char* name : {"llama2", "llama3.1", "qwen2.5", "smollm2", "chatml"}) {
    const auto prompt =
        template_by_name(name).render({{"user", "Q "}, {"assistant", "P"}}, {.post_instruction = false});
    EXPECT_EQ(prompt.instruction.end, prompt.text.size()) << name;
    EXPECT_EQ(prompt.pieces.back().part, Part::kInstruction) << name;
  }
}

TEST(ChatTemplate, LeavesTheOpeningBosOut) {
  const std::vector<Message> messages = {{"user", "A"}, {"assistant", "B"}, {"user", "C"}};
  EXPECT_EQ(template_by_name("llama2").render(messages, {.bos = false}).text,
            "[INST] A [/INST] B </s><s>[INST] C [/INST]");
  EXPECT_THAT(template_by_name("llama3").render(messages, {.bos = false}).text,
              StartsWith("<|start_header_id|>user"));
}

TEST(ChatTemplate, BlankTextInASystemBlockIsAnEmptyInstruction) {
  const auto prompt = template_by_name("llama2").render({{"system", "S"}, {"user", " \n"}});
  EXPECT_EQ(prompt.text, "<s>[INST] <<SYS>>\nS\n<</SYS>> [/INST]");
  EXPECT_EQ(prompt.instruction, (ByteSpan{28, 28}));
  EXPECT_EQ(pieces_of(prompt).back(), "post_instruction: [/INST]");
}

TEST(ChatTemplate, RawIsTheTextItself) {
  const auto prompt = template_by_name("raw").render({{"user", " <s> x\n"}});
  EXPECT_EQ(prompt.text, " <s> x\n");
  EXPECT_EQ(prompt.instruction, (ByteSpan{0, 7}));
  EXPECT_THROW(template_by_name("raw").render({{"system", "S"}, {"user", "U"}}), InputError);
  EXPECT_THROW(template_by_name("raw").render({{"user", "U"}}, {.system = "S"}), InputError);
}

TEST(ChatTemplate, RefusesWhatItCannotRender) {
  const ChatTemplate chat = template_by_name("llama3.1");
  EXPECT_THAT([&] { chat.render({{"system", "S"}}); }, ThrowsMessage<InputError>(HasSubstr("no user turn")));
  EXPECT_THAT([&] { chat.render({{"tool", "S"}}); }, ThrowsMessage<InputError>(HasSubstr("role \"tool\"")));
  EXPECT_THAT(
      [&] {
        chat.render({{"user", "U"}}, {.args = {{"date_strin", "x"}}});
      },
      ThrowsMessage<InputError>(HasSubstr("date_string")));
}

TEST(ChatTemplate, RefusesSystemTextsWhereItHasNoPlaceForThem) {
  EXPECT_THAT(
      [] {
        template_by_name("gemma").render({{"user", "U"}}, {.system = "S"});
      },
      ThrowsMessage<InputError>(HasSubstr("gemma takes no system text")));
  const std::vector<Message> late = {{"user", "U"}, {"system", "S"}, {"user", "V"}};
  EXPECT_THAT([&] { template_by_name("vicuna1.5").render(late); },
              ThrowsMessage<InputError>(HasSubstr("turn 2 is a system text, which may only come first")));
}

TEST(ChatTemplate, RefusesValuesThatAnArgumentDoesNotHave) {
  EXPECT_THAT(
      [] {
        template_by_name("qwen3").render({{"user", "U"}}, {.args = {{"enable_thinking", "no"}}});
      },
      ThrowsMessage<InputError>(HasSubstr("enable_thinking is true or false, not \"no\"")));
}

TEST(ChatTemplate, OnlyDatesComeFromTheClock) {
  EXPECT_EQ(clock_args(template_by_name("llama3.2").spec(), time_of("2025-03-09")),
            (std::map<std::string, std::string>{{"date_string", "09 Mar 2025"}}));
  EXPECT_EQ(clock_args(template_by_name("gpt-oss").spec(), time_of("2025-03-09")),
            (std::map<std::string, std::string>{{"date_string", "2025-03-09"}}));
  EXPECT_TRUE(clock_args(template_by_name("llama3.1").spec(), 0).empty());
}

TEST(ChatTemplate, TheThinkBlockIsTheTemplates) {
  const auto prompt =
      template_by_name("qwen3").render({{"user", "Q"}, {"assistant", "<think>\nhm\n</think>\n\nSure"}}, {});
  EXPECT_THAT(
      pieces_of(prompt),
      ::testing::ElementsAre("template:<|im_start|>user\n", "instruction:Q", "post_instruction:<|im_end|>\n",
                             "post_instruction:<|im_start|>assistant\n", "post_instruction:<think>\n",
                             "prefill:hm", "post_instruction:\n</think>\n\n", "prefill:Sure"));
}

TEST(ChatTemplate, OffersTheNearestName) {
  EXPECT_THAT(
      [] { template_by_name("llama-3"); },
      ThrowsMessage<InputError>(::testing::AllOf(HasSubstr("did you mean llama3"), HasSubstr("smollm2"))));
}

}  // namespace
}  // namespace hrt
