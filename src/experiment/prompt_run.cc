#include "hrt/experiment/prompt_run.h"

#include <algorithm>
#include <set>

#include "hrt/base/error.h"
#include "hrt/base/paths.h"
#include "hrt/experiment/config.h"
#include "hrt/experiment/open_checkpoint.h"
#include "hrt/model/device.h"
#include "hrt/model/memory.h"
#include "prompt_hashes.h"

namespace hrt {
namespace {

std::vector<PromptRecord> read_records(const Json& config) { return read_prompts(resolve_sources(config)); }

bool any_text(const std::vector<PromptRecord>& records) {
  return std::any_of(records.begin(), records.end(), [](const PromptRecord& r) { return r.tokens.empty(); });
}

// "auto" generates for prompts without an outcome, never with the raw template.
std::vector<bool> wanted_replies(const PromptSet& set, const std::string& outcomes, bool raw) {
  std::vector<bool> wanted;
  for (const PreparedPrompt& prompt : set.prompts) {
    const bool missing = outcomes == "auto" && !raw && !prompt.record.outcome;
    wanted.push_back(outcomes == "generate" || missing);
  }
  return wanted;
}

// Of replies that the file gives, those that say what the model did are judged instead of generated.
std::vector<bool> take_given(const PromptSet& set, std::vector<bool>& wanted) {
  std::vector<bool> given(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!set.prompts[i].reply) continue;
    given[i] = wanted[i];
    wanted[i] = false;
  }
  return given;
}

// What keeps a prompt from having positions in its reply: it needs one, the file's own or one that this run
// generates. Empty where nothing does.
std::string_view reply_problem(const PreparedPrompt& prompt, bool generated, const Work& work,
                               const DecoderSpec& spec) {
  if (!prompt.reply && !generated)
    return "there is none: give --outcomes generate, or a \"reply\" in the file";
  if (prompt.reply && work.logits) return "--logits cannot be had together with one that the file gives";
  // RoPE `dynamic` turns a long prompt for its whole length, but new tokens one by one: no single pass over
  // prompt and reply gives such rows again.
  const auto length = static_cast<std::int64_t>(prompt.prompt.ids.size()) + work.max_new_tokens;
  if (generated && spec.rope.kind == RopeSpec::Kind::kDynamic && length > spec.max_positions)
    return "dynamic RoPE makes it depend on how it is computed: give it in the file";
  return "";
}

void check_replies(const PromptSet& set, const Work& work, const DecoderSpec& spec) {
  if (!set.asks_for_replies()) return;
  const std::string& name = std::ranges::find_if(set.specs, &PositionSpec::in_reply)->name;
  for (std::size_t i = 0; i < set.prompts.size(); ++i) {
    const PreparedPrompt& prompt = set.prompts[i];
    const std::string_view problem = reply_problem(prompt, work.wants_reply[i], work, spec);
    if (problem.empty()) continue;
    throw InputError("{} ({}): position {} lies in the reply, and {}", place_of(prompt.record),
                     prompt.record.id, name, problem);
  }
}

// transformers would compute a prompt anew, with other angles, in the middle of its reply.
void check_rotation(const PromptSet& set, const Work& work, const DecoderSpec& spec) {
  for (std::size_t i = 0; i < set.prompts.size(); ++i) {
    const PromptRecord& record = set.prompts[i].record;
    const auto length = static_cast<std::int64_t>(set.prompts[i].prompt.ids.size());
    const std::string switched = rotation_switch(spec, length, work.wants_reply[i] ? work.max_new_tokens : 0);
    if (!switched.empty()) throw InputError("{} ({}): {}", place_of(record), record.id, switched);
  }
}

bool is_any(const std::vector<bool>& flags) {
  return std::find(flags.begin(), flags.end(), true) != flags.end();
}

std::string outcomes_key(Command command, const Json& config) {
  if (command == Command::kExtract) return config.at("outcomes");
  return command == Command::kSteer ? "generate" : "none";
}

// Whether replies may be asked for, before templates say for which prompts.
bool may_reply(const std::string& outcomes) { return outcomes == "auto" || outcomes == "generate"; }

}  // namespace

PromptRun::PromptRun(Command command, Json config)
    : config_(std::move(config)),
      command_(command),
      checkpoint_(open_checkpoint(config_)),
      judge_(Judge::load(config_.value("judge", "zhao2025"), data_dir())),
      device_(parse_device(config_.at("device").get<std::string>())),
      dtype_(parse_dtype(config_.at("dtype").get<std::string>(), device_)) {
  std::vector<PromptRecord> records = read_records(config_);
  text_ = open_text(config_, checkpoint_.folder(), any_text(records));
  for (const auto& [key, value] : text_.clock) config_["template_arg"][key] = value;
  const std::string outcomes = outcomes_key(command_, config_);
  PromptLimits limits{checkpoint_.spec().vocabulary, checkpoint_.max_tokens(), 0};
  const bool replies = may_reply(outcomes) && !(outcomes == "auto" && text_.chat.raw());
  if (replies) limits.max_new_tokens = config_.at("max_new_tokens");
  set_ = prepare_prompts(std::move(records), text_, config_, limits);
  prompt_hashes_ = prompt_hashes(set_);
  keep_shard();
  work_.wants_reply = wanted_replies(set_, outcomes, text_.chat.raw());
  work_.judges_given = take_given(set_, work_.wants_reply);
  plan();
}

// All prompts are checked in every shard, so that all shards fail alike.
void PromptRun::keep_shard() {
  shard_ = shard_of(config_);
  if (!shard_) return;
  const auto total = static_cast<std::int64_t>(set_.prompts.size());
  if (shard_->count > total)
    throw InputError("--shard {}: there are only {} prompts", config_.at("shard").get<std::string>(), total);
  if (config_.at("store") != "all")
    throw InputError("--shard: a shard without its activations cannot be merged (--store {})",
                     config_.at("store").get<std::string>());
  set_.prompts.erase(set_.prompts.begin() + shard_->end(total), set_.prompts.end());
  set_.prompts.erase(set_.prompts.begin(), set_.prompts.begin() + shard_->begin(total));
}

void PromptRun::plan() {
  work_.stop_tokens = text_.stop_tokens(checkpoint_);
  if (is_any(work_.wants_reply)) work_.max_new_tokens = config_.at("max_new_tokens");
  if (command_ == Command::kSteer) {
    work_.sampling = {config_.at("temperature"), config_.at("top_p")};
    work_.seed = config_.at("seed");
  }
  if (command_ == Command::kExtract) {
    work_.logits = config_.at("logits");
    work_.rows = resolve_layers(config_.at("layers"), checkpoint_.spec().layers + 1);
  }
  check_replies(set_, work_, checkpoint_.spec());
  check_rotation(set_, work_, checkpoint_.spec());
  batch_size_ = optional_value<std::int64_t>(config_, "batch_size").value_or(0);
  batch_size_ = sizes().batch_size;
  group_size_ = optional_value<std::int64_t>(config_, "group_size")
                    .value_or(suitable_group_size(checkpoint_.spec(), set_, work_, device_.is_cpu()));
  estimate_ = make_estimate();
}

EngineSizes PromptRun::sizes() const {
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < set_.prompts.size(); ++i) jobs.push_back(make_job(set_, work_, i));
  return engine_sizes(checkpoint_.spec(), compute_dtype(dtype_, device_), jobs,
                      make_engine_options(work_, batch_size_));
}

Estimate PromptRun::make_estimate() const {
  Estimate estimate;
  const DecoderSpec& spec = checkpoint_.spec();
  const auto element = static_cast<std::int64_t>(c10::elementSize(dtype_));
  std::int64_t captured = 0;
  std::int64_t tokens = 0;
  for (std::size_t i = 0; i < set_.prompts.size(); ++i) {
    const PreparedPrompt& prompt = set_.prompts[i];
    estimate.prompt_tokens += static_cast<std::int64_t>(prompt.prompt.ids.size());
    estimate.replies += work_.wants_reply[i];
    tokens += static_cast<std::int64_t>(prompt.prompt.ids.size()) + reply_length(set_, work_, i);
    for (const auto& range : resolve(set_.specs, prompt.prompt, reply_length(set_, work_, i)))
      captured += range ? range->size() : 0;
  }
  estimate.prompts = static_cast<std::int64_t>(set_.prompts.size());
  const EngineSizes engine = sizes();
  estimate.weight_bytes = weight_bytes(spec, compute_dtype(dtype_, device_));
  estimate.cache_bytes = engine.kv_bytes;
  estimate.workspace_bytes = engine.workspace_bytes;
  const std::int64_t rows = captured * static_cast<std::int64_t>(work_.rows.size()) * spec.hidden * element;
  const std::int64_t logits = work_.logits ? estimate.prompts * spec.vocabulary * 4 : 0;
  estimate.disk_bytes = 2 * (rows + logits) + 1'000'000;
  estimate.flops = 2.0 * static_cast<double>(checkpoint_.parameters()) * static_cast<double>(tokens);
  return estimate;
}

Decoder PromptRun::load() const {
  LoadOptions options;
  options.device = device_;
  options.dtype = dtype_;
  return Decoder(checkpoint_, options);
}

}  // namespace hrt
