#include <set>
#include <unordered_map>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/rejudge.h"
#include "hrt/steer/steer.h"
#include "hrt/steer/sweep_files.h"

namespace hrt {
namespace {

using Numbers = std::unordered_map<std::string, std::size_t>;

std::size_t number_of(const Numbers& numbers, const std::string& name, const StoredRun& stored) {
  const auto found = numbers.find(name);
  if (found != numbers.end()) return found->second;
  throw InputError("{}: neither prompt nor cell: {}", stored.file("replies.jsonl").string(),
                   escape_for_terminal(name));
}

// What was steered for which prompt, in the order of the replies. Every prompt has an unsteered reply to
// compare its others with.
std::vector<SweepItem> items_of(const StoredRun& stored, const std::vector<Cell>& cells) {
  Numbers cell_numbers;
  for (const Cell& cell : cells) cell_numbers.emplace(cell.name, cell_numbers.size());
  Numbers prompt_numbers;
  for (const PreparedPrompt& prompt : stored.set().prompts)
    prompt_numbers.emplace(prompt.record.id, prompt_numbers.size());
  const auto file = stored.file("replies.jsonl");
  std::vector<SweepItem> items;
  std::set<std::pair<std::size_t, std::size_t>> there;  // cell, prompt
  for (const Json& line : stored.reply_lines()) {
    const std::string cell = as_written(file, [&] { return line.value("cell", cells.front().name); });
    items.push_back(
        {number_of(cell_numbers, cell, stored), number_of(prompt_numbers, line.at("id"), stored)});
    if (!there.emplace(items.back().cell, items.back().prompt).second)
      throw InputError("{}: two replies of \"{}\" to {}", file.string(), escape_for_terminal(cell),
                       escape_for_terminal(line.at("id").get<std::string>()));
  }
  for (const auto& [cell, prompt] : there) {
    if (!there.contains({0, prompt}))
      throw InputError("{}: no unsteered reply to {}", file.string(),
                       escape_for_terminal(stored.set().prompts[prompt].record.id));
  }
  return items;
}

std::vector<SweepOutcome> outcomes_of(const Rejudged& rejudged, const std::vector<SweepItem>& items) {
  return as_written(rejudged.stored.file("replies.jsonl"), [&] {
    std::vector<SweepOutcome> outcomes;
    for (std::size_t i = 0; i < items.size(); ++i)
      outcomes.push_back(read_outcome(rejudged.replies[i], items[i], rejudged.judge.judge()));
    return outcomes;
  });
}

}  // namespace

ExitCode run_steer_from(const Json& config, const RunOptions& options) {
  const StoredRun stored(config.at("from").get<std::string>(), Command::kSteer);
  const StoredSweep sweep = stored_sweep(stored.file("results.json"));
  const std::vector<SweepItem> items = items_of(stored, sweep.cells);
  return rejudge(stored, config, options, [&](RunDirectory& run, const Rejudged& rejudged) {
    const SweepResults again(sweep.cells, stored.set(), outcomes_of(rejudged, items), sweep.receipts, false);
    return write_sweep(run, again, sweep.cells, options);
  });
}

}  // namespace hrt
