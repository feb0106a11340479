#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>

#include "hrt/base/hash.h"
#include "hrt/base/log.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/direction_source.h"
#include "hrt/experiment/prompt_run.h"
#include "hrt/experiment/repeated_prompts.h"
#include "hrt/experiment/run_model.h"
#include "hrt/experiment/versions.h"
#include "hrt/model/device.h"
#include "prompt_proof.h"

namespace hrt {
namespace {

// The prompts for which `test` is true: their number, and the first one's id as an example.
class Cases {
 public:
  template <typename Test>
  Cases(const PromptSet& set, Test test) {
    for (const PreparedPrompt& prompt : set.prompts) {
      if (test(prompt) && count_++ == 0) first_ = prompt.record.id;
    }
  }
  bool any() const { return count_ > 0; }
  std::string text() const { return fmt::format("{} (such as {})", counted(count_, "prompt"), first_); }

 private:
  std::size_t count_ = 0;
  std::string first_;
};

void add_position_warnings(std::vector<std::string>& warnings, const PromptSet& set) {
  for (std::size_t i = 0; i < set.specs.size(); ++i) {
    const PositionSpec& spec = set.specs[i];
    if (spec.in_reply()) continue;  // not known yet
    const Cases missing(set, [i](const PreparedPrompt& p) { return !p.positions[i]; });
    if (missing.any()) {
      warnings.push_back(
          fmt::format("position {} is not there in {}, which are left out there", spec.name, missing.text()));
    }
    const Cases outside(
        set, [&](const PreparedPrompt& p) { return p.positions[i] && leaves_its_part(spec, p.prompt); });
    if (outside.any()) {
      const bool inst = spec.anchor == PositionSpec::Anchor::kInst;
      warnings.push_back(fmt::format("position {} lies {} in {}", spec.name,
                                     inst ? "before the instruction" : "in the instruction or before it",
                                     outside.text()));
    }
  }
}

std::vector<std::string> prompt_warnings(const PromptSet& set) {
  std::vector<std::string> warnings = describe_repeats(set);
  const auto number = [](std::int64_t count) { return counted(static_cast<std::size_t>(count), "prompt"); };
  if (set.kept_straddles > 0) {
    warnings.push_back(fmt::format("a token that straddles the instruction's edge is kept in {}",
                                   number(set.kept_straddles)));
  }
  if (set.skipped_straddles > 0) {
    warnings.push_back(fmt::format("{} with a straddling token left out", number(set.skipped_straddles)));
  }
  add_position_warnings(warnings, set);
  return warnings;
}

// A template or a question out of a file counts by what is in it, not by where it lies.
Json by_content_of(const Json& value) {
  const bool file = value.is_string() && is_template_file(value.get<std::string>());
  return file ? Json(fmt::format("a file of sha256 {}", sha256_of_file(value.get<std::string>()))) : value;
}

}  // namespace

Json PromptRun::identity() const {
  Json config = Json::object();
  const std::vector<std::string> by_content{"model",    "adapter", "data",  "data_root", "harmful",
                                            "harmless", "prompts", "field", "limit"};
  for (const KeySpec& key : keys_of(command_)) {
    const bool hashed = std::find(by_content.begin(), by_content.end(), key.name) != by_content.end();
    const bool whole = key.name == "shard" && config_.at(key.name).is_null();
    if (key.decides && !hashed && !whole) config[key.name] = config_.at(key.name);
  }
  // Where directions lie decides nothing; their bytes are part of a sweep's own identity.
  if (config.contains("direction") && config.at("direction").is_string())
    config["direction"] = split_direction(config.at("direction")).name;
  for (const char* key : {"template", "question"}) {
    if (config.contains(key)) config[key] = by_content_of(config.at(key));
  }
  Json identity{{"command", command_name(command_)},
                {"model", checkpoint_.fingerprint(config_.at("full_hash"))},
                {"template", text_.chat.name()},
                {"device", device_.is_cuda() ? "cuda" : "cpu"},
                {"dtype", dtype_name(dtype_)}};
  // Causes in front of what they change: a difference is told at the first place.
  identity["config"] = config;
  identity["prompts"] = prompt_hashes_;
  identity["batch_size"] = batch_size_;
  identity["group_size"] = group_size_;
  return identity;
}

std::vector<std::string> PromptRun::warnings() const {
  std::vector<std::string> warnings = checkpoint_.warnings();
  std::ranges::copy(prompt_warnings(set_), std::back_inserter(warnings));
  if (text_.disagreement) warnings.push_back(*text_.disagreement);
  const bool labels = set_.has(Label::kHarmful) && set_.has(Label::kHarmless);
  const bool unknown =
      std::ranges::any_of(set_.prompts, [](const PreparedPrompt& p) { return !p.record.outcome; });
  if (command_ == Command::kExtract && config_.at("outcomes") == "auto" && text_.chat.raw() && labels &&
      unknown) {
    warnings.push_back(
        "with the raw template no replies are generated: outcomes stay unknown and there is no refusal "
        "direction (--outcomes generate asks for replies, --outcomes none for nothing)");
  }
  return warnings;
}

void PromptRun::describe(RunDirectory& run) const {
  Json& manifest = run.manifest();
  manifest["versions"] = versions();
  manifest["command"] = command_name(command_);
  manifest["config"] = config_;
  const Json model = run_model(checkpoint_);
  manifest["model"] = model;
  spdlog::info("model {}", model_line(model));
  if (model.contains("adapter")) spdlog::info("adapter {}", adapter_line(model.at("adapter")));
  manifest["template"] = {{"name", text_.chat.name()},
                          {"reason", text_.reason},
                          {"clock", text_.clock},
                          {"takes_leading_space", set_.leading_spaces},
                          {"kept_straddles", set_.kept_straddles},
                          {"skipped_straddles", set_.skipped_straddles},
                          {"proof", sample_proof(set_)}};
  if (!text_.template_content.is_null()) manifest["template"]["content"] = text_.template_content;
  if (set_.leading_spaces > 0) {
    spdlog::info("the first instruction token takes in white space of the template in {}",
                 counted(static_cast<std::size_t>(set_.leading_spaces), "prompt"));
  }
  manifest["tokenizer"] = text_.tokenizer ? Json(text_.tokenizer->describe()) : Json();
  if (config_.contains("judge")) manifest["judge"] = judge_.name();
  manifest["device"] = device_.str();
  manifest["dtype"] = dtype_name(dtype_);
  const int threads = at::get_num_threads();
  if (run.resumed() && manifest.value("threads", threads) != threads) {
    run.warn(fmt::format("resumed with {} threads instead of {}: rows agree to 1e-5, not to the byte",
                         threads, manifest["threads"].get<int>()));
  }
  manifest["threads"] = threads;
  manifest["kv_cache_bytes"] = estimate_.cache_bytes;
  for (const std::string& warning : warnings()) run.warn(warning);
}

}  // namespace hrt
