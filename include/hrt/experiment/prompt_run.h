#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/data/judge.h"
#include "hrt/experiment/config_keys.h"
#include "hrt/experiment/prompt_set.h"
#include "hrt/experiment/prompt_work.h"
#include "hrt/experiment/run_directory.h"
#include "hrt/experiment/shard.h"
#include "hrt/model/checkpoint.h"
#include "hrt/model/decoder.h"
#include "hrt/model/engine.h"
#include "hrt/model/memory.h"

namespace hrt {

// What a run will need, known before anything is computed.
struct Estimate {
  std::int64_t prompts = 0;
  std::int64_t prompt_tokens = 0;
  std::int64_t replies = 0;
  std::uint64_t weight_bytes = 0;
  std::uint64_t cache_bytes = 0;  // keys and values of one batch
  std::uint64_t workspace_bytes = 0;
  std::uint64_t disk_bytes = 0;  // at its largest, groups and result side by side
  double flops = 0;
};

// What a command adds to that.
struct PlanEntry {
  std::string name;
  Json value;
  std::string text;
};

// Prompts through a model, as every command that opens one begins: resolve, prove, plan, compute. The
// constructor checks all input and computes nothing.
class PromptRun {
 public:
  PromptRun(Command command, Json config);

  const Json& config() const { return config_; }
  const Checkpoint& checkpoint() const { return checkpoint_; }
  const TextSetup& text() const { return text_; }
  const PromptSet& set() const { return set_; }
  const Work& work() const { return work_; }
  const Judge& judge() const { return judge_; }
  c10::Device device() const { return device_; }
  at::ScalarType dtype() const { return dtype_; }
  std::int64_t batch_size() const { return batch_size_; }
  std::int64_t group_size() const { return group_size_; }

  const Estimate& estimate() const { return estimate_; }
  // What deserves a warning before anything is computed.
  std::vector<std::string> warnings() const;
  // --dry-run. `output`: what the output folder holds, in words; `more` of either is the command's own.
  void print_plan(const std::string& output, const std::vector<PlanEntry>& more,
                  const std::vector<std::string>& more_warnings, bool json) const;

  ReplyReader reader() const { return {text_.tokenizer.get(), &judge_}; }

  // The part of the prompts that this run computes; nothing: all of them.
  const std::optional<Shard>& shard() const { return shard_; }

  // What decides the numbers; a resumed run must have the same. Of a shard: the hashes of all shards' prompts.
  Json identity() const;
  // Writes what is known into the manifest, warnings included.
  void describe(RunDirectory& run) const;
  Decoder load() const;

 private:
  void keep_shard();
  void plan();
  EngineSizes sizes() const;
  Estimate make_estimate() const;

  Json config_;
  Command command_;
  Checkpoint checkpoint_;
  Judge judge_;
  TextSetup text_;
  PromptSet set_;
  Json prompt_hashes_;
  std::optional<Shard> shard_;
  Work work_;
  c10::Device device_;
  at::ScalarType dtype_;
  std::int64_t batch_size_ = 0;
  std::int64_t group_size_ = 0;
  Estimate estimate_;
};

}  // namespace hrt
