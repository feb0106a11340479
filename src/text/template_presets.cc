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
          .strip_with_system = true,
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

// The date stands in a system turn that is always there; the caller's system text follows it.
TemplateSpec dated_llama3(std::string name, TemplateArg date) {
  TemplateSpec spec = llama3();
  spec.name = std::move(name);
  spec.default_system = "";
  spec.preamble = "Cutting Knowledge Date: December 2023\nToday Date: {date_string}\n\n";
  spec.args = {{"date_string", std::move(date)}};
  return spec;
}

TemplateSpec qwen3() {
  TemplateSpec spec = chatml("qwen3", {});
  spec.no_thinking = "<think>\n\n</think>\n\n";
  spec.reasoning = Reasoning::kFinalOnly;
  spec.args = {{"enable_thinking", {.fallback = "true", .values = {"true", "false"}}}};
  spec.markers.insert(spec.markers.end(), {"<think>", "</think>"});
  return spec;
}

TemplateSpec gemma(std::string name) {
  return {.name = std::move(name),
          .bos = "<bos>",
          .user = {"<start_of_turn>user\n", "<end_of_turn>\n", true},
          .assistant = {"<start_of_turn>model\n", "<end_of_turn>\n", true},
          .generation_prompt = "<start_of_turn>model\n",
          .system_place = SystemPlace::kNone,
          .alternate = true,
          .markers = {"<bos>", "<start_of_turn>", "<end_of_turn>"},
          .end_of_turn = {"<end_of_turn>"}};
}

TemplateSpec gemma3() {
  TemplateSpec spec = gemma("gemma3");
  spec.system = {"", "\n\n"};
  spec.system_place = SystemPlace::kFirstUserTurn;
  return spec;
}

// Its releases differ in spaces and in where the system text goes; [INST] is a token since v0.3.
TemplateSpec mistral(std::string name, SystemPlace system_place, TurnFormat user, TurnFormat assistant) {
  return {.name = std::move(name),
          .bos = "<s>",
          .system = {"", "\n\n"},
          .user = std::move(user),
          .assistant = std::move(assistant),
          .system_place = system_place,
          .alternate = true,
          .markers = {"<s>", "</s>"},
          .end_of_turn = {"</s>"}};
}

TemplateSpec mistral_v3(std::string name, TurnFormat user, TurnFormat assistant) {
  TemplateSpec spec =
      mistral(std::move(name), SystemPlace::kLastUserTurn, std::move(user), std::move(assistant));
  spec.markers.insert(spec.markers.end(), {"[INST]", "[/INST]"});
  return spec;
}

TemplateSpec phi3() {
  return {.name = "phi3",
          .system = {"<|system|>\n", "<|end|>\n"},
          .user = {"<|user|>\n", "<|end|>\n"},
          .assistant = {"<|assistant|>\n", "<|end|>\n"},
          .generation_prompt = "<|assistant|>\n",
          .ending = "<|endoftext|>",
          .markers = {"<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<|endoftext|>"},
          .end_of_turn = {"<|end|>"}};
}

TemplateSpec phi3_5() {
  TemplateSpec spec = phi3();
  spec.name = "phi3.5";
  spec.skip_empty_system = true;
  return spec;
}

TemplateSpec phi4() {
  return {.name = "phi4",
          .system = {"<|im_start|>system<|im_sep|>", "<|im_end|>"},
          .user = {"<|im_start|>user<|im_sep|>", "<|im_end|>"},
          .assistant = {"<|im_start|>assistant<|im_sep|>", "<|im_end|>"},
          .generation_prompt = "<|im_start|>assistant<|im_sep|>",
          .markers = {"<|im_start|>", "<|im_sep|>", "<|im_end|>"},
          .end_of_turn = {"<|im_end|>"}};
}

// <|user|> and its like are plain text in this vocabulary.
TemplateSpec zephyr() {
  return {.name = "zephyr",
          .system = {"<|system|>\n", "</s>\n"},
          .user = {"<|user|>\n", "</s>\n"},
          .assistant = {"<|assistant|>\n", "</s>\n"},
          .generation_prompt = "<|assistant|>\n",
          .markers = {"</s>"},
          .end_of_turn = {"</s>"}};
}

TemplateSpec vicuna() {
  return {.name = "vicuna1.5",
          .bos = "<s>",
          .system = {"", " "},
          .user = {"USER: ", " "},
          .assistant = {"ASSISTANT: ", "</s>"},
          .generation_prompt = "ASSISTANT:",
          .default_system =
              "A chat between a curious user and an artificial intelligence assistant. The assistant "
              "gives helpful, detailed, and polite answers to the user's questions.",
          .system_place = SystemPlace::kStart,
          .markers = {"<s>", "</s>"},
          .end_of_turn = {"</s>"}};
}

// A user turn opens the reply itself, with or without a generation prompt.
TemplateSpec yi1_5() {
  TemplateSpec spec = chatml("yi1.5-chat", {});
  spec.system = {};
  spec.user.after += spec.generation_prompt;
  spec.assistant.before = "";
  spec.generation_prompt = "";
  spec.system_place = SystemPlace::kStart;
  return spec;
}

TemplateSpec olmo2() {
  return {.name = "olmo2",
          .bos = "<|endoftext|>",
          .system = {"<|system|>\n", "\n"},
          .user = {"<|user|>\n", "\n"},
          .assistant = {"<|assistant|>\n", "<|endoftext|>\n", false, "<|endoftext|>"},
          .generation_prompt = "<|assistant|>\n",
          .markers = {"<|endoftext|>"},
          .end_of_turn = {"<|endoftext|>"}};
}

TemplateSpec deepseek_r1() {
  return {.name = "deepseek-r1-distill",
          .bos = "<｜begin▁of▁sentence｜>",
          .user = {"<｜User｜>", ""},
          .assistant = {"<｜Assistant｜>", "<｜end▁of▁sentence｜>"},
          .generation_prompt = "<｜Assistant｜><think>\n",
          .system_place = SystemPlace::kStart,
          .reasoning = Reasoning::kDropped,
          .markers = {"<｜begin▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>",
                      "<think>", "</think>"},
          .end_of_turn = {"<｜end▁of▁sentence｜>"}};
}

const std::string kGptOssSystem =
    "You are ChatGPT, a large language model trained by OpenAI.\nKnowledge cutoff: 2024-06\n"
    "Current date: {date_string}\n\nReasoning: {reasoning_effort}\n\n"
    "# Valid channels: analysis, commentary, final. Channel must be included for every message.";

// The system turn is the template's own; the caller's system text is the developer's.
TemplateSpec gpt_oss() {
  return {.name = "gpt-oss",
          .system = {"<|start|>developer<|message|># Instructions\n\n", "\n\n<|end|>"},
          .user = {"<|start|>user<|message|>", "<|end|>"},
          .assistant = {"<|start|>assistant<|channel|>final<|message|>", "<|end|>", false, "<|return|>"},
          .generation_prompt = "<|start|>assistant",
          .preamble = kGptOssSystem,
          .preamble_turn = TurnFormat{"<|start|>system<|message|>", "<|end|>"},
          .system_place = SystemPlace::kStart,
          .skip_empty_system = true,
          .args = {{"date_string", {.clock = "%Y-%m-%d"}},
                   {"reasoning_effort", {.fallback = "medium", .values = {"low", "medium", "high"}}}},
          .markers = {"<|start|>", "<|message|>", "<|end|>", "<|channel|>", "<|return|>"},
          .end_of_turn = {"<|return|>", "<|call|>"}};
}

const std::string kQwen2System = "You are a helpful assistant.";
const std::string kQwen25System = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.";
const std::string kSmolLm2System = "You are a helpful AI assistant named SmolLM, trained by Hugging Face";
const std::string kSpacedInst = "'[INST] ' + message['content'] + ' [/INST]'";

}  // namespace

const std::vector<TemplatePreset>& template_presets() {
  // A signature also lacks what would make the text another template's: a default system text, tools, dates.
  static const std::vector<TemplatePreset> presets = {
      {llama2(), {{"[INST]", "[/INST]", "<<SYS>>", "bos_token"}, {"true == true"}}},
      {llama3(), {{"<|start_header_id|>", "<|eot_id|>", "bos_token"}, {"Cutting Knowledge Date", "You are"}}},
      {dated_llama3("llama3.1", {.fallback = "26 Jul 2024"}),
       {{"<|start_header_id|>", "Cutting Knowledge Date: December 2023", "26 Jul 2024"}, {"strftime"}}},
      {dated_llama3("llama3.2", {.clock = "%d %b %Y"}),
       {{"<|start_header_id|>", "Cutting Knowledge Date: December 2023", "strftime_now"}, {}}},
      {chatml("qwen2", kQwen2System),
       {{"<|im_start|>", kQwen2System}, {kQwen25System, "<think>", "<|vision"}}},
      {chatml("qwen2.5", kQwen25System), {{"<|im_start|>", kQwen25System}, {"<think>", "<|vision"}}},
      {qwen3(), {{"<|im_start|>", "last_query_index", "enable_thinking"}, {"<|vision", "bos_token"}}},
      {chatml("smollm2", kSmolLm2System), {{"<|im_start|>", kSmolLm2System}, {}}},
      {chatml_after_bos(),
       {{"<|im_start|>", "<|im_end|>", "bos_token"}, {"You are", "trim", "tools", "<think>"}}},
      {chatml("yi-chat", {}),
       {{"<|im_start|>", "<|im_end|>"},
        {"bos_token", "You are", "trim", "tools", "<think>", "system_message", "<|im_sep|>"}}},
      {yi1_5(), {{"<|im_start|>user", "<|im_end|>", "system_message"}, {"<|im_start|>system", "bos_token"}}},
      {gemma("gemma"), {{"<start_of_turn>", "System role not supported"}, {}}},
      {gemma("gemma2"), {{"<start_of_turn>", "System role not supported"}, {}}},
      {gemma3(), {{"<start_of_turn>", "first_user_prefix"}, {}}},
      {mistral("mistral-v0.1", SystemPlace::kNone, {"[INST] ", " [/INST]"}, {"", "</s> "}),
       {{kSpacedInst, "eos_token + ' '"}, {"<<SYS>>"}}},
      {mistral("mistral-v0.2", SystemPlace::kNone, {"[INST] ", " [/INST]"}, {"", "</s>"}),
       {{kSpacedInst, "eos_token"}, {"<<SYS>>", "eos_token + ' '", "system_message"}}},
      {mistral("mistral-v0.2-system", SystemPlace::kFirstUserTurn, {" [INST] ", " [/INST]"}, {" ", "</s>"}),
       {{"' [INST] ' + system_message"}, {}}},
      {mistral_v3("mistral-v0.3", {"[INST] ", "[/INST]"}, {" ", "</s>", true}),
       {{"\"[INST] \" + system_message", "[AVAILABLE_TOOLS]"}, {}}},
      {mistral_v3("mistral-nemo", {"[INST]", "[/INST]"}, {"", "</s>"}),
       {{"\"[INST]\" + system_message", "[AVAILABLE_TOOLS]"}, {}}},
      {phi3(),
       {{"<|user|>", "<|assistant|>", "<|end|>", "eos_token"}, {"bos_token", "and message['content']"}}},
      {phi3_5(),
       {{"<|user|>", "<|assistant|>", "<|end|>", "'system' and message['content']"}, {"bos_token"}}},
      {phi4(), {{"<|im_start|>", "<|im_sep|>"}, {"You are"}}},
      {zephyr(), {{"<|user|>", "<|assistant|>", "message['content'] + eos_token"}, {"bos_token", "<|end|>"}}},
      {vicuna(), {{"USER: ", "ASSISTANT:", "A chat between a curious user and an artificial"}, {}}},
      {olmo2(), {{"bos_token", "<|user|>", "<|assistant|>", "not loop.last"}, {"<|end|>", "tools"}}},
      {deepseek_r1(), {{"<｜User｜>", "<｜Assistant｜><think>", "split('</think>')"}, {"thinking"}}},
      {gpt_oss(), {{"<|start|>assistant", "<|channel|>", "# Valid channels"}, {}}},
      {{.name = "raw"}, {}},
  };
  return presets;
}

}  // namespace hrt
