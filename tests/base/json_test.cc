#include "hrt/base/json.h"

#include <gmock/gmock.h>

#include <chrono>

#include "hrt/base/error.h"

namespace hrt {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

void refuses(std::string_view text, const std::string& start, const std::string& message) {
  EXPECT_THAT([&] { parse_json(text, "f.json"); },
              ThrowsMessage<InputError>(AllOf(StartsWith("f.json:" + start + ": "), HasSubstr(message))))
      << text;
}

std::string nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(ParseJson, KeepsValuesAndTheOrderOfKeys) {
  const Json value = parse_json(R"({"z": [1, -2, 2.5, true, null, "é\u0000"], "a": {}})", "f.json");
  EXPECT_EQ(to_line(value), R"({"z":[1,-2,2.5,true,null,"é\u0000"],"a":{}})");
  EXPECT_EQ(parse_json(" 7 ", "f.json"), 7);
}

TEST(ParseJson, RefusesDuplicateKeysWhereTheyStand) {
  refuses("{\"a\": 1,\n \"b\": 2,\n \"a\": 3}", "3:4", "duplicate key \"a\"");
  refuses(R"({"x": {"k": 1, "k": 1}})", "1:18", "duplicate key \"k\"");
  EXPECT_NO_THROW(parse_json(R"({"k": {"k": 1}, "l": [{"k": 2}, {"k": 3}]})", "f.json"));
}

TEST(ParseJson, RefusesWhatIsNoJson) {
  refuses("", "1:1", "unexpected end of input");
  refuses("{\n  \"a\": tru\n}", "2:11", "invalid literal");
  refuses("{} {}", "1:4", "expected end of input");
  refuses("[1,]", "1:4", "unexpected ']'");
  refuses("{'a': 1}", "1:2", "invalid literal");
  refuses("[1 /* one */]", "1:4", "invalid literal");
  refuses("[NaN]", "1:2", "invalid literal");
  refuses("[\"a\nb\"]", "1:4", "control character");
}

TEST(ParseJson, RefusesNulBytes) {
  refuses(std::string_view("{}\0", 3), "1:3", "NUL");
  refuses(std::string_view("{}\0 not JSON", 12), "1:3", "NUL");
}

TEST(ParseJson, RefusesBrokenUtf8) {
  refuses("{\"a\": \"\n\xff\"}", "2:1", "UTF-8");
  refuses("\"\xed\xa0\x80\"", "1:2", "UTF-8");  // a surrogate
  refuses("\"\xc0\xaf\"", "1:2", "UTF-8");      // an overlong slash
}

TEST(ParseJson, BoundsTheDepth) {
  EXPECT_NO_THROW(parse_json(nested(128), "f.json"));
  refuses(nested(129), "1:129", "128 levels");
  refuses(std::string(1'000'000, '['), "1:129", "128 levels");
}

TEST(ParseJson, RefusesNumbersBeyondDoubles) { refuses("[1e999]", "1:7", "number overflow parsing '1e999'"); }

TEST(ParseJson, CountsLinesFromTheGivenOne) {
  EXPECT_THAT([] { parse_json("{\"a\":", "f.jsonl", 41); },
              ThrowsMessage<InputError>(StartsWith("f.jsonl:41:5")));
}

TEST(ParseJson, MessagesAreShortAndHarmless) {
  const std::string key(100'000, 'k');
  try {
    parse_json("{\"" + key + "\x1b[31m\": 1, \"" + key + "\": 2, \"" + key + "\": 3}", "f.json");
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_LT(std::string(error.what()).size(), 1000U);
  }
  EXPECT_THAT([] { parse_json("[\x1b[31m]", "f.json"); }, ThrowsMessage<InputError>(Not(HasSubstr("\x1b"))));
}

TEST(ParseJson, IsLinearInTheNumberOfKeys) {
  std::string text = "{";
  for (int i = 0; i < 400'000; ++i) text += fmt::format("\"key{}\":{},", i, i);
  text.back() = '}';
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(parse_json(text, "f.json").size(), 400'000U);
  // A quadratic reader takes minutes.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(ToLine, ReplacesBrokenUtf8) { EXPECT_EQ(to_line(Json("a\xff")), "\"a\xEF\xBF\xBD\""); }

class JsonObjectOf : public ::testing::Test {
 protected:
  const Json value_ =
      parse_json(R"({"i": 3, "big": 9223372036854775808, "huge": 18446744073709551616, "f": 1.5,
                                     "s": "x", "b": false, "n": null, "o": {"k": "v"}})",
                 "f.json");
  const JsonObject object_{value_, "f.json"};
};

TEST_F(JsonObjectOf, GivesTypedValues) {
  EXPECT_EQ(object_.integer("i"), 3);
  EXPECT_EQ(object_.number("i"), 3.0);
  EXPECT_EQ(object_.number("f", 9), 1.5);
  EXPECT_EQ(object_.string("s"), "x");
  EXPECT_FALSE(object_.boolean("b", true));
  EXPECT_EQ(object_.object("o").string("k"), "v");
}

TEST_F(JsonObjectOf, TakesNullAsAbsent) {
  EXPECT_FALSE(object_.has("n"));
  EXPECT_EQ(object_.integer("n", 7), 7);
  EXPECT_EQ(object_.string("absent", "d"), "d");
  EXPECT_THAT([&] { object_.integer("n"); }, ThrowsMessage<InputError>("f.json: /n is missing"));
}

TEST_F(JsonObjectOf, RefusesOtherTypesByPointer) {
  const auto fails = [](auto&& call, const std::string& message) {
    EXPECT_THAT(call, ThrowsMessage<InputError>(message));
  };
  fails([&] { object_.integer("f"); }, "f.json: /f must be an integer, found 1.5");
  fails([&] { object_.integer("big"); }, "f.json: /big must be an integer, found 9223372036854775808");
  EXPECT_THROW(object_.integer("huge"), InputError);  // not rounded to a double, nor wrapped
  fails([&] { object_.string("i"); }, "f.json: /i must be a string, found 3");
  fails([&] { object_.boolean("i", true); }, "f.json: /i must be true or false, found 3");
  fails([&] { object_.object("o").string("x"); }, "f.json: /o/x is missing");
  fails([&] { object_.object("s"); }, "f.json: /s must be an object, found string");
}

}  // namespace
}  // namespace hrt
