#include "hrt/data/prompt_file.h"

#include <gmock/gmock.h>

#include "hrt/base/error.h"
#include "scratch_folder.h"

namespace hrt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class PromptFile : public ScratchFolder {
 protected:
  std::vector<PromptRecord> read(const std::string& name, const std::string& text,
                                 PromptSource source = {}) const {
    source.file = write(name, text);
    return read_prompts(source);
  }
  void refuses(const std::string& name, const std::string& text, const std::string& message,
               const PromptSource& source = {}) const {
    EXPECT_THAT([&] { read(name, text, source); }, ThrowsMessage<InputError>(HasSubstr(message))) << text;
  }
};

std::vector<std::string> texts(const std::vector<PromptRecord>& records) {
  std::vector<std::string> result;
  for (const PromptRecord& record : records) result.push_back(record.instruction.value());
  return result;
}

TEST_F(PromptFile, ReadsJsonLines) {
  const auto records =
      read("set.jsonl", R"({"id": "a", "instruction": "x", "label": "harmful", "outcome": "refused", )"
                        R"("category": "theft", "system": "S", "reply": "R", "policy": {"k": 1}})"
                        "\r\n\n"
                        R"({"instruction": "y", "label": null})");
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].id, "a");
  EXPECT_EQ(records[0].label, Label::kHarmful);
  EXPECT_EQ(records[0].outcome, Outcome::kRefused);
  EXPECT_EQ(records[0].category, "theft");
  EXPECT_EQ(records[0].reply, "R");
  EXPECT_EQ(records[0].extra, Json::parse(R"({"policy": {"k": 1}})"));
  EXPECT_THAT(messages_of(records[0]), ElementsAre(Message{"system", "S"}, Message{"user", "x"}));
  EXPECT_EQ(records[1].id, "set:3");
  EXPECT_EQ(records[1].set, "set");
  EXPECT_EQ(records[1].label, Label::kNone);
  EXPECT_EQ(records[1].outcome, std::nullopt);
  EXPECT_EQ(place_of(records[1]), (folder_ / "set.jsonl:3").string());
}

TEST_F(PromptFile, AReplyIsTextOrTokens) {
  const auto records = read("set.jsonl", R"({"tokens": [1], "reply_tokens": [2, 3]})"
                                         "\n"
                                         R"({"instruction": "x", "reply_tokens": []})"
                                         "\n"
                                         R"({"instruction": "x", "reply": ""})");
  EXPECT_THAT(*records[0].reply_tokens, ElementsAre(2, 3));
  EXPECT_TRUE(records[1].reply_tokens->empty());
  EXPECT_EQ(records[2].reply_tokens, std::nullopt);
  EXPECT_EQ(records[2].reply, "");
  EXPECT_THROW(read("a.jsonl", R"({"instruction": "x", "reply": "R", "reply_tokens": [2]})"), InputError);
  EXPECT_THROW(read("b.jsonl", R"({"instruction": "x", "reply_tokens": "R"})"), InputError);
}

TEST_F(PromptFile, ReadsArraysAndLines) {
  const auto array = read("a.json", R"([{"instruction": "x"}, {"instruction": "y", "id": 7}])");
  EXPECT_THAT(texts(array), ElementsAre("x", "y"));
  EXPECT_EQ(array[0].id, "a:1");
  EXPECT_EQ(array[1].id, "7");
  EXPECT_THAT(texts(read("a.txt", "\xef\xbb\xbf one \r\n\n\"two\", {3}", {.field = "goal"})),
              ElementsAre(" one ", "\"two\", {3}"));
}

TEST_F(PromptFile, ReadsCsvWithQuotedNewlines) {
  const auto records =
      read("b.csv", "id,goal,label,note\n,\"a, \"\"b\"\"\nc\",harmful,n\n\nz, d ,,\n", {.field = "goal"});
  EXPECT_THAT(texts(records), ElementsAre("a, \"b\"\nc", " d "));
  EXPECT_EQ(records[0].id, "b:2");
  EXPECT_EQ(records[0].label, Label::kHarmful);
  EXPECT_EQ(records[1].id, "z");
  EXPECT_EQ(records[1].line, 5);
  EXPECT_EQ(records[0].extra["note"], "n");
}

TEST_F(PromptFile, TakesOtherFields) {
  const std::string line =
      R"({"turns": ["t0", "t1"], "a": {"b": "ab"}, "x.y": "dot", "input": "", "prompt": "p"})";
  EXPECT_THAT(texts(read("s.jsonl", line, {.field = "turns[1]"})), ElementsAre("t1"));
  EXPECT_THAT(texts(read("s.jsonl", line, {.field = "a.b"})), ElementsAre("ab"));
  EXPECT_THAT(texts(read("s.jsonl", line, {.field = "x.y"})), ElementsAre("dot"));
  EXPECT_THAT(texts(read("s.jsonl", line, {.field = "prompt + input"})), ElementsAre("p"));
  EXPECT_THAT(texts(read("s.jsonl", line, {.field = "prompt + turns[0]"})), ElementsAre("p\nt0"));
  EXPECT_THAT(texts(read("s.csv", "a,b\n,x\n", {.field = "a + b"})), ElementsAre("x"));
  EXPECT_FALSE(read("s.jsonl", line, {.field = "prompt"})[0].extra.contains("prompt"));
  EXPECT_TRUE(read("s.jsonl", line, {.field = "turns[0]"})[0].extra.contains("turns"));
}

TEST_F(PromptFile, ReadsExchangesAndTokens) {
  const auto exchange =
      read("s.jsonl",
           R"({"messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]})");
  EXPECT_THAT(messages_of(exchange[0]), ElementsAre(Message{"user", "u"}, Message{"assistant", "a"}));
  EXPECT_EQ(exchange[0].instruction, std::nullopt);
  const auto tokens = read("s.jsonl", R"({"tokens": [1, 22, 3]})");
  EXPECT_THAT(tokens[0].tokens, ElementsAre(1, 22, 3));
}

TEST_F(PromptFile, FiltersBeforeItLimits) {
  const std::string text = "instruction,kind\na,x\nb,y\nc,x\nd,x\n";
  EXPECT_THAT(texts(read("s.csv", text, {.where = {{"kind", "x"}}, .limit = 2})), ElementsAre("a", "c"));
  EXPECT_THAT(texts(read("s.csv", text, {.where = {{"kind", "x"}}, .skip = 1, .limit = 1})),
              ElementsAre("c"));
  EXPECT_THAT(texts(read("s.csv", text, {.limit = 3})), ElementsAre("a", "b", "c"));
  refuses("s.csv", text, "no prompts in it that meet", {.where = {{"kind", "z"}}});
  refuses("s.csv", text, "no prompts in it", {.skip = 4});
}

TEST_F(PromptFile, NamesSetsAfterTheirFiles) {
  const std::vector<PromptSource> sources = {
      {.file = write("a/train.txt", "x\n"), .label = Label::kHarmful},
      {.file = write("b/train.txt", "y\n"), .label = Label::kHarmless}};
  const auto records = read_prompts(sources);
  EXPECT_EQ(records[0].id, "train:1");
  EXPECT_EQ(records[1].id, "train~2:1");
  EXPECT_EQ(records[1].set, "train~2");
  EXPECT_EQ(records[0].label, Label::kHarmful);
  EXPECT_EQ(records[1].label, Label::kHarmless);
}

TEST_F(PromptFile, NamesTheLineOfABrokenOne) {
  refuses("s.jsonl", "{\"instruction\": \"x\"}\n{\"instruction\": }\n", "s.jsonl:2:");
  refuses("s.jsonl", "{\"instruction\": \"x\"}\n[1]\n", "s.jsonl:2: expected a JSON object, found array");
  refuses("s.jsonl", "{\"instruction\": \"x\"}\n{\"instruction\": \"\xff\"}\n", "s.jsonl:2: not UTF-8");
  refuses("s.csv", "a,instruction\n1,\"x\ny\" z,2\n",
          "s.csv:3: broken csv: a stray quote in the cell that begins in line 2");
  refuses("s.csv", "a,instruction\n1,5\" disk\n", "s.csv:2: broken csv: a stray quote");
  refuses("s.csv", "a,b,instruction\n1,\"x\ny\",\"z\n2,a,b\n",
          "s.csv:3: broken csv: the cell that begins here is in quotes that never end");
  refuses("s.csv", "a;instruction\n1;x\n",
          "s.csv:1: the columns are separated by semicolons, expected commas");
  refuses("s.csv", "a\tinstruction\n1\tx\n", "separated by tabs");
  refuses("s.csv", "a,instruction\n1,x\n1,x,3\n", "s.csv:3: expected 2 columns as in the header, found 3");
  refuses("s.csv", "a,a\n1,2\n", "s.csv:1: column \"a\" stands twice");
  refuses("s.json", "{\"instruction\": \"x\"}", "expected a JSON array");
}

TEST_F(PromptFile, OffersTheNearestField) {
  refuses("s.jsonl", R"({"instructon": "x", "id": "1"})",
          "s.jsonl:1: no field \"instruction\", did you mean instructon?");
  refuses("s.csv", "goal,x\n1,2\n", "no field \"goals\", did you mean goal?", {.field = "goals"});
  refuses("s.jsonl", R"({"turns": ["a"]})", "no field \"turns[1]\"", {.field = "turns[1]"});
  refuses("s.jsonl", R"({"instruction": 3})",
          "s.jsonl:1: field \"instruction\": expected a text, found number");
  refuses("s.jsonl", R"({"instruction": null})",
          "s.jsonl:1: field \"instruction\": expected a text, found nothing");
  refuses("s.csv", "goal,a\n,1\n", "s.csv:2: field \"goal\": expected a text, found nothing",
          {.field = "goal"});
  refuses("s.jsonl", R"({"a": "x"})", "expected NAME", {.field = "a + "});
}

TEST_F(PromptFile, ACategoryFieldMustBeThere) {
  const PromptSource source{.category_field = "Topic"};
  const auto records = read("s.csv", "instruction,Topic\nx,fire\ny,\n", source);
  EXPECT_EQ(records[0].category, "fire");
  EXPECT_EQ(records[1].category, "");
  refuses("s.csv", "instruction,topic\nx,fire\n",
          "s.csv: no prompt has the field \"Topic\", which `category_field` names", source);
}

TEST_F(PromptFile, RefusesWrongValues) {
  refuses("s.jsonl", R"({"instruction": "x", "label": "bad"})",
          "s.jsonl:1: /label: expected harmful or harmless");
  refuses("s.jsonl", R"({"instruction": "x", "outcome": "no"})", "/outcome: expected refused or accepted");
  refuses("s.jsonl", R"({"instruction": "x", "category": 1})", "/category");
  refuses("s.jsonl", R"({"instruction": "x", "tokens": [1]})", "more than one of");
  refuses("s.jsonl", R"({"tokens": [1, -1]})", "/tokens: expected a list of token ids");
  refuses("s.jsonl", R"({"tokens": [99999999999]})", "/tokens");
  refuses("s.jsonl", R"({"messages": [{"role": "tool", "content": "x"}]})", "/messages/0/role");
  refuses("s.jsonl", R"({"messages": [{"role": "system", "content": "x"}]})", "at least one user turn");
  refuses("s.jsonl", R"({"messages": [{"role": "user"}]})", "/messages/0/content");
  refuses("s.jsonl", R"({"instruction": "x", "label": "harmless"})",
          "harmless contradicts the file being given as harmful", {.label = Label::kHarmful});
}

TEST_F(PromptFile, RefusesTextsThatNoModelReads) {
  const std::string most(std::size_t{1} << 20, 'x');
  const std::string longer = most + "x";
  const std::string message = "a text of 1048577 bytes, expected at most 1048576";
  EXPECT_EQ(texts(read("s.txt", "a\n" + most)), (std::vector<std::string>{"a", most}));
  refuses("s.txt", "a\n" + longer, "s.txt:2: field \"instruction\": " + message);
  refuses("s.csv", "goal\n" + longer, "s.csv:2: field \"goal\": " + message, {.field = "goal"});
  refuses("s.jsonl", R"({"instruction": "x", "system": ")" + longer + "\"}",
          "s.jsonl:1: /system: " + message);
  refuses("s.jsonl", R"({"instruction": "x", "reply": ")" + longer + "\"}", "s.jsonl:1: /reply: " + message);
  refuses("s.jsonl", R"({"messages": [{"role": "user", "content": ")" + longer + "\"}]}",
          "s.jsonl:1: /messages/0/content: " + message);
}

TEST_F(PromptFile, RefusesEmptyAndUnknownFiles) {
  for (const char* name : {"s.jsonl", "s.csv", "s.txt"}) refuses(name, "\n", "no prompts in it");
  refuses("s.json", "[]", "no prompts in it");
  refuses("s.yaml", "x", "ends in .jsonl, .json, .csv or .txt");
  EXPECT_THROW(read_prompts(PromptSource{.file = folder_ / "absent.jsonl"}), InputError);
}

TEST_F(PromptFile, RefusesAnIdTwice) {
  refuses("s.jsonl", "{\"id\": \"a\", \"instruction\": \"x\"}\n{\"id\": \"a\", \"instruction\": \"y\"}",
          "s.jsonl:2: id \"a\" stands already at ");
}

TEST_F(PromptFile, RefusesAFileTwice) {
  const auto file = write("a.csv", "instruction,kind\nx,1\ny,2\n");
  const auto refuses_both = [](const PromptSource& a, const PromptSource& b, const std::string& message) {
    const std::vector<PromptSource> sources{a, b};
    EXPECT_THAT([&] { read_prompts(sources); }, ThrowsMessage<InputError>(HasSubstr(message)));
  };
  refuses_both({.file = file}, {.file = folder_ / "." / "a.csv"}, "a.csv: is given twice");
  refuses_both({.file = file, .label = Label::kHarmful}, {.file = file, .label = Label::kHarmless},
               "a.csv: is given twice, with two labels");
  const std::vector<PromptSource> parts{{.file = file, .where = {{"kind", "1"}}},
                                        {.file = file, .where = {{"kind", "2"}}}};
  EXPECT_EQ(read_prompts(parts).size(), 2U);
}

TEST_F(PromptFile, TellsIdsApartWithAndWithoutWhatStandsBehind) {
  const auto file = write("s.jsonl", "{\"id\": \"a\", \"instruction\": \"x\"}\n");
  const std::vector<PromptSource> sources{{.file = file},
                                          {.file = file, .post_instruction = std::optional(false)}};
  const auto records = read_prompts(sources);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].id, "a");
  EXPECT_EQ(records[1].id, "a~2");
}

TEST_F(PromptFile, TakesEndingsInCapitals) {
  EXPECT_THAT(texts(read("s.JSONL", "{\"instruction\": \"x\"}")), ElementsAre("x"));
  EXPECT_THAT(texts(read("s.TXT", "y", {.field = "goal"})), ElementsAre("y"));
}

TEST_F(PromptFile, APromptOfTheCommandLineHasNoFile) { EXPECT_EQ(place_of(PromptRecord{}), "--prompt"); }

}  // namespace
}  // namespace hrt
