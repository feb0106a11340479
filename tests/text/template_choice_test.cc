#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "fake_tokenizer.h"
#include "hrt/base/error.h"
#include "hrt/base/json.h"
#include "hrt/text/chat_template.h"
#include "temporary_folder.h"
#include "test_data.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const FakeTokenizer kChatMl({"<s>", "<|im_start|>", "<|im_end|>"});

// Its Jinja text as checkpoints have it, shortened.
const std::string kLoop =
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor "
    "%}";
const std::string kLlama3 =
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + "
    "'<|eot_id|>' "
    "}}{{ bos_token }}";

std::string with_default(const std::string& system) {
  return "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n" + system +
         "<|im_end|>\n' }}{% endif %}" + kLoop;
}

class TemplateChoiceTest : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }
  void write_config(const Json& chat_template) {
    write("tokenizer_config.json", to_line(Json{{"chat_template", chat_template}}));
  }
  std::string choose(const Tokenizer& tokenizer = kChatMl) {
    return choose_template(folder_, tokenizer).name;
  }

  const TemporaryFolder temporary_;
  const fs::path folder_ = temporary_.path();
};

TEST_F(TemplateChoiceTest, KnowsTheDefaultSystemTexts) {
  write_config(with_default("You are a helpful assistant."));
  EXPECT_EQ(choose(), "qwen2");
  write_config(with_default("You are Qwen, created by Alibaba Cloud. You are a helpful assistant."));
  EXPECT_EQ(choose(), "qwen2.5");
  write_config(with_default("You are a helpful AI assistant named SmolLM, trained by Hugging Face"));
  EXPECT_EQ(choose(), "smollm2");
}

TEST_F(TemplateChoiceTest, KnowsPlainChatMlAfterABos) {
  write_config("{{ bos_token }}" + kLoop);
  EXPECT_EQ(choose(), "chatml");
  EXPECT_THAT(choose_template(folder_, kChatMl).reason, HasSubstr("tokenizer_config.json"));
}

TEST_F(TemplateChoiceTest, TellsLlama3From31) {
  const FakeTokenizer tokenizer(
      {"<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"});
  write_config(kLlama3);
  EXPECT_EQ(choose(tokenizer), "llama3");
  write_config(kLlama3 +
               "{{ 'Cutting Knowledge Date: December 2023' }}{% set date_string = '26 Jul 2024' %}");
  EXPECT_EQ(choose(tokenizer), "llama3.1");
  write_config(kLlama3 +
               "{{ 'Cutting Knowledge Date: December 2023' }}{% set date_string = strftime_now('%d') %}");
  EXPECT_EQ(choose(tokenizer), "llama3.2");
}

// What the checkpoints' texts are told by, cut out of them.
struct Published {
  std::string name;
  std::string jinja;
};

const std::vector<Published> kPublished = {
    {"yi-chat", kLoop},
    {"yi1.5-chat",
     "{{ system_message }}{{ '<|im_start|>user\n' + content + '<|im_end|>\n<|im_start|>assistant\n' }}"},
    {"qwen3", kLoop + "{% set last_query_index = 1 %}{% if enable_thinking is false %}<think>{% endif %}"},
    {"gemma",
     "{{ bos_token }}{{ raise_exception('System role not supported') }}{{ '<start_of_turn>' + role }}"},
    {"gemma3",
     "{{ bos_token }}{{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first else '') }}"},
    {"mistral-v0.1",
     "{{ '[INST] ' + message['content'] + ' [/INST]' }}{{ message['content'] + eos_token + ' ' }}"},
    {"mistral-v0.2", "{{ '[INST] ' + message['content'] + ' [/INST]' }}{{ message['content'] + eos_token}}"},
    {"mistral-v0.2-system", "{{ ' [INST] ' + system_message + '\n\n' + message['content'] + ' [/INST]' }}"},
    {"mistral-v0.3",
     "[AVAILABLE_TOOLS]{{ \"[INST] \" + system_message + message[\"content\"] + \"[/INST]\" }}"},
    {"mistral-nemo",
     "[AVAILABLE_TOOLS]{{ \"[INST]\" + system_message + message[\"content\"] + \"[/INST]\" }}"},
    {"phi3", "{{'<|user|>\n' + message['content'] + '<|end|>\n'}}{{ '<|assistant|>\n' }}{{ eos_token }}"},
    {"phi3.5",
     "{% if message['role'] == 'system' and message['content'] %}{{'<|user|>\n<|end|>\n<|assistant|>' }}"},
    {"phi4", "{{'<|im_start|>user<|im_sep|>' + message['content'] + '<|im_end|>'}}"},
    {"zephyr", "{{ '<|user|>\n' + message['content'] + eos_token }}{{ '<|assistant|>' }}"},
    {"olmo2", "{{ bos_token }}{{ '<|user|>\n' }}{{ '<|assistant|>\n' }}{% if not loop.last %}{% endif %}"},
    {"deepseek-r1-distill",
     "{{'<｜User｜>'}}{% set content = content.split('</think>')[-1] %}<｜Assistant｜><think>"},
    {"gpt-oss",
     "{{ \"# Valid channels: analysis\" }}{{ \"<|start|>assistant<|channel|>final<|message|>\" }}"},
};

TEST_F(TemplateChoiceTest, KnowsThePublishedOnes) {
  for (const auto& [name, jinja] : kPublished) {
    write_config(jinja);
    EXPECT_EQ(choose(FakeTokenizer(template_by_name(name).markers())), name);
  }
}

TEST_F(TemplateChoiceTest, TheFileBesideTheConfigCounts) {
  write_config("{{ bos_token }}" + kLoop);
  write("chat_template.jinja", with_default("You are a helpful assistant."));
  EXPECT_EQ(choose(), "qwen2");
}

TEST_F(TemplateChoiceTest, OfNamedTemplatesTheDefaultCounts) {
  write_config(Json::array({{{"name", "tool_use"}, {"template", "x"}},
                            {{"name", "default"}, {"template", "{{ bos_token }}" + kLoop}}}));
  EXPECT_EQ(choose(), "chatml");
}

TEST_F(TemplateChoiceTest, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT([&] { choose(); }, ThrowsMessage<InputError>(HasSubstr("no chat template")));
  write("tokenizer_config.json", "{}");
  EXPECT_THAT([&] { choose(); },
              ThrowsMessage<InputError>(HasSubstr("has the tokens of: qwen2, qwen2.5, smollm2, chatml")));
  write_config(with_default("You are a pirate."));
  EXPECT_THAT([&] { choose(); }, ThrowsMessage<InputError>(HasSubstr("does not know")));
  write_config(7);
  EXPECT_THAT([&] { choose(); }, ThrowsMessage<InputError>(HasSubstr("/chat_template")));
}

TEST_F(TemplateChoiceTest, RefusesAVocabularyWithoutTheMarkers) {
  write_config(kLlama3);
  EXPECT_THAT([&] { choose(); }, ThrowsMessage<InputError>(HasSubstr("lacks <|begin_of_text|>")));
}

TEST(GoldensTemplateChoice, KnowsThePrototype) {
  const auto folder = large_test_data() / "organism-prototype";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is absent";
  EXPECT_EQ(choose_template(folder, *open_tokenizer(folder)).name, "chatml");
}

}  // namespace
}  // namespace hrt
