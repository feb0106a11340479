#include "sweep_computation.h"

#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "hrt/analysis/refusal_score.h"
#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

// How many new tokens pass between two looks at whether a reply is decided.
constexpr std::size_t kLookEvery = 4;

double mass_of(const at::Tensor& probabilities, const std::vector<std::int64_t>& tokens) {
  double mass = 0;
  for (const std::int64_t token : tokens) mass += probabilities[token].item<double>();
  return mass;
}

}  // namespace

SweepComputation::SweepComputation(const SweepWork::Parts& parts, const SweepGroup& items,
                                   const DecoderSpec& spec)
    : parts_(parts), items_(items), spec_(spec) {
  collect_rows();
  std::vector<Edit> edits;
  for (const SweepItem& item : items_) add_cell(item.cell, edits);
  steering_.emplace(std::move(edits), spec.hidden);
  for (const SweepItem& item : items_) add_stem(item.prompt);
  for (std::size_t i = 0; i < items_.size(); ++i) add_item(i);
  kl_.assign(jobs_.size(), std::numeric_limits<double>::quiet_NaN());
  mass_.assign(jobs_.size(), {0, 0});
}

// Row L of the last token, which verification compares, and the rows that conditions look at.
void SweepComputation::collect_rows() {
  std::set<std::int64_t> wanted{spec_.layers};
  for (const SweepItem& item : items_) {
    const auto& when = parts_.cells[item.cell].when;
    if (!when) continue;
    has_conditions_ = true;
    wanted.insert(when->rows.begin(), when->rows.end());
  }
  rows_.assign(wanted.begin(), wanted.end());
}

void SweepComputation::add_cell(std::size_t cell, std::vector<Edit>& edits) {
  const Cell& described = parts_.cells[cell];
  if (described.is_baseline() || cells_.contains(cell)) return;
  CellEdits own = edits_of(described, parts_.directions, spec_.hidden);
  first_edit_[cell] = edits.size();
  edits.insert(edits.end(), own.edits.begin(), own.edits.end());
  cells_.emplace(cell, std::move(own));
  if (described.when) conditions_.emplace(cell, ConditionScorer(*described.when, parts_.directions, rows_));
}

void SweepComputation::add_stem(std::size_t prompt) {
  if (!stems_.emplace(prompt, jobs_.size()).second) return;
  const TemplatedPrompt& prepared = parts_.prompts.set().prompts[prompt].prompt;
  const auto last = static_cast<std::int64_t>(prepared.ids.size()) - 1;
  Job job{.tokens = prepared.ids, .capture = {last}};
  if (has_conditions_ && *prepared.t_inst != last) job.capture = {*prepared.t_inst, last};
  jobs_.push_back(std::move(job));
  item_of_.emplace_back();
}

void SweepComputation::add_item(std::size_t i) {
  const SweepItem& item = items_[i];
  const std::size_t stem = stems_.at(item.prompt);
  std::size_t job = stem;
  if (!parts_.cells[item.cell].is_baseline()) {
    job = jobs_.size();
    jobs_.push_back(jobs_[stem]);
    item_of_.emplace_back();
    jobs_[job].branch = branch_of(item, stem);
    assign(job, item);
  }
  const Work& work = parts_.prompts.work();
  item_of_[job] = i;
  jobs_[job].max_new_tokens = work.max_new_tokens;
  // The same draws in every cell, so that cells differ by what is done to them alone.
  jobs_[job].seed = work.seed * 1'000'003 + item.prompt;
  job_of_.push_back(job);
}

Branch SweepComputation::branch_of(const SweepItem& item, std::size_t stem) const {
  const auto first = cells_.at(item.cell).first_token(prompt_of(item).prompt);
  return {stem, first_layer(parts_.cells[item.cell]), first.value_or(0),
          static_cast<std::int64_t>(item.cell)};
}

void SweepComputation::assign(std::size_t job, const SweepItem& item) {
  const CellEdits& own = cells_.at(item.cell);
  for (std::size_t e = 0; e < own.edits.size(); ++e) {
    steering_->assign(static_cast<std::int64_t>(job), first_edit_.at(item.cell) + e,
                      tokens_of(own.scopes[e], prompt_of(item).prompt));
  }
}

EngineOptions SweepComputation::options(std::int64_t batch_size) const {
  EngineOptions options = make_engine_options(parts_.prompts.work(), batch_size);
  options.rows = rows_;
  return options;
}

std::vector<NamedTensor> SweepComputation::run(const Decoder& decoder, const Listener& listener,
                                               EngineStats& stats) {
  EngineEvents events;
  events.tokens = listener.tokens;
  events.finished = [&](std::size_t job, const JobResult& result) { finished(job, result, listener); };
  events.next_logits = [&](std::size_t job, const at::Tensor& logits) { see_logits(job, logits); };
  events.unchanged = [&](std::size_t job, const at::Tensor& stem_rows) {
    return unchanged_[job] = is_unchanged(job, stem_rows);
  };
  if (parts_.decided) events.decided = [&](std::size_t, const auto& reply) { return is_decided(reply); };
  const Hook hook = steering_->hook();
  return tensors(run_jobs(decoder, jobs_, options(parts_.batch_size), events, {&hook, 1}, &stats));
}

JobResult SweepComputation::run_first_alone(const Decoder& decoder, bool steered) {
  std::vector<Job> jobs = jobs_;
  for (Job& job : jobs) {
    job.branch.reset();
    job.max_new_tokens = std::min<std::int64_t>(job.max_new_tokens, 1);
  }
  EngineOptions alone = options(1);
  alone.share_prefix = false;
  const Hook hook = steering_->hook();
  const auto hooks = steered ? std::span(&hook, 1) : std::span<const Hook>{};
  return run_jobs(decoder, jobs, alone, {}, hooks)[job_of_.front()];
}

bool SweepComputation::is_unchanged(std::size_t job, const at::Tensor& stem_rows) const {
  const SweepItem& item = items_[*item_of_[job]];
  const CellEdits& own = cells_.at(item.cell);
  if (own.neutral || !own.first_token(prompt_of(item).prompt)) return true;
  const auto condition = conditions_.find(item.cell);
  // The first captured token is t_inst.
  return condition != conditions_.end() && !condition->second.holds(stem_rows.select(0, 0));
}

void SweepComputation::see_logits(std::size_t job, const at::Tensor& logits) {
  const at::Tensor row = logits.to(at::kCPU, at::kFloat, false, true);
  if (parts_.answers) {
    const at::Tensor probabilities = at::softmax(row, 0, at::kDouble);
    mass_[job] = {mass_of(probabilities, parts_.answers->yes), mass_of(probabilities, parts_.answers->no)};
  }
  if (!jobs_[job].branch) {
    base_logits_[job] = row;
  } else if (is_harmless(job)) {
    const at::Tensor& base = base_logits_.at(jobs_[job].branch->stem);
    kl_[job] = kl_divergences(base.unsqueeze(0), row.unsqueeze(0)).front();
  }
}

bool SweepComputation::is_decided(const std::vector<std::int64_t>& reply) const {
  const Tokenizer* tokenizer = parts_.prompts.reader().tokenizer;
  if (reply.size() % kLookEvery != 0 || tokenizer == nullptr) return false;
  return parts_.decided(tokenizer->decode(reply, true));
}

void SweepComputation::finished(std::size_t job, const JobResult& result, const Listener& listener) const {
  if (!item_of_[job]) return;
  listener.item();
  if (result.stop == StopReason::kNone) return;
  listener.reply(parts_.describe(items_[*item_of_[job]], {result.reply, result.stop, result.first_margin}));
}

bool SweepComputation::is_harmless(std::size_t job) const {
  return prompt_of(items_[*item_of_[job]]).record.label == Label::kHarmless;
}

std::vector<NamedTensor> SweepComputation::tensors(const std::vector<JobResult>& results) const {
  std::vector<JobResult> ordered;
  std::vector<at::Tensor> last_rows;
  std::vector<double> kl;
  std::vector<double> mass;
  std::vector<std::int64_t> steered;
  for (const std::size_t job : job_of_) {
    const auto told = unchanged_.find(job);
    const bool unchanged = told != unchanged_.end() && told->second;
    const auto& answer = mass_[unchanged ? jobs_[job].branch->stem : job];
    ordered.push_back(results[job]);
    last_rows.push_back(results[job].rows.select(0, -1).select(0, -1));
    kl.push_back(unchanged && is_harmless(job) ? 0 : kl_[job]);
    mass.insert(mass.end(), answer.begin(), answer.end());
    steered.push_back(jobs_[job].branch && !unchanged);
  }
  std::vector<NamedTensor> tensors;
  add_replies(tensors, ordered);
  tensors.push_back({"last_rows", at::stack(last_rows)});
  tensors.push_back({"kl", at::tensor(kl, at::kDouble)});
  tensors.push_back({"answer_mass", at::tensor(mass, at::kDouble).view({-1, 2})});
  tensors.push_back({"steered", at::tensor(steered)});
  tensors.push_back({"receipts", receipts()});
  return tensors;
}

// [cells, 4]: cell, tokens, tokens x places, sum of norm changes over these.
at::Tensor SweepComputation::receipts() const {
  std::vector<double> receipts;
  for (const auto& [cell, own] : cells_) {
    std::int64_t most = neutral_tokens(cell);
    double change = 0;
    double tokens = 0;
    for (std::size_t e = 0; e < own.edits.size(); ++e) {
      const EditTally& tally = steering_->tallies()[first_edit_.at(cell) + e];
      most = std::max(most, tally.tokens);
      change += tally.norm_change;
      tokens += static_cast<double>(tally.tokens);
    }
    if (!std::isfinite(change)) {
      throw RunError("cell \"{}\": its steering makes activations that are not finite",
                     escape_for_terminal(parts_.cells[cell].name));
    }
    for (const double value : {static_cast<double>(cell), static_cast<double>(most), tokens, change}) {
      receipts.push_back(value);
    }
  }
  return at::tensor(receipts, at::kDouble).view({-1, 4});
}

// What a cell without effect would have touched in the prompts: its edits are not made.
std::int64_t SweepComputation::neutral_tokens(std::size_t cell) const {
  if (!cells_.at(cell).neutral) return 0;
  std::int64_t tokens = 0;
  for (const SweepItem& item : items_) {
    if (item.cell != cell) continue;
    const TemplatedPrompt& prompt = prompt_of(item).prompt;
    const TokenSpan span = tokens_of(parts_.cells[cell].interventions.front().scope, prompt);
    tokens += std::min(span.end, static_cast<std::int64_t>(prompt.ids.size())) - span.begin;
  }
  return tokens;
}

}  // namespace hrt
