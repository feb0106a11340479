#include "hrt/experiment/grouped_work.h"

#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include "hrt/base/error.h"
#include "hrt/base/interrupt.h"
#include "hrt/base/log.h"
#include "hrt/base/progress.h"
#include "hrt/experiment/replies.h"

namespace hrt {
namespace {

at::Tensor int_tensor(const std::vector<std::int64_t>& values) {
  return at::tensor(at::ArrayRef<std::int64_t>(values), at::kLong);
}

template <typename T>
std::vector<T> values_of(const at::Tensor& tensor) {
  const T* data = tensor.const_data_ptr<T>();
  return {data, data + tensor.numel()};
}

void add(EngineStats& total, const EngineStats& part) {
  total.prefill_s += part.prefill_s;
  total.decode_s += part.decode_s;
  total.prefill_tokens += part.prefill_tokens;
  total.decode_tokens += part.decode_tokens;
  total.decode_passes += part.decode_passes;
  total.spared_tokens += part.spared_tokens;
}

}  // namespace

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

std::filesystem::path GroupedWork::file_of(std::size_t group) const {
  return folder_ / fmt::format("group-{:05}.safetensors", group);
}

bool GroupedWork::is_done(std::size_t group) const { return std::filesystem::exists(file_of(group)); }

// Of a machine that lost power: written, but not whole.
void GroupedWork::drop_broken() const {
  for (std::size_t g = 0; g < group_count(); ++g) {
    if (!is_done(g)) continue;
    try {
      const SafetensorsFile whole(file_of(g));
    } catch (const InputError& error) {
      spdlog::warn("warning: {}; the group is computed again", error.what());
      std::filesystem::remove(file_of(g));
    }
  }
}

void GroupedWork::run(const Decoder& decoder, ReplyStream& stream, EngineStats& stats) {
  drop_broken();
  Size whole;
  for (std::size_t g = 0; g < group_count(); ++g) {
    whole.items += size_of(g).items;
    whole.tokens += size_of(g).tokens;
    if (!is_done(g)) continue;
    for (const Json& line : reply_lines(g)) stream.add(line);
  }
  Progress progress("computing", whole.items, unit(), whole.tokens);
  std::int64_t done = 0;
  Events events;
  events.item = [&] { progress.advance(); };
  events.reply = [&](const Json& line) { stream.add(line); };
  for (std::size_t g = 0; g < group_count() && goes_on(g); ++g) {
    if (is_done(g)) {
      progress.advance(size_of(g).items);
    } else {
      check_interrupt();
      std::int64_t now = done;
      events.tokens = [&progress, now](std::int64_t tokens) mutable { progress.set_work(now += tokens); };
      EngineStats group_stats;
      write_safetensors(file_of(g), compute(decoder, g, events, group_stats));
      add(stats, group_stats);
    }
    // Replies that ended early, and what was shared, made less work than was planned.
    progress.set_work(done += size_of(g).tokens);
  }
}

}  // namespace hrt
