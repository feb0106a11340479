#include "hrt/inspect/inspect_prompt.h"

#include <gmock/gmock.h>

#include "hrt/base/error.h"
#include "terminal_page.h"

namespace hrt {
namespace {

using test::fits_the_terminal;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

// A prompt as prepare_prompt would give it, from pieces of text and their parts.
InspectedPrompt prompt_of(const std::vector<std::pair<std::string, Part>>& tokens) {
  InspectedPrompt inspected{"p1", {}};
  TemplatedPrompt& prompt = inspected.prompt;
  prompt.rendered = "";
  for (const auto& [text, part] : tokens) {
    const auto index = static_cast<std::int64_t>(prompt.ids.size());
    prompt.ids.push_back(100 + index);
    prompt.spans.push_back({prompt.rendered->size(), prompt.rendered->size() + text.size()});
    prompt.parts.push_back(part);
    *prompt.rendered += text;
    if (part == Part::kInstruction) prompt.t_inst = index;
  }
  if (prompt.t_inst) {
    prompt.instruction = TokenRange{*prompt.t_inst, *prompt.t_inst + 1};
    prompt.t_post_inst = static_cast<std::int64_t>(prompt.ids.size()) - 1;
  }
  return inspected;
}

TEST(InspectPrompt, JsonIsTheContracts) {
  const InspectedPrompt p =
      prompt_of({{"<s>", Part::kBos}, {" H\u00e9?", Part::kInstruction}, {"\n", Part::kPostInstruction}});
  EXPECT_EQ(to_line(prompt_json(p)),
            "{\"id\":\"p1\",\"rendered\":\"<s> H\u00e9?\\n\",\"token_ids\":[100,101,102],"
            "\"spans\":[[0,3],[3,8],[8,9]],\"parts\":[\"bos\",\"instruction\",\"post_instruction\"],"
            "\"positions\":{\"t_inst\":1,\"t_post_inst\":2},\"straddle\":false,"
            "\"takes_leading_space\":false,\"doubled_bos\":false}");
}

TEST(InspectPrompt, EmptyInstructionsHaveNullPositions) {
  const InspectedPrompt p = prompt_of({{"<s>", Part::kBos}, {"\n", Part::kPostInstruction}});
  EXPECT_EQ(prompt_json(p).at("positions"), (Json{{"t_inst", nullptr}, {"t_post_inst", nullptr}}));
  const TextSetup text;
  EXPECT_THAT(token_page(p, text), HasSubstr("the instruction has no token"));
  EXPECT_THAT(prompts_page({p}, text), HasSubstr("1 prompt: no instruction token"));
}

TEST(InspectPrompt, TextWithoutATokenIsCounted) {
  InspectedPrompt p = prompt_of({{"a", Part::kInstruction}, {"b", Part::kPostInstruction}});
  EXPECT_THAT(token_page(p, TextSetup{}), Not(HasSubstr("no token")));
  *p.prompt.rendered += "??";
  p.prompt.spans.push_back({1, 2});  // a second token of the same character
  p.prompt.ids.push_back(7);
  p.prompt.parts.push_back(Part::kPostInstruction);
  EXPECT_THAT(token_page(p, TextSetup{}), HasSubstr("2 bytes of the text in no token"));
}

TEST(InspectPrompt, PromptsOfTokensHaveNoText) {
  PromptRecord record;
  record.id = "t";
  record.tokens = {5, 7};
  TextSetup text;
  text.chat = template_by_name("raw");
  const InspectedPrompt p = inspect_prompt(record, text);
  const Json json = prompt_json(p);
  EXPECT_TRUE(json.at("rendered").is_null() && json.at("spans").is_null());
  EXPECT_EQ(json.at("positions"), (Json{{"t_inst", 1}, {"t_post_inst", 1}}));
  EXPECT_THAT(token_page(p, text), HasSubstr("t_inst, t_post_inst"));
  text.chat = template_by_name("chatml");
  EXPECT_THAT([&] { inspect_prompt(record, text); }, ThrowsMessage<InputError>(HasSubstr("--template raw")));
}

TEST(InspectPrompt, PagesMarkPositionsAndEscapeText) {
  InspectedPrompt p = prompt_of({{"\x1b[2J", Part::kTemplate},
                                 {std::string(300, 'x'), Part::kInstruction},
                                 {"\n", Part::kPostInstruction}});
  p.prompt.straddle = true;
  const TextSetup text;
  for (const std::string& page : {token_page(p, text), prompts_page({p, p}, text)}) {
    fits_the_terminal(page);
    EXPECT_THAT(page, Not(HasSubstr("\x1b")));
  }
  EXPECT_THAT(token_page(p, text),
              AllOf(HasSubstr("\"\\x1b[2J\""), HasSubstr("instruction       t_inst       \"xxx"),
                    HasSubstr("post_instruction  t_post_inst  \"\\n\""),
                    HasSubstr("both sides of the instruction's edge")));
  EXPECT_THAT(prompts_page({p, p}, text),
              AllOf(HasSubstr("2 prompts: a token on both sides"), HasSubstr("straddle")));
}

}  // namespace
}  // namespace hrt
