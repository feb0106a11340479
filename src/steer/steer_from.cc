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

std::vector<SweepOutcome> outcomes_of(const Rejudged& rejudged, const std::vector<Cell>& cells) {
  Numbers cell_numbers;
  for (const Cell& cell : cells) cell_numbers.emplace(cell.name, cell_numbers.size());
  Numbers prompt_numbers;
  for (const PreparedPrompt& prompt : rejudged.stored.set().prompts)
    prompt_numbers.emplace(prompt.record.id, prompt_numbers.size());
  std::vector<SweepOutcome> outcomes;
  for (const Json& line : rejudged.replies) {
    const std::string cell = line.value("cell", cells.front().name);
    const SweepItem item{number_of(cell_numbers, cell, rejudged.stored),
                         number_of(prompt_numbers, line.at("id"), rejudged.stored)};
    outcomes.push_back(read_outcome(line, item, rejudged.judge.judge()));
  }
  return outcomes;
}

}  // namespace

ExitCode run_steer_from(const Json& config, const RunOptions& options) {
  const StoredRun stored(config.at("from").get<std::string>(), Command::kSteer);
  const Json results = read_json(stored.file("results.json"));
  return as_written(stored.path(), [&] {
    const std::vector<Cell> cells = read_cells(results);
    return rejudge(stored, config, options, [&](RunDirectory& run, const Rejudged& rejudged) {
      const SweepResults again(cells, stored.set(), outcomes_of(rejudged, cells), read_receipts(results),
                               false);
      return write_sweep(run, again, cells, options);
    });
  });
}

}  // namespace hrt
