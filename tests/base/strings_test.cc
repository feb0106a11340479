#include "hrt/base/strings.h"

#include <gmock/gmock.h>

namespace hrt {
namespace {

using ::testing::ElementsAre;

constexpr auto kValid = std::string_view::npos;

TEST(Utf8, FindsTheFirstBrokenByte) {
  EXPECT_EQ(find_invalid_utf8(""), kValid);
  EXPECT_EQ(find_invalid_utf8("a\u00e9\u20ac\U0001F600\U0010FFFF"), kValid);
  EXPECT_EQ(find_invalid_utf8("ab\x80"), 2U);
  EXPECT_EQ(find_invalid_utf8("ab\xe2\x82"), 2U);        // cut off
  EXPECT_EQ(find_invalid_utf8("\xc1\xbf"), 0U);          // overlong
  EXPECT_EQ(find_invalid_utf8("\xe0\x9f\xbf"), 0U);      // overlong
  EXPECT_EQ(find_invalid_utf8("\xed\xa0\x80"), 0U);      // a surrogate
  EXPECT_EQ(find_invalid_utf8("\xf4\x90\x80\x80"), 0U);  // beyond U+10FFFF
  EXPECT_EQ(find_invalid_utf8("\xf5\x80\x80\x80"), 0U);
}

TEST(Utf8, MeasuresCharacters) {
  EXPECT_EQ(utf8_length(""), 0U);
  EXPECT_EQ(utf8_length("ab"), 1U);
  EXPECT_EQ(utf8_length("\u00e9b"), 2U);
  EXPECT_EQ(utf8_length("\u20ac"), 3U);
  EXPECT_EQ(utf8_length("\U0001F600"), 4U);
  EXPECT_EQ(utf8_length("\xbf"), 0U);
}

TEST(EscapeForTerminal, ShowsWhatWouldActOnTheTerminal) {
  EXPECT_EQ(escape_for_terminal("plain \u00e9 \U0001F600"), "plain \u00e9 \U0001F600");
  EXPECT_EQ(escape_for_terminal("a\n\r\tb"), "a\\n\\r\\tb");
  EXPECT_EQ(escape_for_terminal("\x1b[31m\x7f"), "\\x1b[31m\\x7f");
  EXPECT_EQ(escape_for_terminal("\u0085\u009b"), "\\x85\\x9b");  // C1: a control sequence introducer
  EXPECT_EQ(escape_for_terminal("\u202e\u2066\u061c"), "\\u202e\\u2066\\u061c");
  EXPECT_EQ(escape_for_terminal("a\xff\xe2\x82"), "a\\xff\\xe2\\x82");
  EXPECT_EQ(escape_for_terminal(std::string_view("\0", 1)), "\\x00");
}

TEST(EscapeForTerminal, ShowsWhatWouldNotBeSeen) {
  EXPECT_EQ(escape_for_terminal("a\u200bb\u00ad\u2060\ufeff"), "a\\u200bb\\xad\\u2060\\ufeff");
  EXPECT_EQ(escape_for_terminal("\u3164\U000e0041"), "\\u3164\\U000e0041");
  EXPECT_EQ(escape_for_terminal("a\u00a0b\u3000"), "a\\xa0b\\u3000");
  EXPECT_EQ(escape_for_terminal("e\u0301\u0308 \u2764\ufe0f"), "e\u0301\u0308 \u2764\ufe0f");
  EXPECT_EQ(escape_for_terminal("\"\u0301x"), "\"\\u0301x");
  EXPECT_EQ(escape_for_terminal("\u0301\u0301"), "\\u0301\\u0301");
}

TEST(EscapeForTerminal, LeavesWhatIsEscapedAlready) {
  const std::string once = escape_for_terminal("\x1b \u200b \U000e0041 \\n");
  EXPECT_EQ(escape_for_terminal(once), once);
}

TEST(TerminalWidth, CountsColumns) {
  EXPECT_EQ(terminal_width(""), 0U);
  EXPECT_EQ(terminal_width("ab\u00e9"), 3U);
  EXPECT_EQ(terminal_width("e\u0301"), 1U);
  EXPECT_EQ(terminal_width("\u6f22\u5b57\U0001F600"), 6U);
}

TEST(Nearest, OffersNamesThatAreNear) {
  const std::vector<std::string> names{"template", "system", "positions"};
  EXPECT_EQ(nearest("tempalte", names), "template");
  EXPECT_EQ(nearest("position", names), "positions");
  EXPECT_EQ(nearest("quantisation", names), "");
  EXPECT_EQ(did_you_mean("sistem", names), ", did you mean system?");
  EXPECT_EQ(did_you_mean("zzzzzz", names), "");
  EXPECT_EQ(did_you_mean("a", {"\x1b"}), ", did you mean \\x1b?");
}

TEST(Strings, SplitJoinTrim) {
  EXPECT_THAT(split("a,,b", ','), ElementsAre("a", "", "b"));
  EXPECT_THAT(split("", ','), ElementsAre(""));
  EXPECT_THAT(split_list("a, b ,c"), ElementsAre("a", "b", "c"));
  EXPECT_EQ(join({"a", "", "b"}, ", "), "a, , b");
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n "), "");
}

TEST(Human, Units) {
  EXPECT_EQ(counted(0, "prompt"), "0 prompts");
  EXPECT_EQ(counted(1, "reply"), "1 reply");
  EXPECT_EQ(counted(2, "reply"), "2 replies");
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1000), "1.0 kB");
  EXPECT_EQ(human_bytes(999'949), "999.9 kB");
  EXPECT_EQ(human_bytes(999'950), "1.0 MB");
  EXPECT_EQ(human_bytes(269'000'000), "269.0 MB");
  EXPECT_EQ(human_seconds(3.14), "3.1s");
  EXPECT_EQ(human_seconds(59.4), "59s");
  EXPECT_EQ(human_seconds(59.6), "1m 00s");
  EXPECT_EQ(human_seconds(3660), "1h 01m");
}

}  // namespace
}  // namespace hrt
