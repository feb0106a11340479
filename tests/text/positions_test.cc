#include "hrt/text/positions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hrt/base/error.h"

namespace hrt {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Ten tokens, the instruction is [3, 6).
TemplatedPrompt ten_tokens() {
  TemplatedPrompt prompt;
  prompt.ids.resize(10);
  prompt.instruction = TokenRange{3, 6};
  prompt.t_inst = 5;
  prompt.t_post_inst = 9;
  return prompt;
}

std::optional<TokenRange> at(std::string_view name) { return resolve(parse_position(name), ten_tokens()); }

TEST(Positions, ResolveToTokens) {
  EXPECT_EQ(at("t_inst"), (TokenRange{5, 6}));
  EXPECT_EQ(at("t_inst+1"), (TokenRange{6, 7}));
  EXPECT_EQ(at("t_inst-5"), (TokenRange{0, 1}));
  EXPECT_EQ(at("t_post_inst"), (TokenRange{9, 10}));
  EXPECT_EQ(at("t_post_inst-4"), (TokenRange{5, 6}));
  EXPECT_EQ(at("0"), (TokenRange{0, 1}));
  EXPECT_EQ(at("9"), (TokenRange{9, 10}));
  EXPECT_EQ(at("-4"), (TokenRange{6, 7}));
}

TEST(Positions, ResolveToSpans) {
  EXPECT_EQ(at("instruction"), (TokenRange{3, 6}));
  EXPECT_EQ(at("post_instruction"), (TokenRange{6, 10}));
  EXPECT_EQ(at("prompt"), (TokenRange{0, 10}));
  EXPECT_TRUE(parse_position("prompt").is_span());
  EXPECT_FALSE(parse_position("-1").is_span());
}

TEST(Positions, AreAbsentOutsideThePrompt) {
  for (const char* name : {"t_inst+5", "t_inst-6", "t_post_inst-10", "10", "-11"}) {
    EXPECT_EQ(at(name), std::nullopt) << name;
  }
}

TEST(Positions, AreAbsentWithoutInstruction) {
  TemplatedPrompt prompt;
  prompt.ids.resize(4);
  for (const char* name : {"t_inst", "t_inst+1", "t_post_inst", "instruction", "post_instruction"}) {
    EXPECT_EQ(resolve(parse_position(name), prompt), std::nullopt) << name;
  }
  EXPECT_EQ(resolve(parse_position("prompt"), prompt), (TokenRange{0, 4}));
}

TEST(Positions, RawHasNoPostInstruction) {
  EXPECT_EQ(resolve(parse_position("post_instruction"), prompt_from_ids({1, 2})), std::nullopt);
}

TEST(Positions, KeepTheNameAsAsked) {
  const auto specs = parse_positions({"t_inst", "-4", "t_inst+0"});
  EXPECT_EQ(specs[1].name, "-4");
  EXPECT_EQ(specs[2].name, "t_inst+0");
}

TEST(Positions, RefuseWhatTheyDoNotKnow) {
  for (const char* name :
       {"", "t_inst+", "t_inst+-1", "t_inst1", "t_post_inst+1", "+1", "--1", "1.5", "t_inst 1",
        "99999999999999999999", "prompt+1", "t_resp-1", "t_resp+", "response+1"}) {
    EXPECT_THROW(parse_position(name), InputError) << name;
  }
  EXPECT_THAT([] { parse_position("t_instr"); }, ThrowsMessage<InputError>(HasSubstr("did you mean t_inst")));
  EXPECT_THAT(
      [] {
        parse_positions({"t_inst", "t_inst"});
      },
      ThrowsMessage<InputError>(HasSubstr("asked twice")));
  EXPECT_THROW(parse_positions({}), InputError);
}

TEST(Positions, OfTheReplyCountOnFromThePrompt) {
  const auto of_reply = [](std::string_view name, std::int64_t tokens) {
    const PositionSpec spec = parse_position(name);
    EXPECT_TRUE(spec.in_reply()) << name;
    return resolve(spec, ten_tokens(), tokens);
  };
  EXPECT_EQ(of_reply("t_resp", 3), (TokenRange{10, 11}));
  EXPECT_EQ(of_reply("t_resp+0", 3), (TokenRange{10, 11}));
  EXPECT_EQ(of_reply("t_resp+2", 3), (TokenRange{12, 13}));
  EXPECT_EQ(of_reply("t_resp+3", 3), std::nullopt);
  EXPECT_EQ(of_reply("response", 3), (TokenRange{10, 13}));
  for (const char* name : {"t_resp", "response"}) EXPECT_EQ(of_reply(name, 0), std::nullopt) << name;
  EXPECT_TRUE(parse_position("response").is_span());
  EXPECT_FALSE(parse_position("t_resp+1").is_span());
}

TEST(Positions, OfThePromptDoNotReachIntoTheReply) {
  for (const char* name : {"10", "t_inst+5"}) {
    EXPECT_FALSE(parse_position(name).in_reply()) << name;
    EXPECT_EQ(resolve(parse_position(name), ten_tokens(), 3), std::nullopt) << name;
  }
  EXPECT_EQ(resolve(parse_position("-1"), ten_tokens(), 3), (TokenRange{9, 10}));
  EXPECT_EQ(resolve(parse_position("prompt"), ten_tokens(), 3), (TokenRange{0, 10}));
}

TEST(Positions, SayWhenTheyLeaveTheirPart) {
  TemplatedPrompt prompt;  // two tokens before the instruction, three in it, two after it
  prompt.ids.resize(7);
  prompt.instruction = TokenRange{2, 5};
  prompt.t_inst = 4;
  prompt.t_post_inst = 6;
  for (const char* inside : {"t_inst", "t_inst-2", "t_inst+2", "t_post_inst-1", "0", "-7", "instruction"}) {
    EXPECT_FALSE(leaves_its_part(parse_position(inside), prompt)) << inside;
  }
  for (const char* outside : {"t_inst-3", "t_inst-4", "t_post_inst-2", "t_post_inst-6"}) {
    EXPECT_TRUE(leaves_its_part(parse_position(outside), prompt)) << outside;
  }
  EXPECT_FALSE(leaves_its_part(parse_position("t_post_inst-1"), prompt_from_ids({1, 2, 3})));
}

}  // namespace
}  // namespace hrt
