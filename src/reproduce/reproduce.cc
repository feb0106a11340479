#include "hrt/reproduce/reproduce.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "cost_clock.h"
#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/log.h"
#include "hrt/base/output.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/failure.h"
#include "hrt/experiment/run_directory.h"
#include "hrt/experiment/versions.h"
#include "hrt/reproduce/scoreboard.h"
#include "plan.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

bool row_identity_holds(const fs::path& run) {
  if (!fs::exists(run / "manifest.json")) return true;
  const Json identity = read_manifest(run).value("row_identity", Json());
  return !identity.is_object() || identity.value("holds", true);
}

// Rows that are not their prompts' own, in the run or in an extraction in it, make everything that is
// computed from them worthless.
bool rows_hold(const fs::path& run) {
  const fs::directory_iterator entries(run);
  return row_identity_holds(run) && std::ranges::all_of(entries, [](const fs::directory_entry& entry) {
           return row_identity_holds(entry.path());
         });
}

class Reproduction {
 public:
  Reproduction(Plan& plan, const ReproduceOptions& options) : plan_(plan), options_(options) {}

  ExitCode run() {
    RunDirectory run(plan_.out(), options_.overwrite ? IfExists::kOverwrite : IfExists::kResume,
                     plan_.identity());
    run.manifest().update({{"status", "running"},
                           {"versions", versions()},
                           {"command", "reproduce"},
                           {"config", plan_.config()},
                           {"model", plan_.model()}});
    run.save();
    Scoreboard board = compute(run);
    write_file(run.file("results.json"), board.to_json().dump(2) + "\n");
    write_file(run.file("scoreboard.csv"), board.to_csv());
    const ExitCode code = code_of(board);
    run.finish(static_cast<int>(code));
    print(board);
    return code;
  }

 private:
  Scoreboard compute(RunDirectory& run) {
    Scoreboard board{.model = plan_.model(),
                     .taken_for = plan_.taken_for(),
                     .catalog = plan_.catalog().name(),
                     .description = plan_.catalog().description(),
                     .missed = plan_.missed(),
                     .known = plan_.known_models(),
                     .papers = plan_.papers(),
                     .rows = {}};
    CostClock clock(plan_.steps());
    std::size_t number = 0;
    for (Step& step : plan_.steps()) {
      log_to_file(run.file("log.txt"));  // each run has a log of its own
      spdlog::info("[{}/{}] {}: {}{}", ++number, plan_.steps().size(), step.spec.id, step.spec.title,
                   clock.left());
      clock.begin(step);
      const auto start = std::chrono::steady_clock::now();
      run.file(step.spec.id);
      ScoreRow row = perform(step);
      clock.end(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      if (!step.extraction)
        board.rows.push_back(std::move(row));
      else if (row.state == ScoreRow::State::kDone)
        add_warnings(board, step);
      else
        lacking_[step.spec.id] = row.why;
    }
    log_to_file(run.file("log.txt"));
    return board;
  }

  // A step of which something is not there is left out; one that fails leaves the others alone.
  ScoreRow perform(Step& step) {
    ScoreRow row{.id = step.spec.id,
                 .title = step.spec.title,
                 .source = step.spec.source,
                 .why = why_not(step),
                 .left_out = {}};
    if (!row.why.empty()) return row;
    try {
      complete(step, row);
    } catch (const Interrupted&) {
      throw;
    } catch (const CheckError& error) {  // this model has nothing of what was to be measured
      row.why = error.what();
      rows_hold_ = rows_hold_ && rows_hold(step.out);
      spdlog::warn("warning: {}: not run: {}", step.spec.id, row.why);
    } catch (const std::exception& error) {
      failed_ = true;
      row.state = ScoreRow::State::kFailed;
      row.why = failure_of(error).line;
      spdlog::error("error: {}: {}", step.spec.id, row.why);
    }
    return row;
  }

  void complete(Step& step, ScoreRow& row) {
    const std::string said = use_direction(step, plan_.out());
    row.why = keep_directions(step, plan_.out());
    row.left_out = step.inputs.left_out;
    if (!row.why.empty()) return;
    run_step(step);
    row.state = ScoreRow::State::kDone;
    row.why = said;
    if (!step.extraction) measure(row, step);
    if (rows_hold(step.out)) return;
    rows_hold_ = false;
    row.why = "row identity does not hold: these rows are not their prompts' own";
  }

  void measure(ScoreRow& row, const Step& step) const {
    const fs::path file = step.out / "results.json";
    const Json results = read_json(file);
    if (!holds_measures(step.spec, results))
      throw InputError("{}: holds nothing that this experiment measures", file.string());
    measure_row(row, step.spec, results, plan_.taken_for());
  }

  // What an extraction warns of is true of everything that is computed from it.
  void add_warnings(Scoreboard& board, const Step& extraction) const {
    std::vector<std::string> users;
    for (const Step& step : plan_.steps()) {
      if (std::ranges::find(step.spec.uses, extraction.spec.id) != step.spec.uses.end())
        users.push_back(step.spec.id);
    }
    for (const Json& warning : read_manifest(extraction.out).value("warnings", Json::array()))
      board.warnings.push_back(fmt::format("{} (used by {}): {}", extraction.spec.id, join(users, ", "),
                                           warning.get<std::string>()));
  }

  std::string why_not(const Step& step) const {
    if (!step.inputs.missing.empty()) return step.inputs.missing;
    for (const std::string& name : step.spec.uses) {
      if (const auto lacking = lacking_.find(name); lacking != lacking_.end())
        return fmt::format("the extraction {} is not there: {}", name, lacking->second);
    }
    return "";
  }

  ExitCode code_of(const Scoreboard& board) const {
    if (failed_) return ExitCode::kFailure;
    const std::vector<std::string> broken = board.broken();
    if (options_.strict && !broken.empty()) {
      spdlog::error("error: {} not hold: {}", broken.size() == 1 ? "a claim does" : "claims do",
                    join(broken, ", "));
    }
    const bool fails = !rows_hold_ || (options_.strict && !broken.empty());
    return fails ? ExitCode::kCheckFailed : ExitCode::kDone;
  }

  void print(const Scoreboard& board) const {
    if (options_.json) {
      Json whole{{"run", plan_.out().string()}};
      whole.update(board.to_json());
      print_out("{}\n", to_line(whole));
    } else {
      print_out("{}\nWritten to {}\n", board.page(), plan_.out().string());
    }
  }

  Plan& plan_;
  const ReproduceOptions& options_;
  std::map<std::string, std::string> lacking_;  // shared extractions that could not be made, and why
  bool rows_hold_ = true;
  bool failed_ = false;
};

// `--dry-run` says that a folder's run is another one before it plans.
void check_resumable(const fs::path& out, const Json& identity) {
  if (RunDirectory::look(out, IfExists::kResume) == Found::kNothing) return;
  const std::string changed = RunDirectory::difference(out, identity);
  if (!changed.empty()) throw another_run(out, changed);
}

}  // namespace

ExitCode run_reproduce(const ReproduceOptions& options) {
  Plan plan(options);
  if (options.dry_run) {
    if (!options.overwrite) check_resumable(plan.out(), plan.identity());
    print_steps(plan.steps(), plan.out(), plan.model(), options);
  }
  plan.check_inputs();
  return options.dry_run ? ExitCode::kDone : Reproduction(plan, options).run();
}

}  // namespace hrt
