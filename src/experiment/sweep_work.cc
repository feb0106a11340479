#include "hrt/experiment/sweep_work.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "cell_edits.h"
#include "hrt/analysis/refusal_score.h"
#include "hrt/analysis/scores.h"
#include "hrt/base/interrupt.h"
#include "hrt/base/progress.h"
#include "hrt/experiment/replies.h"

namespace hrt {
namespace {

// How many new tokens pass between two looks at whether a reply is decided.
constexpr std::size_t kLookEvery = 4;

at::Tensor int_tensor(const std::vector<std::int64_t>& values) {
  return at::tensor(at::ArrayRef<std::int64_t>(values), at::kLong);
}

template <typename T>
std::vector<T> values_of(const at::Tensor& tensor) {
  const T* data = tensor.const_data_ptr<T>();
  return {data, data + tensor.numel()};
}

double mass_of(const at::Tensor& probabilities, const std::vector<std::int64_t>& tokens) {
  double mass = 0;
  for (const std::int64_t token : tokens) mass += probabilities[token].item<double>();
  return mass;
}

// Means over a condition's rows of the score at t_inst, against the centroids of harmful and harmless
// prompts.
class ConditionScorer {
 public:
  ConditionScorer(const Condition& condition, const DirectionSource& directions,
                  const std::vector<std::int64_t>& rows)
      : condition_(condition) {
    std::vector<at::Tensor> plus;
    std::vector<at::Tensor> minus;
    for (const std::int64_t row : condition.rows) {
      plus.push_back(directions.centroid("harmful.t_inst", row));
      minus.push_back(directions.centroid("harmless.t_inst", row));
      index_.push_back(std::ranges::find(rows, row) - rows.begin());
    }
    scorer_.emplace(at::stack(plus), at::stack(minus));
  }

  // `rows`: [rows, hidden] of t_inst.
  bool holds(const at::Tensor& rows) const {
    const at::Tensor wanted = rows.index_select(0, int_tensor(index_)).unsqueeze(0);
    const RowScores scores = centroid_scores(wanted, *scorer_).front();
    const auto mean = row_mean(scores, condition_.rows).all_rows;
    return mean && (condition_.above ? *mean > condition_.threshold : *mean < condition_.threshold);
  }

 private:
  const Condition& condition_;
  std::vector<std::int64_t> index_;
  std::optional<CentroidScorer> scorer_;
};

}  // namespace

// One group's jobs: the prompts unsteered, then the cells' branches, and what is told of them.
struct SweepWork::Computation {
  Computation(const Parts& the_parts, const SweepGroup& the_items, const DecoderSpec& the_spec)
      : parts(the_parts), items(the_items), spec(the_spec), work(the_parts.prompts.work()) {
    collect_rows();
    std::vector<Edit> edits;
    for (const SweepItem& item : items) add_cell(item.cell, edits);
    steering.emplace(std::move(edits), spec.hidden);
    for (const SweepItem& item : items) stem_of(item.prompt);
    for (std::size_t i = 0; i < items.size(); ++i) add_item(i);
    kl.assign(jobs.size(), std::numeric_limits<double>::quiet_NaN());
    mass.assign(jobs.size(), {0, 0});
  }

  const PromptSet& set() const { return parts.prompts.set(); }
  const Cell& cell_of(std::size_t job) const { return parts.cells[items[item_of[job]].cell]; }

  // Row L of the last token, which verification compares, and the rows that conditions look at.
  void collect_rows() {
    std::set<std::int64_t> wanted{spec.layers};
    for (const SweepItem& item : items) {
      const auto& when = parts.cells[item.cell].when;
      if (when) wanted.insert(when->rows.begin(), when->rows.end());
    }
    rows.assign(wanted.begin(), wanted.end());
  }

  void add_cell(std::size_t cell, std::vector<Edit>& edits) {
    if (parts.cells[cell].is_baseline() || cells.contains(cell)) return;
    CellEdits own = edits_of(parts.cells[cell], parts.directions, spec.hidden);
    first_edit[cell] = edits.size();
    edits.insert(edits.end(), own.edits.begin(), own.edits.end());
    cells.emplace(cell, std::move(own));
  }

  std::size_t stem_of(std::size_t prompt) {
    const auto [stem, is_new] = stems.emplace(prompt, jobs.size());
    if (!is_new) return stem->second;
    const TemplatedPrompt& prepared = set().prompts[prompt].prompt;
    const auto last = static_cast<std::int64_t>(prepared.ids.size()) - 1;
    Job job{.tokens = prepared.ids, .capture = {last}};
    if (rows.size() > 1 && *prepared.t_inst != last) job.capture = {*prepared.t_inst, last};
    jobs.push_back(std::move(job));
    item_of.push_back(items.size());  // none yet
    return stem->second;
  }

  void add_item(std::size_t i) {
    const SweepItem& item = items[i];
    const std::size_t stem = stems.at(item.prompt);
    std::size_t job = stem;
    if (!parts.cells[item.cell].is_baseline()) {
      job = jobs.size();
      jobs.push_back(jobs[stem]);
      item_of.push_back(i);
      jobs[job].branch = branch_of(item, stem);
      assign(job, item);
    }
    item_of[job] = i;
    jobs[job].max_new_tokens = work.max_new_tokens;
    // The same draws in every cell, so that cells differ by what is done to them alone.
    jobs[job].seed = work.seed * 1'000'003 + item.prompt;
    job_of.push_back(job);
  }

  Branch branch_of(const SweepItem& item, std::size_t stem) const {
    const auto first = cells.at(item.cell).first_token(set().prompts[item.prompt].prompt);
    return {stem, first_layer(parts.cells[item.cell]), first.value_or(0),
            static_cast<std::int64_t>(item.cell)};
  }

  void assign(std::size_t job, const SweepItem& item) {
    const CellEdits& own = cells.at(item.cell);
    for (std::size_t e = 0; e < own.edits.size(); ++e) {
      steering->assign(static_cast<std::int64_t>(job), first_edit.at(item.cell) + e,
                       tokens_of(own.scopes[e], set().prompts[item.prompt].prompt));
    }
  }

  // --- what the engine asks and tells ---

  bool is_unchanged(std::size_t job, const at::Tensor& stem_rows) {
    const SweepItem& item = items[item_of[job]];
    const CellEdits& own = cells.at(item.cell);
    if (own.neutral || !own.first_token(set().prompts[item.prompt].prompt)) return true;
    const auto& when = parts.cells[item.cell].when;
    // The first captured token is t_inst.
    return when && !ConditionScorer(*when, parts.directions, rows).holds(stem_rows.select(0, 0));
  }

  void see_logits(std::size_t job, const at::Tensor& logits) {
    const at::Tensor row = logits.to(at::kCPU, at::kFloat, false, true);
    if (parts.answers) {
      const at::Tensor probabilities = at::softmax(row, 0, at::kDouble);
      mass[job] = {mass_of(probabilities, parts.answers->yes), mass_of(probabilities, parts.answers->no)};
    }
    if (!jobs[job].branch) {
      base_logits[job] = row;
      return;
    }
    const SweepItem& item = items[item_of[job]];
    if (set().prompts[item.prompt].record.label != Label::kHarmless) return;
    kl[job] = kl_divergences(base_logits.at(jobs[job].branch->stem).unsqueeze(0), row.unsqueeze(0)).front();
  }

  bool is_decided(const std::vector<std::int64_t>& reply) const {
    if (reply.size() % kLookEvery != 0 || parts.prompts.reader().tokenizer == nullptr) return false;
    return parts.decided(parts.prompts.reader().tokenizer->decode(reply, true));
  }

  void finished(std::size_t job, const JobResult& result, const Events& events) const {
    if (item_of[job] == items.size()) return;  // a prompt that only cells start from
    events.item();
    if (result.stop == StopReason::kNone) return;
    events.reply(parts.describe(items[item_of[job]], {result.reply, result.stop, result.first_margin}));
  }

  EngineOptions options(std::int64_t batch_size) const {
    EngineOptions engine = make_engine_options(work, batch_size);
    engine.rows = rows;
    return engine;
  }

  std::vector<JobResult> run(const Decoder& decoder, const Events& events, EngineStats& stats) {
    EngineEvents told;
    told.tokens = events.tokens;
    told.finished = [&](std::size_t job, const JobResult& result) { finished(job, result, events); };
    told.next_logits = [&](std::size_t job, const at::Tensor& logits) { see_logits(job, logits); };
    told.unchanged = [&](std::size_t job, const at::Tensor& stem_rows) {
      return unchanged[job] = is_unchanged(job, stem_rows);
    };
    if (parts.decided) told.decided = [&](std::size_t, const auto& reply) { return is_decided(reply); };
    const Hook hook = steering->hook();
    return run_jobs(decoder, jobs, options(parts.batch_size), told, {&hook, 1}, &stats);
  }

  // --- the group's file ---

  std::vector<NamedTensor> tensors(const std::vector<JobResult>& results) {
    std::vector<JobResult> ordered;
    std::vector<at::Tensor> last_rows;
    std::vector<double> kls;
    std::vector<double> masses;
    std::vector<std::int64_t> steered;
    for (const std::size_t job : job_of) {
      const std::size_t source = unchanged[job] ? jobs[job].branch->stem : job;
      ordered.push_back(results[job]);
      last_rows.push_back(results[job].rows.select(0, -1).select(0, -1));
      kls.push_back(unchanged[job] && is_harmless(job) ? 0 : kl[job]);
      masses.insert(masses.end(), mass[source].begin(), mass[source].end());
      steered.push_back(jobs[job].branch && !unchanged[job]);
    }
    std::vector<NamedTensor> tensors;
    add_replies(tensors, ordered);
    tensors.push_back({"last_rows", at::stack(last_rows)});
    tensors.push_back({"kl", at::tensor(kls, at::kDouble)});
    tensors.push_back({"answer_mass", at::tensor(masses, at::kDouble).view({-1, 2})});
    tensors.push_back({"steered", int_tensor(steered)});
    add_receipts(tensors);
    return tensors;
  }

  bool is_harmless(std::size_t job) const {
    return set().prompts[items[item_of[job]].prompt].record.label == Label::kHarmless;
  }

  // [cells, 4]: cell, tokens, places, sum of norm changes over tokens and places.
  void add_receipts(std::vector<NamedTensor>& tensors) const {
    std::vector<double> receipts;
    for (const auto& [cell, own] : cells) {
      std::int64_t most = neutral_tokens(cell);
      double change = 0;
      double tokens = 0;
      for (std::size_t e = 0; e < own.edits.size(); ++e) {
        const EditTally& tally = steering->tallies()[first_edit.at(cell) + e];
        most = std::max(most, tally.tokens);
        change += tally.norm_change;
        tokens += static_cast<double>(tally.tokens);
      }
      for (const double value : {static_cast<double>(cell), static_cast<double>(most), tokens, change}) {
        receipts.push_back(value);
      }
    }
    tensors.push_back({"receipts", at::tensor(receipts, at::kDouble).view({-1, 4})});
  }

  // What a cell without effect would have touched: its edits are not made.
  std::int64_t neutral_tokens(std::size_t cell) const {
    std::int64_t tokens = 0;
    if (!cells.at(cell).neutral) return 0;
    for (const SweepItem& item : items) {
      if (item.cell != cell) continue;
      const TemplatedPrompt& prompt = set().prompts[item.prompt].prompt;
      const TokenSpan span = tokens_of(parts.cells[cell].interventions.front().scope, prompt);
      tokens += std::min(span.end, static_cast<std::int64_t>(prompt.ids.size())) - span.begin;
    }
    return tokens;
  }

  const Parts& parts;
  const SweepGroup& items;
  const DecoderSpec& spec;
  const Work& work;
  std::vector<std::int64_t> rows;
  std::map<std::size_t, CellEdits> cells;
  std::map<std::size_t, std::size_t> first_edit;  // by cell, in `steering`
  std::optional<Steering> steering;
  std::vector<Job> jobs;
  std::map<std::size_t, std::size_t> stems;       // by prompt, the job
  std::vector<std::size_t> item_of;               // by job; items.size(): none
  std::vector<std::size_t> job_of;                // by item
  std::map<std::size_t, bool> unchanged;          // by job
  std::map<std::size_t, at::Tensor> base_logits;  // by stem
  std::vector<double> kl;                         // by job
  std::vector<std::array<double, 2>> mass;        // by job: yes, no
};

SweepWork::SweepWork(std::filesystem::path folder, Parts parts, std::vector<SweepGroup> groups)
    : GroupedWork(std::move(folder)), parts_(std::move(parts)), groups_(std::move(groups)) {}

GroupedWork::Size SweepWork::size_of(std::size_t group) const {
  Size size{.items = static_cast<std::int64_t>(groups_[group].size())};
  for (const SweepItem& item : groups_[group]) {
    size.tokens += static_cast<std::int64_t>(parts_.prompts.set().prompts[item.prompt].prompt.ids.size());
    size.tokens += parts_.prompts.work().max_new_tokens;
  }
  return size;
}

std::vector<NamedTensor> SweepWork::compute(const Decoder& decoder, std::size_t group, const Events& events,
                                            EngineStats& stats) {
  Computation computation(parts_, groups_[group], decoder.spec());
  return computation.tensors(computation.run(decoder, events, stats));
}

std::vector<Json> SweepWork::reply_lines(std::size_t group) const {
  const auto replies = result(group).replies();
  std::vector<Json> lines;
  for (std::size_t i = 0; i < replies.size(); ++i) {
    if (replies[i]) lines.push_back(parts_.describe(groups_[group][i], *replies[i]));
  }
  return lines;
}

std::vector<double> SweepWork::kl(std::size_t group) const {
  return values_of<double>(result(group).tensor("kl"));
}

std::vector<std::array<double, 2>> SweepWork::answer_mass(std::size_t group) const {
  const auto flat = values_of<double>(result(group).tensor("answer_mass"));
  std::vector<std::array<double, 2>> mass;
  for (std::size_t i = 0; i < flat.size(); i += 2) mass.push_back({flat[i], flat[i + 1]});
  return mass;
}

std::vector<bool> SweepWork::steered(std::size_t group) const {
  const auto flags = values_of<std::int64_t>(result(group).tensor("steered"));
  return {flags.begin(), flags.end()};
}

std::map<std::size_t, CellReceipt> SweepWork::receipts(std::size_t group) const {
  std::map<std::size_t, CellReceipt> receipts;
  const auto flat = values_of<double>(result(group).tensor("receipts"));
  for (std::size_t i = 0; i < flat.size(); i += 4) {
    receipts[static_cast<std::size_t>(flat[i])] = {static_cast<std::int64_t>(flat[i + 1]), flat[i + 2],
                                                   flat[i + 3]};
  }
  return receipts;
}

RowIdentity SweepWork::verify(const Decoder& decoder, double share, std::uint64_t seed) const {
  std::vector<std::pair<std::size_t, std::size_t>> all;  // group, item
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (std::size_t i = 0; i < groups_[g].size(); ++i) all.emplace_back(g, i);
  }
  RowComparison comparison(decoder.dtype());
  const auto drawn = draw_for_verification(static_cast<std::int64_t>(all.size()), share, seed);
  Progress progress("verifying", static_cast<std::int64_t>(drawn.size()), "replies");
  for (const std::int64_t index : drawn) {
    check_interrupt();
    const auto& [g, i] = all[static_cast<std::size_t>(index)];
    verify_item(decoder, g, i, comparison);
    progress.advance();
  }
  return comparison.result();
}

void SweepWork::verify_item(const Decoder& decoder, std::size_t g, std::size_t i,
                            RowComparison& comparison) const {
  const SweepGroup one{groups_[g][i]};
  Computation computation(parts_, one, decoder.spec());
  const GroupResult stored = result(g);
  const bool is_steered = stored.tensor("steered")[static_cast<std::int64_t>(i)].item<std::int64_t>() != 0;
  // Plain jobs with the cell's edits, from the first token and block on.
  for (Job& job : computation.jobs) {
    job.branch.reset();
    job.max_new_tokens = std::min<std::int64_t>(job.max_new_tokens, 1);
  }
  EngineOptions options = computation.options(1);
  options.share_prefix = false;
  const Hook hook = computation.steering->hook();
  const auto hooks = is_steered ? std::span(&hook, 1) : std::span<const Hook>{};
  const JobResult alone = run_jobs(decoder, computation.jobs, options, {}, hooks)[computation.job_of.front()];
  const std::string id = fmt::format("{} ({})", parts_.prompts.set().prompts[one.front().prompt].record.id,
                                     parts_.cells[one.front().cell].name);
  comparison.compare_rows(id, "t_post_inst", {decoder.spec().layers},
                          stored.tensor("last_rows")[static_cast<std::int64_t>(i)].view({1, 1, -1}),
                          alone.rows.select(0, -1).select(0, -1).view({1, 1, -1}));
  const auto reply = stored.replies()[i];
  if (reply) comparison.compare_replies(reply->tokens, alone.reply, alone.first_margin);
  comparison.next_prompt();
}

}  // namespace hrt
