#include "hrt/reproduce/reproduce.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "cost_clock.h"
#include "hrt/base/file.h"
#include "hrt/base/log.h"
#include "hrt/base/paths.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/prompt_set.h"
#include "hrt/experiment/run_directory.h"
#include "hrt/experiment/versions.h"
#include "hrt/model/checkpoint.h"
#include "hrt/reproduce/scoreboard.h"
#include "step.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

std::string known_model(const std::vector<KnownModel>& known, const DecoderSpec& spec,
                        const std::string& chat_template) {
  for (const KnownModel& model : known) {
    if (model.family == spec.family && model.layers == spec.layers && model.hidden == spec.hidden &&
        model.chat_template == chat_template)
      return model.name;
  }
  return "";
}

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

// Runs are taken up from any folder.
ReproduceOptions with_absolute_paths(ReproduceOptions options) {
  for (Override& change : options.overrides) {
    const bool path = change.path == "model" || change.path == "data" || change.path == "data_root";
    if (!path || !change.value.is_string()) continue;
    const fs::path place = change.value.get<std::string>();
    if (fs::exists(place)) change.value = fs::absolute(place).lexically_normal().string();
  }
  return options;
}

class Reproduction {
 public:
  explicit Reproduction(const ReproduceOptions& options)
      : options_(with_absolute_paths(options)),
        config_(resolve_config(Command::kExtract, std::nullopt, options_.overrides)),
        list_(read_experiments(data_dir() / "experiments.json")),
        catalog_(catalog_file(), data_root()),
        checkpoint_(resolve_model(config_)),
        chat_template_(open_text(config_, checkpoint_.folder(), true).chat.name()),
        out_(fs::absolute(options.out.empty() ? "runs/reproduce" : options.out)) {
    const auto chosen = list_.chosen(options.only);
    std::set<std::string> files;
    steps_ = plan_steps(list_, chosen, options_.overrides, catalog_, out_, files);
    tell_missing({files.begin(), files.end()});
  }

  ExitCode run() {
    RunDirectory run(out_, options_.overwrite ? IfExists::kOverwrite : IfExists::kResume, identity());
    run.manifest().update({{"status", "running"},
                           {"versions", versions()},
                           {"command", "reproduce"},
                           {"config", config()},
                           {"model", model()}});
    run.save();
    Scoreboard board = compute(run);
    write_file(run.file("results.json"), board.to_json().dump(2) + "\n");
    write_file(run.file("scoreboard.csv"), board.to_csv());
    const ExitCode code = code_of(board);
    run.finish(static_cast<int>(code));
    print(board);
    return code;
  }

  ExitCode print_plan() const {
    print_steps(steps_, out_, model(), options_.json);
    return ExitCode::kDone;
  }

 private:
  // All at once, with where they are had.
  void tell_missing(const std::vector<std::string>& files) const {
    const std::string hint = catalog_.hint().empty() ? "" : " (" + catalog_.hint() + ")";
    const std::string text =
        fmt::format("{} not there: {}{}", counted(files.size(), "prompt file"), join(files, ", "), hint);
    const bool any = std::ranges::any_of(steps_, [](const Step& s) { return s.inputs.missing.empty(); });
    if (!any && !files.empty()) throw InputError("nothing can be run: {}", text);
    if (!any)
      throw InputError("nothing can be run: {}: {}", steps_.back().spec.id, steps_.back().inputs.missing);
    if (!files.empty()) spdlog::warn("warning: {}", text);
  }

  std::string catalog_file() const {
    if (const auto file = optional_value<std::string>(config_, "data")) return *file;
    throw InputError("no catalog: --data CATALOG says which prompts the experiments take");
  }
  std::optional<fs::path> data_root() const { return optional_value<std::string>(config_, "data_root"); }

  // The keys that were given.
  Json config() const {
    Json given = Json::object();
    for (const Override& change : options_.overrides) given[change.path] = config_.at(change.path);
    return given;
  }

  // Experiments can be added later: which ones were asked for decides no number.
  Json identity() const {
    Json given = config();
    for (const char* key : {"model", "data", "data_root", "threads"}) given.erase(key);
    return {{"command", "reproduce"},
            {"model", checkpoint_.fingerprint()},
            {"catalog", catalog_.name()},
            {"config", given}};
  }

  Json model() const {
    return {{"path", fs::absolute(checkpoint_.folder()).lexically_normal().string()},
            {"family", checkpoint_.spec().family},
            {"layers", checkpoint_.spec().layers},
            {"hidden", checkpoint_.spec().hidden},
            {"parameters", checkpoint_.parameters()},
            {"template", chat_template_}};
  }

  std::string taken_for() const { return known_model(list_.models, checkpoint_.spec(), chat_template_); }

  Scoreboard compute(const RunDirectory& run) {
    Scoreboard board{.model = model(),
                     .taken_for = taken_for(),
                     .catalog = catalog_.name(),
                     .description = catalog_.description(),
                     .missed = catalog_.missed(),
                     .known = list_.models,
                     .rows = {}};
    CostClock clock(steps_);
    std::size_t number = 0;
    for (Step& step : steps_) {
      log_to_file(run.file("log.txt"));  // each run has a log of its own
      spdlog::info("[{}/{}] {}: {}{}", ++number, steps_.size(), step.spec.id, step.spec.title, clock.left());
      clock.begin(step);
      const auto start = std::chrono::steady_clock::now();
      ScoreRow row = perform(step);
      clock.end(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      if (!step.extraction)
        board.rows.push_back(std::move(row));
      else if (row.state != ScoreRow::State::kDone)
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
    } catch (const std::exception& error) {
      failed_ = true;
      row.state = ScoreRow::State::kFailed;
      row.why = split(error.what(), '\n').front();  // torch appends a stack
      spdlog::error("error: {}: {}", step.spec.id, row.why);
    }
    return row;
  }

  void complete(Step& step, ScoreRow& row) {
    const std::string said = use_direction(step, out_);
    row.why = keep_directions(step, out_);
    row.left_out = step.inputs.left_out;
    if (!row.why.empty()) return;
    run_step(step);
    row.state = ScoreRow::State::kDone;
    row.why = said;
    if (!step.extraction) measure_row(row, step.spec, read_json(step.out / "results.json"), taken_for());
    if (rows_hold(step.out)) return;
    rows_hold_ = false;
    row.why = "row identity does not hold: these rows are not their prompts' own";
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
      Json whole{{"run", out_.string()}};
      whole.update(board.to_json());
      fmt::print("{}\n", to_line(whole));
    } else {
      fmt::print("{}\nWritten to {}\n", board.page(), out_.string());
    }
  }

  ReproduceOptions options_;
  Json config_;
  ExperimentList list_;
  Catalog catalog_;
  Checkpoint checkpoint_;
  std::string chat_template_;
  fs::path out_;
  std::vector<Step> steps_;
  std::map<std::string, std::string> lacking_;  // shared extractions that could not be made, and why
  bool rows_hold_ = true;
  bool failed_ = false;
};

}  // namespace

ExitCode run_reproduce(const ReproduceOptions& options) {
  Reproduction reproduction(options);
  return options.dry_run ? reproduction.print_plan() : reproduction.run();
}

}  // namespace hrt
