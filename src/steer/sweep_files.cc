#include "hrt/steer/sweep_files.h"

#include <fmt/format.h>

#include <charconv>

#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/output.h"
#include "hrt/base/strings.h"
#include "hrt/data/degenerate.h"
#include "hrt/experiment/complete_run.h"
#include "hrt/experiment/stored_run.h"

namespace hrt {
namespace {

Answer answer_by_name(const Json& name) {
  for (const Answer answer : {Answer::kYes, Answer::kNo}) {
    if (name == answer_name(answer)) return answer;
  }
  return Answer::kOther;
}

Cell stored_cell(const Json& json, const std::string& place) {
  try {
    return cell_from_json(json);
  } catch (const InputError& error) {
    throw InputError("{}: {}", place, error.what());
  }
}

CellReceipt receipt_of(const Json& json) {
  return {json.at("tokens"), json.at("changes"), json.at("norm_change")};
}

// How many tokens a key of `beginnings` says.
std::int64_t count_of(const std::string& key) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), count);
  if (error != std::errc{} || end != key.data() + key.size())
    throw InputError("/beginnings/{}: expected a number of tokens", escape_for_terminal(key));
  return count;
}

void print(const SweepResults& results, const std::vector<Cell>& cells, const std::filesystem::path& run,
           bool json) {
  if (json) return print_json(run, results.to_json());
  print_sweep(results, cells);
  print_out("\nWritten to {}\n", run.string());
}

}  // namespace

SweepOutcome read_outcome(const Json& line, const SweepItem& item, const Judge* judge) {
  SweepOutcome outcome{.item = item};
  const std::string text = line.at("text").is_null() ? "" : line.at("text").get<std::string>();
  outcome.empty = !line.at("text").is_null() && trim(text).empty();
  outcome.looping = is_looping(line.at("tokens").get<std::vector<std::int64_t>>());
  if (line.contains("kl")) outcome.kl = line.at("kl").get<double>();
  if (line.contains("first_token_answer")) {
    outcome.text_answer = answer_by_name(line.at("verdict"));
    outcome.token_answer = answer_by_name(line.at("first_token_answer"));
    outcome.answer_mass = {line.at("yes").get<double>(), line.at("no").get<double>()};
    return outcome;
  }
  outcome.verdict = {stored_outcome(line.at("verdict")), line.at("rule").get<std::string>()};
  if (judge == nullptr || !line.contains("beginnings")) return outcome;
  for (const auto& [tokens, bytes] : line.at("beginnings").items())
    outcome.after[count_of(tokens)] = judge->judge(text.substr(0, bytes.get<std::size_t>())).outcome;
  return outcome;
}

StoredSweep stored_sweep(const std::filesystem::path& file) {
  const Json results = read_json(file);
  StoredSweep sweep;
  as_written(file, [&] {
    std::size_t steered = 0;
    for (const Json& json : results.at("cells")) {
      const std::size_t number = sweep.cells.size();
      sweep.cells.push_back(stored_cell(json, fmt::format("{}: /cells/{}", file.string(), number)));
      if (json.value("control", false)) {
        sweep.cells.back().control_of = steered;
      } else {
        steered = number;
      }
      if (json.contains("receipt")) sweep.receipts[number] = receipt_of(json.at("receipt"));
    }
  });
  if (sweep.cells.empty() || !sweep.cells.front().is_baseline())
    throw InputError("{}: /cells: expected the unsteered one first", file.string());
  return sweep;
}

ExitCode write_sweep(RunDirectory& run, const SweepResults& results, const std::vector<Cell>& cells,
                     const RunOptions& options) {
  write_file(run.file("results.json"), results.to_json().dump(2) + "\n");
  write_file(run.file("sweep.csv"), results.to_csv());
  if (options.print) print(results, cells, run.path(), options.json);
  if (results.left_out() > 0) {
    run.warn(fmt::format("not applicable: {}; {} left out", results.separation()->reason,
                         counted(results.left_out(), "steered cell")));
  }
  for (const std::size_t cell : results.untouched()) {
    run.warn(fmt::format("nothing was steered: cell \"{}\" touched no token",
                         escape_for_terminal(cells[cell].name)));
  }
  return results.untouched().empty() ? ExitCode::kDone : ExitCode::kCheckFailed;
}

}  // namespace hrt
