#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "hrt/base/error.h"
#include "hrt/base/json.h"
#include "hrt/text/tokenizer.h"
#include "temporary_folder.h"

namespace hrt {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;

const std::filesystem::path kTokenizers =
    std::filesystem::path(HRT_SOURCE_DIR) / "tests/text/data/tokenizers";

class TokenizerErrors : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& content) {
    std::ofstream(folder_ / name) << content;
  }

  std::string message_of(const std::filesystem::path& path) {
    try {
      open_tokenizer(path);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }

  // What opening says after a small tokenizer.json was changed.
  std::string message_after(const std::function<void(Json&)>& change) {
    Json json = read_json(kTokenizers / "llama3/tokenizer.json");
    change(json);
    write("tokenizer.json", to_line(json));
    return message_of(folder_);
  }

  const TemporaryFolder temporary_;
  const std::filesystem::path folder_ = temporary_.path();
};

TEST_F(TokenizerErrors, NameTheLineOfMerges) {
  write("vocab.json", R"({"a": 0, "b": 1, "ab": 2, "<|endoftext|>": 3})");
  for (const char* line : {"ab", " b", "a ", "a b c"}) {
    write("merges.txt", std::string("#version: 0.2\n") + line + "\n");
    EXPECT_THAT(message_of(folder_), HasSubstr("merges.txt:2: expected two pieces")) << line;
  }
  write("merges.txt", "a b\n");
  EXPECT_EQ(message_of(folder_), "no error");
  write("merges.txt", "a c\n");
  EXPECT_THAT(message_of(folder_), HasSubstr("merges"));
}

TEST_F(TokenizerErrors, RefuseMergesWhosePatternStandsNowhere) {
  write("vocab.json", R"({"a": 0})");
  write("merges.txt", "");
  write("tokenizer_config.json", R"({"tokenizer_class": "Qwen2Tokenizer"})");
  EXPECT_THAT(message_of(folder_), HasSubstr("how Qwen2Tokenizer cuts text"));
  write("tokenizer_config.json", R"({"added_tokens_decoder": {"x1": {"content": "b"}}})");
  EXPECT_THAT(message_of(folder_), HasSubstr("\"x1\" is no token id"));
  write("tokenizer_config.json", R"({"add_bos_token": true})");
  EXPECT_THAT(message_of(folder_), HasSubstr("the vocabulary has no <|endoftext|>"));
}

TEST_F(TokenizerErrors, NameTheFolderWithoutTokenizer) {
  EXPECT_THAT(message_of(folder_), AllOf(HasSubstr(folder_.string()), HasSubstr("tokenizer.model")));
}

TEST_F(TokenizerErrors, NameStepsThatAreNotSupported) {
  struct Change {
    const char* pointer;
    const char* type;
  };
  for (const Change& change : {Change{"/pre_tokenizer/pretokenizers/0", "Whitespace"},
                               Change{"/pre_tokenizer/pretokenizers/1", "BertPreTokenizer"},
                               Change{"/post_processor/processors/1", "RobertaProcessing"},
                               Change{"/decoder", "WordPiece"}, Change{"/model", "Unigram"}}) {
    const std::string message =
        message_after([&](Json& json) { json[Json::json_pointer(change.pointer)]["type"] = change.type; });
    EXPECT_THAT(message, AllOf(HasSubstr(std::string(change.pointer) + "/type"), HasSubstr(change.type)));
  }
  const std::string normalizer =
      message_after([](Json& json) { json["normalizer"] = {{"type", "Lowercase"}}; });
  EXPECT_THAT(normalizer, AllOf(HasSubstr("/normalizer/type"), HasSubstr("Lowercase"), HasSubstr("NFC")));
}

TEST_F(TokenizerErrors, NameWhatIsWrongInsideSteps) {
  const auto split = [](Json& json) -> Json& { return json["pre_tokenizer"]["pretokenizers"][0]; };
  EXPECT_THAT(message_after([&](Json& json) { split(json)["pattern"]["Regex"] = "(a"; }),
              HasSubstr("/pre_tokenizer/pretokenizers/0/pattern/Regex"));
  EXPECT_THAT(message_after([&](Json& json) { split(json)["behavior"] = "Sideways"; }),
              HasSubstr("Isolated"));
  EXPECT_THAT(message_after([&](Json& json) { split(json)["pattern"] = {{"String", ""}}; }),
              HasSubstr("pattern"));
  EXPECT_THAT(message_after([](Json& json) {
                json["post_processor"]["processors"][1]["single"] = {{{"SpecialToken", {{"id", "<none>"}}}}};
              }),
              HasSubstr("special_tokens/<none>"));
}

TEST_F(TokenizerErrors, NameWhatIsWrongInTheModel) {
  EXPECT_THAT(message_after([](Json& json) { json["model"]["vocab"]["!"] = -1; }),
              HasSubstr("/model/vocab/!"));
  EXPECT_THAT(message_after([](Json& json) { json["model"]["vocab"]["!"] = 4'000'000'000; }),
              HasSubstr("no token id"));
  EXPECT_THAT(message_after([](Json& json) { json["model"]["vocab"]["!"] = json["model"]["vocab"]["#"]; }),
              HasSubstr("taken already"));
  EXPECT_THAT(message_after([](Json& json) { json["model"]["merges"][7] = "a b c"; }),
              HasSubstr("/model/merges/7"));
  EXPECT_THAT(message_after([](Json& json) { json["model"]["merges"][7] = "qq zz"; }),
              HasSubstr("vocabulary"));
  EXPECT_THAT(message_after([](Json& json) { json["model"]["dropout"] = 0.1; }), HasSubstr("/model/dropout"));
  EXPECT_THAT(message_after([](Json& json) { json["model"]["unk_token"] = "<none>"; }),
              HasSubstr("/model/unk_token"));
  EXPECT_THAT(message_after([](Json& json) { json.erase("model"); }), HasSubstr("/model is missing"));
}

TEST_F(TokenizerErrors, NameAddedTokensThatContradictTheVocabulary) {
  EXPECT_THAT(message_after([](Json& json) { json["added_tokens"][0]["content"] = "!"; }),
              AllOf(HasSubstr("/added_tokens/0/id"), HasSubstr("contradicts")));
  EXPECT_THAT(message_after([](Json& json) { json["added_tokens"][0]["id"] = -3; }),
              HasSubstr("/added_tokens/0/id"));
}

TEST_F(TokenizerErrors, NameFilesThatAreBroken) {
  write("tokenizer.json", "{\"model\": ");
  EXPECT_THAT(message_of(folder_), HasSubstr("tokenizer.json:1:"));
  std::filesystem::remove(folder_ / "tokenizer.json");
  write("tokenizer.model", "no model");
  EXPECT_THAT(message_of(folder_), EndsWith("tokenizer.model: not a sentencepiece model"));
}

TEST_F(TokenizerErrors, NameWhatIsWrongInTheModelsConfig) {
  std::filesystem::copy(kTokenizers / "sentencepiece-bpe/tokenizer.model", folder_);
  write("tokenizer_config.json", R"({"bos_token": "<none>"})");
  EXPECT_THAT(message_of(folder_), AllOf(HasSubstr("/bos_token"), HasSubstr("<none>")));
  write("tokenizer_config.json", R"({"added_tokens_decoder": {"x": {"content": "<y>"}}})");
  EXPECT_THAT(message_of(folder_), HasSubstr("/added_tokens_decoder/x"));
  write("tokenizer_config.json", R"({"legacy": 1})");
  EXPECT_THAT(message_of(folder_), HasSubstr("/legacy"));
}

TEST_F(TokenizerErrors, RefuseTextThatIsNotUtf8) {
  for (const char* name : {"llama3", "sentencepiece-bpe"}) {
    const auto tokenizer = open_tokenizer(kTokenizers / name);
    EXPECT_THROW(tokenizer->encode("ab\xff"), InputError);
  }
}

}  // namespace
}  // namespace hrt
