#include "hrt/steer/select_work.h"

#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "hrt/analysis/refusal_score.h"
#include "hrt/experiment/config.h"
#include "hrt/model/steering.h"

namespace hrt {
namespace {

constexpr double kNoScore = std::numeric_limits<double>::quiet_NaN();
// The prompts as they are cost about as much as one candidate.
constexpr std::int64_t kFewestCandidates = 4;

bool is_harmless(const PreparedPrompt& prompt) { return prompt.record.label == Label::kHarmless; }

std::int64_t length_of(const PreparedPrompt& prompt) {
  return static_cast<std::int64_t>(prompt.prompt.ids.size());
}

std::vector<double> values_of(const at::Tensor& tensor) {
  const double* data = tensor.const_data_ptr<double>();
  return {data, data + tensor.numel()};
}

// Candidates in a group: as asked, or on a CPU about a minute's work. From sizes only, so that every machine
// cuts alike.
std::int64_t candidates_in_group(const PromptRun& prompts) {
  if (const auto asked = optional_value<std::int64_t>(prompts.config(), "group_size")) return *asked;
  double tokens = 0;
  for (const PreparedPrompt& prompt : prompts.set().prompts) tokens += static_cast<double>(length_of(prompt));
  const double flops = 2.0 * tokens * static_cast<double>(parameters_per_token(prompts.checkpoint().spec()));
  const double wanted = (prompts.device().is_cpu() ? 1 : 100) * kCpuGroupFlops / flops;
  return std::max(kFewestCandidates, static_cast<std::int64_t>(wanted));
}

}  // namespace

// The jobs of some items: their prompts as they are, then a branch an item.
struct SelectWork::Computation {
  Computation(const Parts& the_parts, const std::vector<SelectItem>& the_items)
      : parts(the_parts),
        items(the_items),
        layers(parts.prompts.checkpoint().spec().layers),
        steering(edits(), parts.prompts.checkpoint().spec().hidden) {
    for (const SelectItem& item : items) add_stem(item.prompt);
    first_branch = jobs.size();
    for (const SelectItem& item : items) add_branch(item);
    scores.assign(jobs.size(), kNoScore);
    kl.assign(jobs.size(), kNoScore);
  }

  // --- jobs ---

  // Of each candidate: its ablation at every place, then its addition.
  std::vector<Edit> edits() {
    std::vector<Edit> edits;
    for (const SelectItem& item : items) {
      if (!first_edit.emplace(item.candidate, edits.size()).second) continue;
      const CandidateVector& candidate = parts.candidates[item.candidate];
      for (std::int64_t layer = 0; layer < layers; ++layer) {
        for (const Site site : {Site::kBlockInput, Site::kAttentionOutput, Site::kMlpOutput})
          edits.push_back({{layer, site}, Edit::Kind::kSetComponent, candidate.vector, 0});
      }
      edits.push_back({{candidate.layer, Site::kBlockInput}, Edit::Kind::kAdd, candidate.vector, 1});
    }
    return edits;
  }

  void add_stem(std::size_t prompt) {
    if (!stems.emplace(prompt, jobs.size()).second) return;
    const PreparedPrompt& prepared = parts.prompts.set().prompts[prompt];
    jobs.push_back({.tokens = prepared.prompt.ids, .capture = {length_of(prepared) - 1}});
  }

  void add_branch(const SelectItem& item) {
    const std::size_t stem = stems.at(item.prompt);
    const bool adds = item.trial == Trial::kAdd;
    // What is done to the prompts' common beginning is the same within a family.
    const auto family = static_cast<std::int64_t>(2 * item.candidate + (adds ? 1 : 0));
    const std::int64_t layer = adds ? parts.candidates[item.candidate].layer : 0;
    const auto job = static_cast<std::int64_t>(jobs.size());
    jobs.push_back(jobs[stem]);
    jobs.back().branch = Branch{.stem = stem, .layer = layer, .token = 0, .family = family};
    const std::size_t first = first_edit.at(item.candidate);
    const std::size_t addition = first + 3 * static_cast<std::size_t>(layers);
    const TokenSpan prompt{0, std::ssize(jobs[stem].tokens)};
    if (adds) return steering.assign(job, addition, prompt);
    for (std::size_t edit = first; edit < addition; ++edit) steering.assign(job, edit, prompt);
  }

  // --- what comes of them ---

  void see_logits(std::size_t job, const at::Tensor& logits) {
    const at::Tensor row = logits.unsqueeze(0);
    scores[job] = refusal_scores(row, parts.refusal_tokens).front();
    if (job < first_branch) {
      base_logits[job] = row.clone();
      return;
    }
    const SelectItem& item = items[job - first_branch];
    if (item.trial == Trial::kAdd || !is_harmless(parts.prompts.set().prompts[item.prompt])) return;
    kl[job] = kl_divergences(base_logits.at(jobs[job].branch->stem), row, kArditiKlEpsilon).front();
  }

  EngineOptions options(std::int64_t batch_size) const {
    EngineOptions engine = make_engine_options(parts.prompts.work(), batch_size);
    engine.rows = {layers};
    return engine;
  }

  std::vector<JobResult> run(const Decoder& decoder, const Events& events, EngineStats& stats) {
    EngineEvents told;
    told.tokens = events.tokens;
    told.finished = [&](std::size_t job, const JobResult&) {
      if (job >= first_branch) events.item();
    };
    told.next_logits = [&](std::size_t job, const at::Tensor& logits) { see_logits(job, logits); };
    const Hook hook = steering.hook();
    const auto batch_size = optional_value<std::int64_t>(parts.prompts.config(), "batch_size");
    return run_jobs(decoder, jobs, options(batch_size.value_or(0)), told, {&hook, 1}, &stats);
  }

  // Only for a whole group, whose stems are all prompts in order.
  std::vector<NamedTensor> tensors(const std::vector<JobResult>& results) const {
    std::vector<at::Tensor> last_rows;
    for (std::size_t job = first_branch; job < jobs.size(); ++job) {
      last_rows.push_back(results[job].rows.select(0, 0).select(0, 0));
    }
    const auto branch = static_cast<std::int64_t>(first_branch);
    const at::Tensor all_scores = at::tensor(scores, at::kDouble);
    return {{"base_score", all_scores.slice(0, 0, branch)},
            {"score", all_scores.slice(0, branch)},
            {"kl", at::tensor(kl, at::kDouble).slice(0, branch)},
            {"last_rows", at::stack(last_rows)}};
  }

  const Parts& parts;
  const std::vector<SelectItem>& items;
  std::int64_t layers;
  std::map<std::size_t, std::size_t> first_edit;  // by candidate, in `steering`
  Steering steering;
  std::vector<Job> jobs;
  std::map<std::size_t, std::size_t> stems;       // by prompt, the job
  std::size_t first_branch = 0;                   // job of the first item
  std::map<std::size_t, at::Tensor> base_logits;  // by stem, [1, vocabulary]
  std::vector<double> scores;                     // by job
  std::vector<double> kl;                         // by job
};

SelectWork::SelectWork(std::filesystem::path folder, Parts parts)
    : GroupedWork(std::move(folder)),
      parts_(std::move(parts)),
      groups_(cut_groups(std::ssize(parts_.candidates), candidates_in_group(parts_.prompts))) {}

std::vector<SelectItem> SelectWork::items_of(const Group& group) const {
  const auto& prompts = parts_.prompts.set().prompts;
  std::vector<SelectItem> items;
  for (auto c = static_cast<std::size_t>(group.begin); std::cmp_less(c, group.end); ++c) {
    for (std::size_t p = 0; p < prompts.size(); ++p) {
      items.push_back({c, p, Trial::kAblate});
      if (is_harmless(prompts[p])) items.push_back({c, p, Trial::kAdd});
    }
  }
  return items;
}

GroupedWork::Size SelectWork::size_of(std::size_t group) const {
  Size size;
  for (const SelectItem& item : items_of(groups_[group])) {
    ++size.items;
    size.tokens += length_of(parts_.prompts.set().prompts[item.prompt]);
  }
  return size;
}

std::vector<NamedTensor> SelectWork::compute(const Decoder& decoder, std::size_t group, const Events& events,
                                             EngineStats& stats) {
  const std::vector<SelectItem> items = items_of(groups_[group]);
  Computation computation(parts_, items);
  return computation.tensors(computation.run(decoder, events, stats));
}

std::vector<double> SelectWork::base_scores() const { return values_of(result(0).tensor("base_score")); }

std::vector<CandidateScores> SelectWork::scores() const {
  const std::size_t prompts = parts_.prompts.set().prompts.size();
  std::vector<CandidateScores> all(parts_.candidates.size());
  for (CandidateScores& scores : all) {
    scores.ablated.resize(prompts);
    scores.added.resize(prompts);
    scores.kl.resize(prompts);
  }
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const std::vector<SelectItem> items = items_of(groups_[g]);
    const std::vector<double> score = values_of(result(g).tensor("score"));
    const std::vector<double> kl = values_of(result(g).tensor("kl"));
    for (std::size_t i = 0; i < items.size(); ++i) {
      CandidateScores& scores = all[items[i].candidate];
      const std::size_t prompt = items[i].prompt;
      (items[i].trial == Trial::kAdd ? scores.added : scores.ablated)[prompt] = score[i];
      const bool has_kl =
          items[i].trial == Trial::kAblate && is_harmless(parts_.prompts.set().prompts[prompt]);
      if (has_kl) scores.kl[prompt] = kl[i];
    }
  }
  return all;
}

RowIdentity SelectWork::verify(const Decoder& decoder, double share, std::uint64_t seed) const {
  std::vector<std::size_t> sizes;
  for (const Group& group : groups_) sizes.push_back(items_of(group).size());
  return check_drawn_items(decoder, sizes, share, seed, unit(),
                           [&](std::size_t group, std::size_t item, RowComparison& comparison) {
                             verify_item(decoder, group, item, comparison);
                           });
}

void SelectWork::verify_item(const Decoder& decoder, std::size_t g, std::size_t i,
                             RowComparison& comparison) const {
  const std::vector<SelectItem> one{items_of(groups_[g])[i]};
  Computation computation(parts_, one);
  // A plain job with the item's edits, from the first token and block on; its stem is not looked at.
  computation.jobs.back().branch.reset();
  computation.jobs.front() = {.tokens = {computation.jobs.back().tokens.front()}};
  EngineOptions options = computation.options(1);
  options.share_prefix = false;
  const Hook hook = computation.steering.hook();
  const JobResult alone = run_jobs(decoder, computation.jobs, options, {}, {&hook, 1}).back();
  const CandidateVector& candidate = parts_.candidates[one.front().candidate];
  const std::string id = fmt::format(
      "{} ({} position {}, layer {})", parts_.prompts.set().prompts[one.front().prompt].record.id,
      one.front().trial == Trial::kAdd ? "added" : "ablated", candidate.position, candidate.layer);
  comparison.compare_rows(id, "t_post_inst", {decoder.spec().layers},
                          result(g).tensor("last_rows")[static_cast<std::int64_t>(i)].view({1, 1, -1}),
                          alone.rows.select(0, 0).select(0, 0).view({1, 1, -1}));
  comparison.next_prompt();
}

}  // namespace hrt
