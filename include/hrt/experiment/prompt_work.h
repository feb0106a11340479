#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hrt/data/judge.h"
#include "hrt/experiment/grouped_work.h"
#include "hrt/experiment/prompt_set.h"
#include "hrt/text/tokenizer.h"

namespace hrt {

// What is computed for every prompt of a run.
struct Work {
  std::vector<std::int64_t> rows;  // rows to capture; empty: none
  bool logits = false;
  std::int64_t max_new_tokens = 0;
  std::vector<bool> wants_reply;   // per prompt: one is generated
  std::vector<bool> judges_given;  // per prompt: the file's own reply says what the model did
  std::vector<std::int64_t> stop_tokens;
  Sampling sampling = {};
  std::uint64_t seed = 0;
};

// The work of one prompt, and of all of them, for the engine. A reply that is there already is computed with
// the prompt, and none is generated.
Job make_job(const PromptSet& set, const Work& work, std::size_t prompt);
// Tokens of a prompt's reply: of the one that is there, or at most so many that are generated.
std::int64_t reply_length(const PromptSet& set, const Work& work, std::size_t prompt);
EngineOptions make_engine_options(const Work& work, std::int64_t batch_size);

// Prompts [begin, end) that are computed, saved and resumed as one.
struct Group {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t size() const { return end - begin; }
};

// What a group on a CPU should cost: about a minute on a few cores.
inline constexpr double kCpuGroupFlops = 10e12;
// Weights of all blocks that a token goes through (of experts, its own), each of which costs a multiplication
// and an addition.
std::int64_t parameters_per_token(const DecoderSpec& spec);

// Cuts the prompts into groups of `size`, the last one smaller.
std::vector<Group> cut_groups(std::int64_t prompts, std::int64_t size);

// Prompts in a group that suit the model and the prompts: on a CPU about a minute's work, and never more
// captured rows than fit 256 MB. Depends on sizes only, so that every machine cuts alike.
std::int64_t suitable_group_size(const DecoderSpec& spec, const PromptSet& set, const Work& work, bool cpu);

// How a reply is read.
struct ReplyReader {
  const Tokenizer* tokenizer = nullptr;  // null: replies have no text
  const Judge* judge = nullptr;
};

// Every prompt once: its rows and, where wanted, its reply.
class PromptWork : public GroupedWork {
 public:
  PromptWork(std::filesystem::path folder, const PromptSet& set, const Work& work, std::vector<Group> groups,
             std::int64_t batch_size, ReplyReader reader)
      : GroupedWork(std::move(folder)),
        set_(set),
        work_(work),
        groups_(std::move(groups)),
        batch_size_(batch_size),
        reader_(reader) {}

  std::size_t group_count() const override { return groups_.size(); }
  const std::vector<Group>& groups() const { return groups_; }
  std::vector<Json> reply_lines(std::size_t group) const override;

  // [prompts with this position, rows, hidden]; a span: [sum of tokens, rows, hidden].
  at::Tensor rows(std::size_t group, const PositionSpec& spec) const {
    return result(group).tensor("rows." + spec.name);
  }
  at::Tensor logits(std::size_t group) const {
    return result(group).tensor("logits");
  }  // [prompts, vocabulary]

 private:
  Size size_of(std::size_t group) const override;
  std::string unit() const override { return "prompts"; }
  std::vector<NamedTensor> compute(const Decoder& decoder, std::size_t group, const Events& events,
                                   EngineStats& stats) override;
  std::vector<NamedTensor> tensors_of(const Group& group, const std::vector<JobResult>& results) const;

  const PromptSet& set_;
  const Work& work_;
  std::vector<Group> groups_;
  std::int64_t batch_size_;
  ReplyReader reader_;
};

// The rows of one of a prompt's positions, which it has, out of its captured rows, [tokens, rows, hidden].
at::Tensor rows_of_position(const std::vector<std::optional<TokenRange>>& positions, std::size_t position,
                            const JobResult& result);

}  // namespace hrt
