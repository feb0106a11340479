#include <limits>

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
  Key at_most(double value) && {
    most = value;
    return std::move(*this);
  }
  Key any_number() && {
    least = std::numeric_limits<double>::lowest();
    return std::move(*this);
  }
  Key without_flag() && {
    positional = true;
    return std::move(*this);
  }
  Key changes_no_number() && {
    decides = false;
    return std::move(*this);
  }
  Key also_for(Command command) && {
    commands.push_back(command);
    return std::move(*this);
  }
};

using enum KeyKind;
using Keys = std::vector<Key>;

Keys model_keys() {
  return {
      Key("model", kString, nullptr,
          "checkpoint folder in Hugging Face layout, or one of the catalog's models")
          .also_for(Command::kGuardScore),
      Key("adapter", kString, nullptr, "PEFT LoRA folder, added to the model's weights while they are loaded")
          .also_for(Command::kGuardScore),
      Key("strict_config", kBoolean, false, "unknown keys in config.json are errors")
          .also_for(Command::kGuardScore)
          .changes_no_number(),
      Key("full_hash", kBoolean, false, "fingerprint the model by all its bytes"),
  };
}

Keys prompt_keys() {
  const Json none = Json::array();
  return {
      Key("data", kString, nullptr, "catalog: a JSON file that maps roles to prompt files")
          .also_for(Command::kGuardScore),
      Key("data_root", kString, nullptr, "folder of the catalog's relative paths (default: its own)")
          .also_for(Command::kGuardScore),
      Key("harmful", kSources, none, "prompt file whose prompts are harmful (repeatable)"),
      Key("harmless", kSources, none, "prompt file whose prompts are harmless (repeatable)"),
      Key("prompts", kSources, none, "prompt file with labels of its own, or none (repeatable)"),
      Key("field", kString, "instruction", "column that holds the instruction: goal, turns[0], a + b")
          .also_for(Command::kGuardScore),
      Key("limit", kInteger, nullptr, "only the first N prompts of each file").at_least(1),
  };
}

Keys template_keys() {
  return {
      Key("template", kString, "auto", "chat template: auto, raw, a name or FILE.json")
          .also_for(Command::kGuardScore),
      Key("template_arg", kArguments, Json::object(), "what the template takes, KEY=VALUE (repeatable)"),
      Key("system", kString, nullptr, "system text for prompts that bring none"),
      Key("bos", kString, "auto", "begin-of-sequence token").one_of({"auto", "always", "never"}),
      Key("parse_special", kBoolean, false, "markers inside the text become special tokens"),
      Key("post_instruction", kBoolean, true, "keep what follows the instruction"),
      Key("straddle", kString, "auto",
          "a token on both sides of the instruction's end; auto: keep for inversion, else error")
          .one_of({"auto", "error", "skip", "keep"}),
  };
}

Keys capture_keys() {
  return {
      Key("positions", kStrings, {"t_inst", "t_post_inst"},
          "t_inst, t_post_inst, t_inst+K, -1, ...; in the reply t_resp+K; spans: instruction, "
          "post_instruction, prompt, response"),
      Key("missing", kString, "error", "a prompt that lacks an asked position").one_of({"error", "skip"}),
      Key("logits", kBoolean, false, "store the logits at each prompt's last token"),
      Key("pair", kString, "label", "what makes harmfulness pairs").one_of({"label", "outcome"}),
      Key("store", kString, "all", "what to keep").one_of({"all", "centroids"}),
  };
}

Keys outcome_keys() {
  return {Key("outcomes", kString, "auto", "where refused or accepted comes from")
              .one_of({"auto", "file", "generate", "none"})};
}

Keys shard_keys() {
  return {Key("shard", kString, nullptr,
              "I/N: only the I-th of N parts of the prompts, from 0; hrt merge joins them")};
}

Keys row_keys() { return {Key("layers", kLayers, "all", "rows to store, 0..L: all, or 0,4..12:2")}; }

Keys layer_keys() { return {Key("layers", kLayers, "all", "layers to steer, 0..L-1: all, or 0,4..12:2")}; }

Keys category_keys() {
  return {Key("category_directions", kBoolean, false, "directions of each category, too")};
}

// What one intervention is.
Keys one_intervention_keys() {
  return {
      Key("direction", kString, nullptr, "[PATH:]NAME: a direction of a run directory or a tensor file"),
      Key("row", kInteger, nullptr, "use this row of it in every layer (default: row l in layer l)")
          .at_least(0),
      Key("op", kString, "add", "what is done with the direction")
          .one_of({"add", "ablate", "clamp", "affine"}),
      Key("scale", kString, "raw",
          "add: the vector as it is, its unit vector, or a share of each token's norm")
          .one_of({"raw", "unit", "norm"}),
      Key("sites", kStrings, nullptr,
          "block_input, attention_output, mlp_output (default: ablate all three, else block_input)"),
      Key("reference", kString, nullptr,
          "affine: the centroid whose component is set, such as harmless.t_inst"),
  };
}

Keys intervention_lists() {
  return {
      Key("coef", kNumbers, {1}, "coefficients, one cell each; clamp: the component"),
      Key("scope", kStrings, {"instruction"},
          "instruction, post_instruction, t_inst, prompt, all (prompt and reply); inversion: "
          "before_question, "
          "user_before_question"),
      Key("together", kBoolean, nullptr,
          "steer all layers at once (default of ablate and affine), not one cell a layer"),
      Key("controls", kInteger, 3, "random directions of the same norm beside each cell").at_least(0),
      Key("when", kCondition, nullptr, "only prompts whose score at t_inst lies above or below a threshold"),
  };
}

Keys sweep_entry_keys() {
  return {
      Key("name", kString, nullptr, "what tables call it"),
      Key("on", kStrings, Json::array(),
          "only prompts of these labels, roles, sets, or harmful ones of these categories"),
      Key("also", kSweeps, Json::array(), "interventions that go along with every cell"),
  };
}

Keys steer_keys() {
  return {
      Key("task", kString, "reply",
          "reply: refused or accepted; inversion: the model is asked about the request")
          .one_of({"reply", "inversion"}),
      Key("question", kString, "main",
          "inversion: a question of data/inversion/questions.json, its text, or FILE.json with frame and "
          "answers"),
      Key("sweeps", kSweeps, Json::array(),
          "several sweeps; each takes what it does not say from the keys here"),
      Key("side_prompts", kSources, Json::array(),
          "prompts on which side effects are measured, without controls (repeatable)"),
      Key("stop_when_decided", kBoolean, false, "end a reply once it is a refusal"),
      Key("temperature", kNumber, 0, "0: greedy"),
      Key("top_p", kNumber, 1, "sample from the likeliest tokens of this mass").at_most(1),
  };
}

Keys first_extraction_keys() {
  return {Key("extract", kExtract, nullptr, "the extraction that the directions come from, done first")};
}

Keys selection_keys() {
  return {
      Key("scores", kString, nullptr, "scores computed before: only apply the rules, without a model"),
      Key("refusal_tokens", kStrings, {"I"}, "texts that refusals begin with; their first tokens count"),
      Key("filter", kBoolean, false,
          "count only harmful prompts whose refusal score is above 0, and harmless ones below"),
      Key("layer_share", kNumber, 0.8, "rule: candidates lie in layers below this share of all"),
      Key("max_kl", kNumber, 0.1, "rule: largest KL on harmless prompts, ablated"),
      Key("min_induced", kNumber, 0, "rule: smallest refusal score of harmless prompts, added").any_number(),
  };
}

Keys reply_keys() {
  return {
      Key("judge", kString, "zhao2025", "refusal phrases: zhao2025, arditi2024, union or a file"),
      Key("max_new_tokens", kInteger, 128, "longest reply, in tokens").at_least(1),
  };
}

Keys compute_keys() {
  return {
      Key("verify", kNumber, 0.01, "share of prompts computed again alone, at least 16; 0: none")
          .at_most(1)
          .changes_no_number(),
      Key("seed", kInteger, 0, "seed of everything drawn at random").at_most(9e18),  // 63 bits
  };
}

Keys machine_keys() {
  return {
      Key("dtype", kString, "auto", "auto is float32 on a CPU, bfloat16 on CUDA")
          .also_for(Command::kGuardScore)
          .one_of({"auto", "float32", "bfloat16", "float16"}),
      Key("device", kString, "auto", "auto, cpu, cuda, cuda:N").also_for(Command::kGuardScore),
      Key("batch_size", kInteger, nullptr, "prompts in a batch (default: from the model's size)")
          .also_for(Command::kGuardScore)
          .at_least(1),
      Key("group_size", kInteger, nullptr,
          "prompts (select: candidates) computed and saved together (default: from sizes)")
          .at_least(1),
      Key("threads", kInteger, nullptr, "CPU threads (default: those the process may use)")
          .also_for(Command::kGuardScore)
          .at_least(1)
          .at_most(4096)  // OpenMP ends the process where it cannot have as many as asked
          .changes_no_number(),
  };
}

Keys probe_keys() {
  return {
      Key("analysis", kString, nullptr, "what is looked at")
          .one_of({"layers", "beliefs", "categories", "positions", "plane", "linear", "compare"})
          .without_flag(),
      Key("group_by", kStrings, {"outcome", "label"},
          "prompts looked at together: label, outcome, role, set, category or any field of their file"),
      Key("clusters", kString, "outcome",
          "layers, positions: what s[l] compares, refused harmful with accepted harmless, or labels")
          .one_of({"outcome", "label"}),
      Key("fold_by", kString, nullptr, "linear: prompts that agree in this field stay in one fold"),
      Key("folds", kInteger, 5, "linear: parts for cross-validation").at_least(2),
  };
}

// What is scored, and against what.
Keys run_input_keys() {
  return {
      Key("runs", kStrings, Json::array(), "complete extractions (default: one is made first)")
          .without_flag(),
      Key("allow_overlap", kBoolean, false, "score prompts that are among those of the centroids"),
  };
}

Keys scored_keys() {
  return {
      Key("centroids", kString, nullptr, "extraction whose prompts make the centroids").changes_no_number(),
      Key("tensors", kTensors, nullptr, "tensor files of others, and what they hold"),
      Key("variants", kVariants, Json::array(), "compare: extractions of the same prompts"),
  };
}

Keys guard_keys() {
  return {Key("guard", kString, nullptr, "guard file (eval: default: one is fitted to the training prompts)")
              .without_flag()};
}

Keys guard_fit_keys() {
  return {
      Key("validation", kStrings, Json::array(), "complete extractions whose prompts options are chosen on"),
      Key("fit_rows", kBoolean, false, "use the adjacent rows that tell validation prompts apart best"),
      Key("false_positive_rate", kNumber, nullptr,
          "set the threshold so that at most this share of harmless prompts lies above it")
          .at_most(1),
      Key("calibration", kString, "none", "how scores become probabilities")
          .one_of({"none", "platt", "isotonic"}),
  };
}

Keys guard_eval_keys() {
  return {
      Key("case_by", kStrings, {"role"},
          "prompts that make a case: role, set, category or any field of their file"),
      Key("other_verdicts", kArguments, Json::object(),
          "another guard, NAME=FILE.jsonl of id and verdict or score, or a run of `hrt steer` (repeatable)")
          .changes_no_number(),
      Key("ask", kArguments, Json::object(),
          "a generative guard, QUESTION=MODEL: FILE.json (or a question of data/inversion) and the "
          "checkpoint that is asked it about each prompt (repeatable)"),
      Key("ngrams", kString, nullptr,
          "extraction that holds the guard's training prompts, for the n-gram baseline (default: where it "
          "was fitted)")
          .changes_no_number(),
  };
}

Keys guard_score_keys() {
  return {
      Key("input", kString, nullptr, "JSON lines to score (default: stdin)").without_flag(),
      Key("max_wait", kInteger, 50, "milliseconds that a line may wait for others to join its batch")
          .at_least(0),
      Key("fail_fast", kBoolean, false, "end with the first line that is broken"),
      Key("watch", kInteger, nullptr,
          "score the reply, too, token by token: the line's own, or up to N tokens that the model writes")
          .at_least(1),
  };
}

Keys second_judge_keys() {
  return {
      Key("from", kString, nullptr, "complete run whose replies are judged again; no model is opened")
          .changes_no_number(),
      Key("verdicts", kString, nullptr, "with --from: another judge's verdicts, a .jsonl of id and verdict")
          .changes_no_number(),
  };
}

Keys run_keys() { return {Key("out", kString, nullptr, "run directory to write").changes_no_number()}; }

Keys guard_out_keys() { return {Key("out", kString, nullptr, "guard file to write").changes_no_number()}; }

Keys only_for(const std::vector<Command>& commands, Keys keys) {
  for (Key& key : keys) key.commands = commands;
  return keys;
}

void append(std::vector<KeySpec>& table, const char* group, const Keys& keys) {
  for (const Key& key : keys) {
    table.push_back(key);
    table.back().group = group;
  }
}

std::vector<KeySpec> make_table() {
  const std::vector<Command> extract{Command::kExtract};
  const std::vector<Command> steer{Command::kSteer};
  const std::vector<Command> select{Command::kSelect};
  const std::vector<Command> probe{Command::kProbe};
  const std::vector<Command> captures{Command::kExtract, Command::kProbe};
  const std::vector<Command> with_replies{Command::kExtract, Command::kSteer, Command::kProbe,
                                          Command::kGuardEval};
  const std::vector<Command> with_outcomes{Command::kExtract, Command::kProbe, Command::kGuardEval};
  const std::vector<Command> on_runs{Command::kProbe, Command::kGuardFit, Command::kGuardEval};
  const std::vector<Command> write_runs{Command::kExtract, Command::kSteer, Command::kSelect, Command::kProbe,
                                        Command::kGuardEval};
  const std::vector<Command> judged_again{Command::kExtract, Command::kSteer};
  std::vector<KeySpec> table;
  append(table, "Model", model_keys());
  append(table, "Prompts", prompt_keys());
  append(table, "Template", template_keys());
  append(table, "Probe", only_for(probe, probe_keys()));
  append(table, "Runs", only_for(on_runs, run_input_keys()));
  append(table, "Probe", only_for(probe, scored_keys()));
  append(table, "Guard", only_for({Command::kGuardEval, Command::kGuardScore}, guard_keys()));
  append(table, "Guard", only_for({Command::kGuardFit}, guard_fit_keys()));
  append(table, "Guard", only_for({Command::kGuardEval}, guard_eval_keys()));
  append(table, "Guard", only_for({Command::kGuardScore}, guard_score_keys()));
  append(table, "What to compute", only_for(captures, capture_keys()));
  append(table, "What to compute", only_for(with_outcomes, outcome_keys()));
  append(table, "What to compute", only_for(extract, category_keys()));
  append(table, "What to compute", only_for(captures, row_keys()));
  append(table, "What to compute", only_for(steer, layer_keys()));
  append(table, "Steering", only_for(steer, one_intervention_keys()));
  append(table, "Steering", only_for(steer, intervention_lists()));
  append(table, "Steering", only_for(steer, steer_keys()));
  append(table, "Steering", only_for({Command::kSteer, Command::kSelect}, first_extraction_keys()));
  append(table, "Selection", only_for(select, selection_keys()));
  append(table, "What to compute", only_for(with_replies, reply_keys()));
  append(table, "What to compute", compute_keys());
  append(table, "Machine", machine_keys());
  append(table, "Run", only_for(extract, shard_keys()));
  append(table, "Run", only_for(judged_again, second_judge_keys()));
  append(table, "Run", only_for({Command::kGuardFit}, guard_out_keys()));
  append(table, "Run", only_for(write_runs, run_keys()));
  return table;
}

}  // namespace

const std::vector<KeySpec>& source_keys() {
  static const std::vector<KeySpec> table = [] {
    std::vector<KeySpec> keys;
    append(keys, "",
           {Key("file", kString, nullptr, "a prompt file"),
            Key("role", kString, nullptr, "a role of the catalog"),
            Key("field", kString, nullptr, "column that holds the instruction: goal, turns[0], a + b"),
            Key("where", kFields, nullptr, "only prompts whose fields have these values"),
            Key("limit", kInteger, nullptr, "only the first N of its prompts").at_least(1),
            Key("post_instruction", kBoolean, nullptr, "false: nothing stands behind the instruction"),
            Key("as", kString, nullptr, "what tables call these prompts")});
    return keys;
  }();
  return table;
}

const std::vector<KeySpec>& intervention_keys() {
  static const std::vector<KeySpec> table = [] {
    std::vector<KeySpec> keys;
    append(keys, "", one_intervention_keys());
    append(keys, "",
           {Key("coef", kNumber, 1, "coefficient; clamp: the component").any_number(),
            Key("scope", kString, "instruction", "which tokens")});
    append(keys, "", layer_keys());
    return keys;
  }();
  return table;
}

const std::vector<KeySpec>& sweep_keys() {
  static const std::vector<KeySpec> table = [] {
    std::vector<KeySpec> keys;
    append(keys, "", sweep_entry_keys());
    append(keys, "", one_intervention_keys());
    append(keys, "", intervention_lists());
    append(keys, "", layer_keys());
    return keys;
  }();
  return table;
}

const std::vector<KeySpec>& all_keys() {
  static const std::vector<KeySpec> table = make_table();
  return table;
}

}  // namespace hrt
