#include "template_presets.h"

namespace hrt {
namespace {

// <|im_start|>ROLE\nTEXT<|im_end|>\n
TemplateSpec chatml(std::string name, std::optional<std::string> default_system) {
  return {.name = std::move(name),
          .system = {"<|im_start|>system\n", "<|im_end|>\n"},
          .user = {"<|im_start|>user\n", "<|im_end|>\n"},
          .assistant = {"<|im_start|>assistant\n", "<|im_end|>\n"},
          .generation_prompt = "<|im_start|>assistant\n",
          .default_system = std::move(default_system),
          .markers = {"<|im_start|>", "<|im_end|>"},
          .end_of_turn = {"<|im_end|>"}};
}

TemplateSpec chatml_after_bos() {
  TemplateSpec spec = chatml("chatml", {});
  spec.bos = "<s>";
  spec.markers.push_back(spec.bos);
  return spec;
}

TemplateSpec llama2() {
  return {.name = "llama2",
          .bos = "<s>",
          .bos_every_turn = true,
          .system = {"<<SYS>>\n", "\n<</SYS>>\n\n"},
          .user = {"[INST] ", " [/INST]", true},
          .assistant = {" ", " </s>", true},
          .system_place = SystemPlace::kFirstUserTurn,
          .alternate = true,
          .markers = {"<s>", "</s>"},
          .end_of_turn = {"</s>"}};
}

TemplateSpec llama3() {
  return {.name = "llama3",
          .bos = "<|begin_of_text|>",
          .system = {"<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>", true},
          .user = {"<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>", true},
          .assistant = {"<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>", true},
          .generation_prompt = "<|start_header_id|>assistant<|end_header_id|>\n\n",
          .markers = {"<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"},
          .end_of_turn = {"<|eot_id|>"}};
}

// The dates stand in a system turn that is always there; the caller's system text follows them.
TemplateSpec llama3_1() {
  TemplateSpec spec = llama3();
  spec.name = "llama3.1";
  spec.default_system = "";
  spec.preamble = "Cutting Knowledge Date: December 2023\nToday Date: {date_string}\n\n";
  spec.args = {{"date_string", "26 Jul 2024"}};
  return spec;
}

const std::string kQwen2System = "You are a helpful assistant.";
const std::string kQwen25System = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.";
const std::string kSmolLm2System = "You are a helpful AI assistant named SmolLM, trained by Hugging Face";

}  // namespace

const std::vector<TemplatePreset>& template_presets() {
  // A signature also lacks what would make the text another template's: a default system text, tools, dates.
  static const std::vector<TemplatePreset> presets = {
      {llama2(), {{"[INST]", "[/INST]", "<<SYS>>", "bos_token"}, {"true == true"}}},
      {llama3(), {{"<|start_header_id|>", "<|eot_id|>", "bos_token"}, {"Cutting Knowledge Date", "You are"}}},
      {llama3_1(),
       {{"<|start_header_id|>", "Cutting Knowledge Date: December 2023", "26 Jul 2024"}, {"strftime"}}},
      {chatml("qwen2", kQwen2System),
       {{"<|im_start|>", kQwen2System}, {kQwen25System, "<think>", "<|vision"}}},
      {chatml("qwen2.5", kQwen25System), {{"<|im_start|>", kQwen25System}, {"<think>", "<|vision"}}},
      {chatml("smollm2", kSmolLm2System), {{"<|im_start|>", kSmolLm2System}, {}}},
      {chatml_after_bos(),
       {{"<|im_start|>", "<|im_end|>", "bos_token"}, {"You are", "trim", "tools", "<think>"}}},
      {{.name = "raw"}, {}},
  };
  return presets;
}

}  // namespace hrt
