#include "hrt/experiment/groups.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <set>

#include "hrt/base/error.h"
#include "hrt/base/interrupt.h"
#include "hrt/base/progress.h"

namespace hrt {
namespace {

constexpr double kCpuGroupFlops = 10e12;  // about a minute on a few cores
constexpr std::int64_t kGroupRowBytes = 256'000'000;
constexpr std::int64_t kLargestGroup = 256;
constexpr std::int64_t kSmallestGroup = 16;

// The token indices whose rows a prompt's positions need, ascending and distinct.
std::vector<std::int64_t> captured_tokens(const PreparedPrompt& prompt) {
  std::set<std::int64_t> tokens;
  for (const auto& range : prompt.positions) {
    for (std::int64_t t = range ? range->begin : 0; range && t < range->end; ++t) tokens.insert(t);
  }
  return {tokens.begin(), tokens.end()};
}

std::int64_t parameters_per_token(const DecoderSpec& spec) {
  const std::int64_t attention = spec.hidden * spec.head_dim * 2 * (spec.heads + spec.kv_heads);
  return spec.layers * (attention + 3 * spec.hidden * spec.intermediate);
}

at::Tensor int_tensor(const std::vector<std::int64_t>& values) {
  return at::tensor(at::ArrayRef<std::int64_t>(values), at::kLong);
}

template <typename T>
std::vector<T> values_of(const at::Tensor& tensor) {
  const T* data = tensor.const_data_ptr<T>();
  return {data, data + tensor.numel()};
}

at::Tensor concatenated(const std::vector<at::Tensor>& parts, at::Tensor otherwise) {
  return parts.empty() ? otherwise : at::cat(parts);
}

// Replies as four tensors: their tokens one after the other, where each begins, how it ended, and the margin.
// A prompt without a reply has stop "none".
void add_replies(std::vector<NamedTensor>& tensors, const std::vector<JobResult>& results) {
  std::vector<std::int64_t> tokens;
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int64_t> stops;
  std::vector<double> margins;
  for (const JobResult& result : results) {
    tokens.insert(tokens.end(), result.reply.begin(), result.reply.end());
    offsets.push_back(static_cast<std::int64_t>(tokens.size()));
    stops.push_back(static_cast<std::int64_t>(result.stop));
    margins.push_back(result.first_margin);
  }
  tensors.push_back({"reply.tokens", int_tensor(tokens)});
  tensors.push_back({"reply.offsets", int_tensor(offsets)});
  tensors.push_back({"reply.stop", int_tensor(stops)});
  tensors.push_back({"reply.margin", at::tensor(at::ArrayRef<double>(margins), at::kDouble)});
}

void add(EngineStats& total, const EngineStats& part) {
  total.prefill_s += part.prefill_s;
  total.decode_s += part.decode_s;
  total.prefill_tokens += part.prefill_tokens;
  total.decode_tokens += part.decode_tokens;
}

}  // namespace

Job make_job(const PromptSet& set, const Work& work, std::size_t prompt) {
  const PreparedPrompt& prepared = set.prompts[prompt];
  return {prepared.prompt.ids, work.rows.empty() ? std::vector<std::int64_t>{} : captured_tokens(prepared),
          work.wants_reply[prompt] ? work.max_new_tokens : 0};
}

EngineOptions make_engine_options(const Work& work, std::int64_t batch_size) {
  EngineOptions options;
  options.rows = work.rows;
  options.logits = work.logits;
  options.batch_size = batch_size;
  options.stop_tokens = work.stop_tokens;
  return options;
}

std::vector<Group> cut_groups(std::int64_t prompts, std::int64_t size) {
  std::vector<Group> groups;
  for (std::int64_t begin = 0; begin < prompts; begin += size) {
    groups.push_back({begin, std::min(begin + size, prompts)});
  }
  return groups;
}

std::int64_t suitable_group_size(const DecoderSpec& spec, const PromptSet& set, const Work& work, bool cpu) {
  std::int64_t tokens = 0;
  std::int64_t captured = 0;
  for (const PreparedPrompt& prompt : set.prompts) {
    tokens += static_cast<std::int64_t>(prompt.prompt.ids.size()) + work.max_new_tokens;
    captured += static_cast<std::int64_t>(captured_tokens(prompt).size());
  }
  const auto prompts = static_cast<double>(std::max<std::size_t>(set.prompts.size(), 1));
  const auto row_bytes = static_cast<std::int64_t>(work.rows.size()) * spec.hidden * 4;
  const double bytes = std::max(1.0, static_cast<double>(captured * row_bytes) / prompts);
  const double flops =
      std::max(1.0, 2.0 * static_cast<double>(parameters_per_token(spec) * tokens) / prompts);
  double size = std::min<double>(kLargestGroup, kGroupRowBytes / bytes);
  if (cpu) size = std::min(size, kCpuGroupFlops / flops);
  return std::max(kSmallestGroup, static_cast<std::int64_t>(size));
}

std::vector<std::optional<Reply>> GroupResult::replies() const {
  const auto tokens = values_of<std::int64_t>(file_.tensor("reply.tokens"));
  const auto offsets = values_of<std::int64_t>(file_.tensor("reply.offsets"));
  const auto stops = values_of<std::int64_t>(file_.tensor("reply.stop"));
  const auto margins = values_of<double>(file_.tensor("reply.margin"));
  std::vector<std::optional<Reply>> replies(stops.size());
  for (std::size_t i = 0; i < stops.size(); ++i) {
    const auto stop = static_cast<StopReason>(stops[i]);
    if (stop == StopReason::kNone) continue;
    replies[i] = Reply{{tokens.begin() + offsets[i], tokens.begin() + offsets[i + 1]}, stop, margins[i]};
  }
  return replies;
}

std::filesystem::path GroupRunner::file_of(std::size_t group) const {
  return run_.work() / fmt::format("group-{:05}.safetensors", group);
}

bool GroupRunner::is_done(std::size_t group) const { return std::filesystem::exists(file_of(group)); }

at::Tensor rows_of_position(const PreparedPrompt& prompt, std::size_t position, const JobResult& result) {
  const TokenRange range = *prompt.positions[position];
  const std::vector<std::int64_t> captured = captured_tokens(prompt);
  const auto first = std::lower_bound(captured.begin(), captured.end(), range.begin) - captured.begin();
  return result.rows.narrow(0, first, range.size());
}

void GroupRunner::save(std::size_t group, const std::vector<JobResult>& results) const {
  std::vector<NamedTensor> tensors;
  const auto begin = static_cast<std::size_t>(groups_[group].begin);
  for (std::size_t p = 0; p < set_.specs.size(); ++p) {
    std::vector<at::Tensor> parts;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const PreparedPrompt& prompt = set_.prompts[begin + i];
      if (prompt.positions[p]) parts.push_back(rows_of_position(prompt, p, results[i]));
    }
    const auto rows = static_cast<std::int64_t>(work_.rows.size());
    tensors.push_back({"rows." + set_.specs[p].name, concatenated(parts, at::empty({0, rows, 0}))});
  }
  if (work_.logits) {
    std::vector<at::Tensor> logits;
    for (const JobResult& result : results) logits.push_back(result.logits);
    tensors.push_back({"logits", at::stack(logits)});
  }
  add_replies(tensors, results);
  write_safetensors(file_of(group), tensors);
}

std::int64_t GroupRunner::planned_tokens(const Group& group) const {
  std::int64_t tokens = 0;
  for (auto i = static_cast<std::size_t>(group.begin); i < static_cast<std::size_t>(group.end); ++i) {
    tokens += static_cast<std::int64_t>(set_.prompts[i].prompt.ids.size());
    if (work_.wants_reply[i]) tokens += work_.max_new_tokens;
  }
  return tokens;
}

void GroupRunner::run(const Decoder& decoder, std::int64_t batch_size, const ReplyListener& on_reply,
                      EngineStats& stats) {
  const auto prompts = static_cast<std::int64_t>(set_.prompts.size());
  Progress progress("computing", prompts, "prompts", planned_tokens({0, prompts}));
  std::int64_t done = 0;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const Group& group = groups_[g];
    if (is_done(g)) {
      progress.advance(group.size());
    } else {
      check_interrupt();
      run_group(decoder, g, batch_size, on_reply, stats, progress, done);
    }
    // Replies that ended early, and a shared prefix, made less work than was planned.
    progress.set_work(done += planned_tokens(group));
  }
}

void GroupRunner::run_group(const Decoder& decoder, std::size_t g, std::int64_t batch_size,
                            const ReplyListener& on_reply, EngineStats& stats, Progress& progress,
                            std::int64_t done_before) {
  const Group& group = groups_[g];
  std::vector<Job> jobs;
  for (std::int64_t i = group.begin; i < group.end; ++i) {
    jobs.push_back(make_job(set_, work_, static_cast<std::size_t>(i)));
  }
  std::int64_t done = done_before;
  EngineStats group_stats;
  EngineEvents events;
  events.tokens = [&](std::int64_t tokens) { progress.set_work(done += tokens); };
  events.finished = [&](std::size_t job, const JobResult& result) {
    progress.advance();
    if (result.stop == StopReason::kNone) return;
    const auto prompt = static_cast<std::size_t>(group.begin) + job;
    on_reply(set_.prompts[prompt], {result.reply, result.stop, result.first_margin});
  };
  save(g, run_jobs(decoder, jobs, make_engine_options(work_, batch_size), events, {}, &group_stats));
  add(stats, group_stats);
}

}  // namespace hrt
