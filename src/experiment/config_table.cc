#include "hrt/experiment/config_keys.h"

namespace hrt {
namespace {

// A key being written down: what most keys do not have is added by name.
struct Key : KeySpec {
  Key(const char* key_name, KeyKind key_kind, Json key_fallback, const char* key_help) {
    name = key_name;
    kind = key_kind;
    fallback = std::move(key_fallback);
    help = key_help;
  }
  Key one_of(std::vector<std::string> values) && {
    choices = std::move(values);
    return std::move(*this);
  }
  Key at_least(double value) && {
    least = value;
    return std::move(*this);
  }
  Key changes_no_number() && {
    decides = false;
    return std::move(*this);
  }
};

using enum KeyKind;
using Keys = std::vector<Key>;

Keys model_keys() {
  return {
      Key("model", kString, nullptr, "checkpoint folder in Hugging Face layout"),
      Key("strict_config", kBoolean, false, "unknown keys in config.json are errors").changes_no_number(),
      Key("full_hash", kBoolean, false, "fingerprint the model by all its bytes"),
  };
}

Keys prompt_keys() {
  const Json none = Json::array();
  return {
      Key("data", kString, nullptr, "catalog: a JSON file that maps roles to prompt files"),
      Key("data_root", kString, nullptr, "folder of the catalog's relative paths (default: its own)"),
      Key("harmful", kSources, none, "prompt file whose prompts are harmful (repeatable)"),
      Key("harmless", kSources, none, "prompt file whose prompts are harmless (repeatable)"),
      Key("prompts", kSources, none, "prompt file with labels of its own, or none (repeatable)"),
      Key("field", kString, "instruction", "column that holds the instruction: goal, turns[0], a + b"),
      Key("limit", kInteger, nullptr, "only the first N prompts of each file").at_least(1),
  };
}

Keys template_keys() {
  return {
      Key("template", kString, "auto", "chat template: auto, raw or a name"),
      Key("template_arg", kArguments, Json::object(), "what the template takes, KEY=VALUE (repeatable)"),
      Key("system", kString, nullptr, "system text for prompts that bring none"),
      Key("bos", kString, "auto", "begin-of-sequence token").one_of({"auto", "always", "never"}),
      Key("parse_special", kBoolean, false, "markers inside the text become special tokens"),
      Key("post_instruction", kBoolean, true, "keep what follows the instruction"),
      Key("straddle", kString, "error", "a token on both sides of the instruction's end")
          .one_of({"error", "skip", "keep"}),
  };
}

Keys capture_keys() {
  Keys keys{
      Key("positions", kStrings, {"t_inst", "t_post_inst"},
          "t_inst, t_post_inst, t_inst+K, -1, ...; spans: instruction, post_instruction, prompt"),
      Key("missing", kString, "error", "a prompt that lacks an asked position").one_of({"error", "skip"}),
      Key("layers", kLayers, "all", "rows to store, 0..L: all, or a list such as 0,4..12:2"),
      Key("logits", kBoolean, false, "store the logits at each prompt's last token"),
      Key("outcomes", kString, "auto", "where refused or accepted comes from")
          .one_of({"auto", "file", "generate", "none"}),
      Key("pair", kString, "label", "what makes harmfulness pairs").one_of({"label", "outcome"}),
      Key("store", kString, "all", "what to keep").one_of({"all", "centroids"}),
  };
  for (Key& key : keys) key.commands = {Command::kExtract};
  return keys;
}

Keys compute_keys() {
  return {
      Key("judge", kString, "zhao2025", "refusal phrases: zhao2025, arditi2024, union or a file"),
      Key("max_new_tokens", kInteger, 128, "longest reply, in tokens").at_least(1),
      Key("verify", kNumber, 0.01, "share of prompts computed again alone, at least 16; 0: none")
          .changes_no_number(),
      Key("seed", kInteger, 0, "seed of everything drawn at random"),
  };
}

Keys machine_keys() {
  return {
      Key("dtype", kString, "auto", "auto is float32 on a CPU, bfloat16 on CUDA")
          .one_of({"auto", "float32", "bfloat16", "float16"}),
      Key("device", kString, "auto", "auto, cpu, cuda, cuda:N"),
      Key("batch_size", kInteger, nullptr, "prompts in a batch (default: from the model's size)").at_least(1),
      Key("group_size", kInteger, nullptr, "prompts computed and saved together (default: from sizes)")
          .at_least(1),
      Key("threads", kInteger, nullptr, "CPU threads (default: those the process may use)")
          .at_least(1)
          .changes_no_number(),
  };
}

Keys run_keys() { return {Key("out", kString, nullptr, "run directory to write").changes_no_number()}; }

void append(std::vector<KeySpec>& table, const char* group, const Keys& keys) {
  for (const Key& key : keys) {
    table.push_back(key);
    table.back().group = group;
  }
}

std::vector<KeySpec> make_table() {
  std::vector<KeySpec> table;
  append(table, "Model", model_keys());
  append(table, "Prompts", prompt_keys());
  append(table, "Template", template_keys());
  append(table, "What to compute", capture_keys());
  append(table, "What to compute", compute_keys());
  append(table, "Machine", machine_keys());
  append(table, "Run", run_keys());
  return table;
}

}  // namespace

const std::vector<KeySpec>& all_keys() {
  static const std::vector<KeySpec> table = make_table();
  return table;
}

}  // namespace hrt
