#include "hrt/steer/sweep_work.h"

#include <fmt/format.h>

#include <utility>

#include "sweep_computation.h"

namespace hrt {
namespace {

template <typename T>
std::vector<T> values_of(const at::Tensor& tensor) {
  const T* data = tensor.const_data_ptr<T>();
  return {data, data + tensor.numel()};
}

}  // namespace

SweepWork::SweepWork(std::filesystem::path folder, Parts parts, std::vector<SweepGroup> groups)
    : GroupedWork(std::move(folder)), parts_(std::move(parts)), groups_(std::move(groups)) {}

bool SweepWork::goes_on(std::size_t group) {
  const auto steers = [&](std::size_t g) { return !parts_.cells[groups_[g].front().cell].is_baseline(); };
  const bool is_first = group > 0 && steers(group) && !steers(group - 1);
  if (!is_first || !parts_.worth_steering || parts_.worth_steering(group)) return true;
  groups_.resize(group);
  return false;
}

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
  SweepComputation computation(parts_, groups_[group], decoder.spec());
  return computation.run(decoder, {events.tokens, events.item, events.reply}, stats);
}

std::vector<Json> SweepWork::reply_lines(std::size_t group) const {
  const auto group_replies = replies(group);
  std::vector<Json> lines;
  for (std::size_t i = 0; i < group_replies.size(); ++i) {
    if (group_replies[i]) lines.push_back(parts_.describe(groups_[group][i], *group_replies[i]));
  }
  return lines;
}

std::vector<std::optional<Reply>> SweepWork::replies(std::size_t group) const {
  std::vector<std::optional<Reply>> replies = result(group).replies();
  const std::vector<bool> is_steered = steered(group);
  std::map<std::size_t, std::optional<Reply>> baseline;  // by prompt, once it is needed
  for (std::size_t i = 0; i < replies.size(); ++i) {
    const SweepItem& item = groups_[group][i];
    if (is_steered[i] || parts_.cells[item.cell].is_baseline()) continue;
    if (baseline.empty()) baseline = baseline_replies();
    replies[i] = baseline.at(item.prompt);
  }
  return replies;
}

// Every block of prompts begins with the group that holds its baseline, so that those needed are done.
std::map<std::size_t, std::optional<Reply>> SweepWork::baseline_replies() const {
  std::map<std::size_t, std::optional<Reply>> baseline;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (!parts_.cells[groups_[g].front().cell].is_baseline() || !is_done(g)) continue;
    const auto replies = result(g).replies();
    for (std::size_t i = 0; i < replies.size(); ++i) {
      const SweepItem& item = groups_[g][i];
      if (parts_.cells[item.cell].is_baseline()) baseline[item.prompt] = replies[i];
    }
  }
  return baseline;
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
  std::vector<std::size_t> sizes;
  for (const SweepGroup& group : groups_) sizes.push_back(group.size());
  return check_drawn_items(decoder, sizes, share, seed, unit(),
                           [&](std::size_t group, std::size_t item, RowComparison& comparison) {
                             verify_item(decoder, group, item, comparison);
                           });
}

void SweepWork::verify_item(const Decoder& decoder, std::size_t g, std::size_t i,
                            RowComparison& comparison) const {
  const SweepGroup one{groups_[g][i]};
  const GroupResult stored = result(g);
  const auto index = static_cast<std::int64_t>(i);
  const bool is_steered = stored.tensor("steered")[index].item<std::int64_t>() != 0;
  SweepComputation computation(parts_, one, decoder.spec());
  const JobResult alone = computation.run_first_alone(decoder, is_steered);
  const std::string id = fmt::format("{} ({})", parts_.prompts.set().prompts[one.front().prompt].record.id,
                                     parts_.cells[one.front().cell].name);
  comparison.compare_rows(id, "t_post_inst", {decoder.spec().layers},
                          stored.tensor("last_rows")[index].view({1, 1, -1}),
                          alone.rows.select(0, -1).select(0, -1).view({1, 1, -1}));
  const auto reply = stored.replies()[i];
  if (reply) comparison.compare_replies(reply->tokens, alone.reply, alone.first_margin);
  comparison.next_prompt();
}

}  // namespace hrt
