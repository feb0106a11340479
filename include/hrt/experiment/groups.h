#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hrt/base/progress.h"
#include "hrt/data/judge.h"
#include "hrt/experiment/prompt_set.h"
#include "hrt/experiment/run_directory.h"
#include "hrt/model/engine.h"

namespace hrt {

// A reply of the model.
struct Reply {
  std::vector<std::int64_t> tokens;  // without the stop token
  StopReason stop = StopReason::kNone;
  double first_margin = 0;  // best minus second-best logit at its first token
};

// What is computed for every prompt of a run.
struct Work {
  std::vector<std::int64_t> rows;  // rows to capture; empty: none
  bool logits = false;
  std::int64_t max_new_tokens = 0;
  std::vector<bool> wants_reply;  // per prompt
  std::vector<std::int64_t> stop_tokens;
};

// The work of one prompt, and of all of them, for the engine.
Job make_job(const PromptSet& set, const Work& work, std::size_t prompt);
EngineOptions make_engine_options(const Work& work, std::int64_t batch_size);

// Prompts [begin, end) that are computed, saved and resumed as one.
struct Group {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t size() const { return end - begin; }
};

// Cuts the prompts into groups of `size`, the last one smaller.
std::vector<Group> cut_groups(std::int64_t prompts, std::int64_t size);

// Prompts in a group that suit the model and the prompts: on a CPU about a minute's work, and never more
// captured rows than fit 256 MB. Depends on sizes only, so that every machine cuts alike.
std::int64_t suitable_group_size(const DecoderSpec& spec, const PromptSet& set, const Work& work, bool cpu);

// One computed group, read back from its file.
class GroupResult {
 public:
  explicit GroupResult(const std::filesystem::path& file) : file_(file) {}

  // [prompts with this position, rows, hidden]; a span: [sum of tokens, rows, hidden].
  at::Tensor rows(const PositionSpec& spec) const { return file_.tensor("rows." + spec.name); }
  at::Tensor logits() const { return file_.tensor("logits"); }  // [prompts, vocabulary]
  std::vector<std::optional<Reply>> replies() const;            // per prompt of the group

 private:
  SafetensorsFile file_;
};

// Told of every reply as it is complete.
using ReplyListener = std::function<void(const PreparedPrompt&, const Reply&)>;

// Computes the groups that are not on disk yet and leaves one file each in RunDirectory::work().
class GroupRunner {
 public:
  GroupRunner(const RunDirectory& run, const PromptSet& set, const Work& work, std::vector<Group> groups)
      : run_(run), set_(set), work_(work), groups_(std::move(groups)) {}

  bool is_done(std::size_t group) const;
  GroupResult result(std::size_t group) const { return GroupResult(file_of(group)); }
  const std::vector<Group>& groups() const { return groups_; }

  // Throws Interrupted after the current group when a signal asks for it.
  void run(const Decoder& decoder, std::int64_t batch_size, const ReplyListener& on_reply,
           EngineStats& stats);

 private:
  std::filesystem::path file_of(std::size_t group) const;
  // Tokens that a group computes at most.
  std::int64_t planned_tokens(const Group& group) const;
  void run_group(const Decoder& decoder, std::size_t group, std::int64_t batch_size,
                 const ReplyListener& on_reply, EngineStats& stats, Progress& progress,
                 std::int64_t done_before);
  void save(std::size_t group, const std::vector<JobResult>& results) const;

  const RunDirectory& run_;
  const PromptSet& set_;
  const Work& work_;
  std::vector<Group> groups_;
};

// The rows of one position out of a prompt's captured rows, [tokens, rows, hidden].
at::Tensor rows_of_position(const PreparedPrompt& prompt, std::size_t position, const JobResult& result);

}  // namespace hrt
