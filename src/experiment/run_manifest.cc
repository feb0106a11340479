#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "hrt/base/hash.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/prompt_run.h"
#include "hrt/experiment/versions.h"
#include "hrt/model/device.h"
#include "prompt_proof.h"
#include "repeated_prompts.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

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

void warn_about_prompts(RunDirectory& run, const PromptSet& set) {
  if (set.kept_straddles > 0) {
    run.warn(
        fmt::format("{} prompts keep a token that straddles the instruction's edge", set.kept_straddles));
  }
  if (set.skipped_straddles > 0) {
    run.warn(fmt::format("{} prompts with a straddling token were left out", set.skipped_straddles));
  }
  for (std::size_t i = 0; i < set.specs.size(); ++i) {
    const auto missing = std::count_if(set.prompts.begin(), set.prompts.end(),
                                       [i](const PreparedPrompt& p) { return !p.positions[i]; });
    if (missing > 0)
      run.warn(fmt::format("{} prompts lack position {} and are left out there", missing, set.specs[i].name));
  }
  for (const std::string& repeat : describe_repeats(set)) run.warn(repeat);
}

}  // namespace

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

}  // namespace hrt
