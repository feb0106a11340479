#include "hrt/experiment/prompt_run.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <set>

#include "hrt/base/error.h"
#include "hrt/base/hash.h"
#include "hrt/base/log.h"
#include "hrt/base/paths.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/config.h"
#include "hrt/experiment/versions.h"
#include "hrt/model/device.h"
#include "hrt/model/memory.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

std::vector<PromptRecord> read_records(const Json& config) { return read_prompts(resolve_sources(config)); }

bool any_text(const std::vector<PromptRecord>& records) {
  return std::any_of(records.begin(), records.end(), [](const PromptRecord& r) { return r.tokens.empty(); });
}

// design.md's rule: "auto" generates for prompts without an outcome, never with the raw template.
std::vector<bool> wanted_replies(const PromptSet& set, const std::string& outcomes, bool raw) {
  std::vector<bool> wanted;
  for (const PreparedPrompt& prompt : set.prompts) {
    const bool missing = outcomes == "auto" && !raw && !prompt.record.outcome;
    wanted.push_back(outcomes == "generate" || missing);
  }
  return wanted;
}

bool is_any(const std::vector<bool>& flags) {
  return std::find(flags.begin(), flags.end(), true) != flags.end();
}

std::string outcomes_key(Command command, const Json& config) {
  return command == Command::kSteer ? "generate" : config.at("outcomes").get<std::string>();
}

// Whether replies may be asked for, before templates say for which prompts.
bool may_reply(const std::string& outcomes) { return outcomes == "auto" || outcomes == "generate"; }

std::vector<std::int64_t> stop_tokens(const Checkpoint& checkpoint, const TextSetup& text) {
  std::set<std::int64_t> stops(checkpoint.stop_tokens().begin(), checkpoint.stop_tokens().end());
  for (const std::int64_t id : text.end_of_turn()) stops.insert(id);
  return {stops.begin(), stops.end()};
}

// One hash per set: its prompts as they enter the model, so that file, field, filter, limit and template
// count.
Json set_hashes(const PromptSet& set) {
  Json hashes = Json::object();
  std::map<std::string, Sha256> running;
  for (const PreparedPrompt& prompt : set.prompts) {
    const Outcome outcome = prompt.record.outcome.value_or(Outcome::kUnknown);
    running[prompt.record.set].update(to_line(prompt_line(prompt, set.specs, outcome)) + "\n");
  }
  for (auto& [name, hash] : running) hashes[name] = hash.hex();
  return hashes;
}

Json sample_proof(const PromptSet& set) {
  if (set.prompts.empty()) return nullptr;
  const PreparedPrompt& prompt = set.prompts.front();
  Json proof = prompt_line(prompt, set.specs, Outcome::kUnknown);
  return {{"id", prompt.record.id},
          {"rendered", prompt.prompt.rendered ? Json(*prompt.prompt.rendered) : Json()},
          {"tokens", prompt.prompt.ids},
          {"positions", proof.at("positions")}};
}

void warn_about_prompts(RunDirectory& run, const PromptSet& set) {
  if (set.kept_straddles > 0) {
    run.warn(
        fmt::format("{} prompts keep a token that straddles the instruction's edge", set.kept_straddles));
  }
  if (set.skipped_straddles > 0) {
    run.warn(fmt::format("{} prompts with a straddling token were left out", set.skipped_straddles));
  }
  std::vector<PromptRecord> records;
  for (const PreparedPrompt& prompt : set.prompts) records.push_back(prompt.record);
  for (const Overlap& overlap : find_overlap(records)) {
    run.warn(fmt::format("{} prompts stand in both {} and {} (such as {} and {})", overlap.count,
                         escape_for_terminal(overlap.set_a), escape_for_terminal(overlap.set_b),
                         escape_for_terminal(overlap.id_a), escape_for_terminal(overlap.id_b)));
  }
}

}  // namespace

PromptRun::PromptRun(Command command, Json config)
    : config_(std::move(config)),
      command_(command),
      checkpoint_(resolve_model(config_), Checkpoint::Options{config_.at("strict_config").get<bool>()}),
      judge_(Judge::load(config_.at("judge"), data_dir())),
      device_(parse_device(config_.at("device").get<std::string>())),
      dtype_(parse_dtype(config_.at("dtype").get<std::string>(), device_)) {
  std::vector<PromptRecord> records = read_records(config_);
  text_ = open_text(config_, checkpoint_.folder(), any_text(records));
  const std::string outcomes = outcomes_key(command_, config_);
  PromptLimits limits{checkpoint_.spec().vocabulary, checkpoint_.max_tokens(), 0};
  const bool replies = may_reply(outcomes) && !(outcomes == "auto" && text_.chat.raw());
  if (replies) limits.max_new_tokens = config_.at("max_new_tokens");
  set_ = prepare_prompts(std::move(records), text_, config_, limits);
  work_.wants_reply = wanted_replies(set_, outcomes, text_.chat.raw());
  plan();
}

void PromptRun::plan() {
  work_.stop_tokens = stop_tokens(checkpoint_, text_);
  if (is_any(work_.wants_reply)) work_.max_new_tokens = config_.at("max_new_tokens");
  if (command_ == Command::kExtract) {
    work_.logits = config_.at("logits");
    work_.rows = resolve_layers(config_.at("layers"), checkpoint_.spec().layers + 1);
  }
  batch_size_ = optional_value<std::int64_t>(config_, "batch_size").value_or(0);
  batch_size_ = sizes().batch_size;
  group_size_ = optional_value<std::int64_t>(config_, "group_size")
                    .value_or(suitable_group_size(checkpoint_.spec(), set_, work_, device_.is_cpu()));
}

EngineSizes PromptRun::sizes() const {
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < set_.prompts.size(); ++i) jobs.push_back(make_job(set_, work_, i));
  return engine_sizes(checkpoint_.spec(), compute_dtype(dtype_, device_), jobs,
                      make_engine_options(work_, batch_size_));
}

Estimate PromptRun::estimate() const {
  Estimate estimate;
  const DecoderSpec& spec = checkpoint_.spec();
  const auto element = static_cast<std::int64_t>(c10::elementSize(dtype_));
  std::int64_t captured = 0;
  for (std::size_t i = 0; i < set_.prompts.size(); ++i) {
    const PreparedPrompt& prompt = set_.prompts[i];
    estimate.prompt_tokens += static_cast<std::int64_t>(prompt.prompt.ids.size());
    estimate.replies += work_.wants_reply[i];
    for (const auto& range : prompt.positions) captured += range ? range->size() : 0;
  }
  estimate.prompts = static_cast<std::int64_t>(set_.prompts.size());
  const EngineSizes engine = sizes();
  estimate.weight_bytes = weight_bytes(spec, compute_dtype(dtype_, device_));
  estimate.cache_bytes = engine.kv_bytes;
  estimate.workspace_bytes = engine.workspace_bytes;
  const std::int64_t rows = captured * static_cast<std::int64_t>(work_.rows.size()) * spec.hidden * element;
  const std::int64_t logits = work_.logits ? estimate.prompts * spec.vocabulary * 4 : 0;
  estimate.disk_bytes = 2 * (rows + logits) + 1'000'000;
  const std::int64_t tokens = estimate.prompt_tokens + estimate.replies * work_.max_new_tokens;
  estimate.flops = 2.0 * static_cast<double>(checkpoint_.parameters()) * static_cast<double>(tokens);
  return estimate;
}

void PromptRun::print_plan(bool json) const {
  const Estimate need = estimate();
  const Json plan{{"prompts", need.prompts},
                  {"prompt_tokens", need.prompt_tokens},
                  {"replies", need.replies},
                  {"template", text_.chat.name()},
                  {"device", device_.str()},
                  {"dtype", dtype_name(dtype_)},
                  {"batch_size", batch_size_},
                  {"group_size", group_size_},
                  {"weight_bytes", need.weight_bytes},
                  {"kv_cache_bytes", need.cache_bytes},
                  {"workspace_bytes", need.workspace_bytes},
                  {"disk_bytes", need.disk_bytes},
                  {"flops", need.flops},
                  {"sample", sample_proof(set_)}};
  if (json) {
    fmt::print("{}\n", to_line(plan));
    return;
  }
  fmt::print("prompts    {} ({} tokens), {} replies of up to {} tokens\n", need.prompts, need.prompt_tokens,
             need.replies, work_.max_new_tokens);
  fmt::print("template   {} ({})\n", text_.chat.name(), text_.reason);
  fmt::print("device     {}, {}\n", device_.str(), dtype_name(dtype_));
  fmt::print("memory     {} of weights, {} of keys and values (batches of {}), {} of activations\n",
             human_bytes(need.weight_bytes), human_bytes(need.cache_bytes), batch_size_,
             human_bytes(need.workspace_bytes));
  fmt::print("disk       {} at most\n", human_bytes(need.disk_bytes));
  fmt::print("work       {:.2g} FLOP in groups of {} prompts\n", need.flops, group_size_);
  for (const auto& [name, position] : plan.at("sample").at("positions").items()) {
    fmt::print("proof      {} of {}: {}\n", name,
               escape_for_terminal(plan["sample"]["id"].get<std::string>()),
               escape_for_terminal(to_line(position)));
  }
}

Json PromptRun::identity() const {
  Json config = Json::object();
  const std::vector<std::string> by_content{"model",    "data",    "data_root", "harmful",
                                            "harmless", "prompts", "field",     "limit"};
  for (const KeySpec& key : keys_of(command_)) {
    const bool hashed = std::find(by_content.begin(), by_content.end(), key.name) != by_content.end();
    if (key.decides && !hashed) config[key.name] = config_.at(key.name);
  }
  return {{"command", command_name(command_)},
          {"model", checkpoint_.fingerprint(config_.at("full_hash"))},
          {"template", text_.chat.name()},
          {"prompts", set_hashes(set_)},
          {"device", device_.is_cuda() ? "cuda" : "cpu"},
          {"dtype", dtype_name(dtype_)},
          {"batch_size", batch_size_},
          {"group_size", group_size_},
          {"config", config}};
}

void PromptRun::describe(RunDirectory& run) const {
  Json& manifest = run.manifest();
  manifest["versions"] = versions();
  manifest["command"] = command_name(command_);
  manifest["config"] = config_;
  manifest["model"] = {{"path", fs::absolute(checkpoint_.folder()).string()},
                       {"family", checkpoint_.spec().family},
                       {"parameters", checkpoint_.parameters()},
                       {"layers", checkpoint_.spec().layers},
                       {"hidden", checkpoint_.spec().hidden},
                       {"stored_dtype", safetensors_dtype(checkpoint_.stored_dtype())},
                       {"unknown_config_keys", checkpoint_.unknown_keys()}};
  manifest["template"] = {
      {"name", text_.chat.name()}, {"reason", text_.reason}, {"proof", sample_proof(set_)}};
  manifest["tokenizer"] = text_.tokenizer ? Json(text_.tokenizer->describe()) : Json();
  manifest["judge"] = judge_.name();
  manifest["device"] = device_.str();
  manifest["dtype"] = dtype_name(dtype_);
  const int threads = at::get_num_threads();
  if (run.resumed() && manifest.value("threads", threads) != threads) {
    run.warn(fmt::format("resumed with {} threads instead of {}: rows agree to 1e-5, not to the byte",
                         threads, manifest["threads"].get<int>()));
  }
  manifest["threads"] = threads;
  manifest["kv_cache_bytes"] = estimate().cache_bytes;
  warn_about_prompts(run, set_);
}

Decoder PromptRun::load() const {
  LoadOptions options;
  options.device = device_;
  options.dtype = dtype_;
  return Decoder(checkpoint_, options);
}

}  // namespace hrt
