#include "hrt/experiment/prompt_work.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <set>

#include "hrt/base/error.h"
#include "hrt/experiment/replies.h"

namespace hrt {
namespace {

constexpr std::int64_t kGroupRowBytes = 256'000'000;
constexpr std::int64_t kLargestGroup = 256;
constexpr std::int64_t kSmallestGroup = 16;

using Positions = std::vector<std::optional<TokenRange>>;

// The token indices whose rows a prompt's positions need, ascending and distinct.
std::vector<std::int64_t> captured_tokens(const Positions& positions) {
  std::set<std::int64_t> tokens;
  for (const auto& range : positions) {
    for (std::int64_t t = range ? range->begin : 0; range && t < range->end; ++t) tokens.insert(t);
  }
  return {tokens.begin(), tokens.end()};
}

// Those that its reply may reach.
std::vector<std::int64_t> wanted_tokens(const PromptSet& set, const Work& work, std::size_t prompt) {
  return captured_tokens(resolve(set.specs, set.prompts[prompt].prompt, reply_length(set, work, prompt)));
}

at::Tensor concatenated(const std::vector<at::Tensor>& parts, at::Tensor otherwise) {
  return parts.empty() ? otherwise : at::cat(parts);
}

std::int64_t intermediate_per_token(const DecoderSpec& spec, std::int64_t layer) {
  if (!spec.sparse(layer)) return spec.intermediate;
  return spec.experts->per_token * spec.experts->intermediate + spec.experts->shared_intermediate;
}

}  // namespace

std::int64_t parameters_per_token(const DecoderSpec& spec) {
  const std::int64_t attention = spec.hidden * spec.head_dim * 2 * (spec.heads + spec.kv_heads);
  std::int64_t mlps = 0;
  for (std::int64_t layer = 0; layer < spec.layers; ++layer) {
    mlps += 3 * spec.hidden * intermediate_per_token(spec, layer);
  }
  return spec.layers * attention + mlps;
}

Job make_job(const PromptSet& set, const Work& work, std::size_t prompt) {
  const PreparedPrompt& prepared = set.prompts[prompt];
  Job job{.tokens = prepared.prompt.ids};
  if (!work.rows.empty()) job.capture = wanted_tokens(set, work, prompt);
  if (prepared.reply) {
    job.tokens.insert(job.tokens.end(), prepared.reply->ids.begin(), prepared.reply->ids.end());
  } else {
    job.max_new_tokens = reply_length(set, work, prompt);
  }
  return job;
}

std::int64_t reply_length(const PromptSet& set, const Work& work, std::size_t prompt) {
  const auto& reply = set.prompts[prompt].reply;
  if (reply) return static_cast<std::int64_t>(reply->ids.size());
  return work.wants_reply[prompt] ? work.max_new_tokens : 0;
}

EngineOptions make_engine_options(const Work& work, std::int64_t batch_size) {
  EngineOptions options;
  options.rows = work.rows;
  options.logits = work.logits;
  options.batch_size = batch_size;
  options.stop_tokens = work.stop_tokens;
  options.sampling = work.sampling;
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
  for (std::size_t i = 0; i < set.prompts.size(); ++i) {
    const PreparedPrompt& prompt = set.prompts[i];
    tokens += static_cast<std::int64_t>(prompt.prompt.ids.size());
    tokens += prompt.reply ? reply_length(set, work, i) : work.max_new_tokens;
    captured += static_cast<std::int64_t>(wanted_tokens(set, work, i).size());
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

at::Tensor rows_of_position(const Positions& positions, std::size_t position, const JobResult& result) {
  const TokenRange range = *positions[position];
  const std::vector<std::int64_t> captured = captured_tokens(positions);
  const auto first = std::lower_bound(captured.begin(), captured.end(), range.begin) - captured.begin();
  return result.rows.narrow(0, first, range.size());
}

std::vector<NamedTensor> PromptWork::tensors_of(const Group& group,
                                                const std::vector<JobResult>& results) const {
  std::vector<NamedTensor> tensors;
  std::vector<Positions> positions;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const PreparedPrompt& prompt = set_.prompts[static_cast<std::size_t>(group.begin) + i];
    const auto generated = static_cast<std::int64_t>(results[i].reply.size());
    positions.push_back(prompt.reply ? prompt.positions : resolve(set_.specs, prompt.prompt, generated));
  }
  for (std::size_t p = 0; p < set_.specs.size(); ++p) {
    std::vector<at::Tensor> parts;
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (positions[i][p]) parts.push_back(rows_of_position(positions[i], p, results[i]));
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
  return tensors;
}

GroupedWork::Size PromptWork::size_of(std::size_t group) const {
  Size size{.items = groups_[group].size()};
  for (auto i = static_cast<std::size_t>(groups_[group].begin); std::cmp_less(i, groups_[group].end); ++i) {
    size.tokens += static_cast<std::int64_t>(set_.prompts[i].prompt.ids.size());
    size.tokens += reply_length(set_, work_, i);
  }
  return size;
}

std::vector<Json> PromptWork::reply_lines(std::size_t group) const {
  std::vector<Json> lines;
  auto prompt = static_cast<std::size_t>(groups_[group].begin);
  for (const auto& reply : result(group).replies()) {
    if (reply) lines.push_back(reply_line(set_.prompts[prompt], judge_reply(*reply, reader_)));
    ++prompt;
  }
  return lines;
}

std::vector<NamedTensor> PromptWork::compute(const Decoder& decoder, std::size_t g, const Events& events,
                                             EngineStats& stats) {
  const Group& group = groups_[g];
  std::vector<Job> jobs;
  for (std::int64_t i = group.begin; i < group.end; ++i) {
    jobs.push_back(make_job(set_, work_, static_cast<std::size_t>(i)));
  }
  EngineEvents engine_events;
  engine_events.tokens = events.tokens;
  engine_events.finished = [&](std::size_t job, const JobResult& result) {
    events.item();
    if (result.stop == StopReason::kNone) return;
    const Reply reply{result.reply, result.stop, result.first_margin};
    const auto prompt = static_cast<std::size_t>(group.begin) + job;
    events.reply(reply_line(set_.prompts[prompt], judge_reply(reply, reader_)));
  };
  return tensors_of(
      group, run_jobs(decoder, jobs, make_engine_options(work_, batch_size_), engine_events, {}, &stats));
}

}  // namespace hrt
