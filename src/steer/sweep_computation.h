#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cell_edits.h"
#include "condition_scorer.h"
#include "hrt/model/steering.h"
#include "hrt/steer/sweep_work.h"

namespace hrt {

// One group of a sweep: its prompts as jobs, unsteered, the cells as branches of them, and what the engine
// asks and tells about them.
class SweepComputation {
 public:
  SweepComputation(const SweepWork::Parts& parts, const SweepGroup& items, const DecoderSpec& spec);

  // What is told while it runs.
  struct Listener {
    std::function<void(std::int64_t tokens)> tokens;
    std::function<void()> item;
    std::function<void(const Json& line)> reply;
  };
  // The tensors of the group's file (docs of SweepWork's readers).
  std::vector<NamedTensor> run(const Decoder& decoder, const Listener& listener, EngineStats& stats);

  // The first item alone, from its first token and block on, without sharing: at most one new token.
  JobResult run_first_alone(const Decoder& decoder, bool steered);

 private:
  void collect_rows();
  void add_cell(std::size_t cell, std::vector<Edit>& edits);
  void add_stem(std::size_t prompt);
  void add_item(std::size_t i);
  Branch branch_of(const SweepItem& item, std::size_t stem) const;
  void assign(std::size_t job, const SweepItem& item);
  EngineOptions options(std::int64_t batch_size) const;

  bool is_unchanged(std::size_t job, const at::Tensor& stem_rows) const;
  void see_logits(std::size_t job, const at::Tensor& logits);
  bool is_decided(const std::vector<std::int64_t>& reply) const;
  void finished(std::size_t job, const JobResult& result, const Listener& listener) const;

  std::vector<NamedTensor> tensors(const std::vector<JobResult>& results) const;
  at::Tensor receipts() const;
  std::int64_t neutral_tokens(std::size_t cell) const;
  bool is_harmless(std::size_t job) const;

  const PreparedPrompt& prompt_of(const SweepItem& item) const {
    return parts_.prompts.set().prompts[item.prompt];
  }

  const SweepWork::Parts& parts_;
  const SweepGroup& items_;
  const DecoderSpec& spec_;
  std::vector<std::int64_t> rows_;
  bool has_conditions_ = false;
  std::map<std::size_t, CellEdits> cells_;
  std::map<std::size_t, std::size_t> first_edit_;      // by cell, in `steering_`
  std::map<std::size_t, ConditionScorer> conditions_;  // by cell
  std::optional<Steering> steering_;
  std::vector<Job> jobs_;
  std::map<std::size_t, std::size_t> stems_;         // by prompt, the job
  std::vector<std::optional<std::size_t>> item_of_;  // by job; a prompt that only cells start from has none
  std::vector<std::size_t> job_of_;                  // by item
  std::map<std::size_t, bool> unchanged_;            // by job
  std::map<std::size_t, at::Tensor> base_logits_;    // by stem
  std::vector<double> kl_;                           // by job
  std::vector<std::array<double, 2>> mass_;          // by job: yes, no
};

}  // namespace hrt
