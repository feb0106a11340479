#include "hrt/steer/sweep_files.h"

#include <fmt/format.h>

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
    outcome.after[std::stoll(tokens)] = judge->judge(text.substr(0, bytes.get<std::size_t>())).outcome;
  return outcome;
}

std::vector<Cell> read_cells(const Json& results) {
  std::vector<Cell> cells;
  std::size_t steered = 0;
  for (const Json& json : results.at("cells")) {
    cells.push_back(cell_from_json(json));
    if (json.value("control", false)) {
      cells.back().control_of = steered;
    } else {
      steered = cells.size() - 1;
    }
  }
  return cells;
}

std::map<std::size_t, CellReceipt> read_receipts(const Json& results) {
  std::map<std::size_t, CellReceipt> receipts;
  const Json& cells = results.at("cells");
  for (std::size_t c = 0; c < cells.size(); ++c) {
    if (!cells[c].contains("receipt")) continue;
    const Json& receipt = cells[c].at("receipt");
    receipts[c] = {receipt.at("tokens"), receipt.at("changes"), receipt.at("norm_change")};
  }
  return receipts;
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
