#include "hrt/guard/fit.h"

#include <fmt/format.h>

#include <algorithm>

#include "first_extraction.h"
#include "guard_runs.h"
#include "hrt/base/log.h"
#include "hrt/base/output.h"
#include "hrt/base/page.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/config.h"
#include "hrt/guard/describe.h"
#include "hrt/guard/guard_file.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

// Scores of the prompts of each label.
RuleScores by_label(const std::vector<ProbePrompt>& prompts, std::vector<RowScores> scores,
                    const std::string& origin) {
  RuleScores result;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    if (prompts[i].label == Label::kHarmful) result.harmful.push_back(std::move(scores[i]));
    if (prompts[i].label == Label::kHarmless) result.harmless.push_back(std::move(scores[i]));
  }
  result.origin = fmt::format(fmt::runtime(origin), result.harmful.size(), result.harmless.size());
  return result;
}

class Fitting {
 public:
  explicit Fitting(const FitRequest& request)
      : request_(request),
        source_(open_source({{"runs", request.runs},
                             {"centroids", nullptr},
                             {"tensors", nullptr},
                             {"harmful", request.harmful},
                             {"harmless", request.harmless},
                             {"prompts", Json::array()},
                             {"allow_overlap", !is_left_out() || request.allow_overlap}})),
        run_(request.runs.front(), Command::kExtract) {}

  Guard fit() {
    Guard guard;
    guard.rows = source_->rows();
    guard.harmful = centroid("harmful", guard.harmful_count);
    guard.harmless = centroid("harmless", guard.harmless_count);
    describe(guard);
    const GuardRule rule = choose_rule(rule_scores(guard), guard.rows, request_.rule);
    apply(rule, guard);
    return guard;
  }

 private:
  bool has_validation() const { return !request_.validation.empty() || !request_.validation_prompts.empty(); }
  // Whether a rule is chosen on the training prompts themselves.
  bool is_left_out() const { return request_.rule.any() && !has_validation(); }

  at::Tensor centroid(const char* label, std::int64_t& count) const {
    const auto found = source_->centroid(label, kGuardPosition);
    if (!found) throw InputError("no {} prompt to fit a guard to", label);
    count = found->count;
    return found->mean.to(at::kFloat);
  }

  void describe(Guard& guard) const {
    guard.model = run_.model_fingerprint();
    guard.full_hash = run_.config().at("full_hash");
    guard.dtype = run_.dtype();
    guard.text = text_of(run_);
    Json sets = Json::object();
    for (const ProbePrompt& prompt : source_->centroid_prompts()) {
      if (prompt.label == Label::kNone) continue;
      guard.training.push_back(request_hash(prompt));
      Json& count = sets[prompt.fields.value("role", prompt.fields.value("set", ""))];
      count = count.is_null() ? 1 : count.get<std::int64_t>() + 1;
    }
    Json runs = Json::array();
    for (const std::string& run : request_.runs)
      runs.push_back(fs::absolute(run).lexically_normal().string());
    guard.provenance = {{"runs", runs}, {"sets", sets}};
  }

  RuleScores rule_scores(const Guard& guard) const {
    if (!request_.rule.any()) return {};
    if (!has_validation()) {
      return by_label(source_->prompts(), source_->scores(kGuardPosition, kLabelClusters),
                      "{} harmful and {} harmless training prompts, each left out of its own centroid");
    }
    const auto& runs = request_.validation.empty() ? request_.runs : request_.validation;
    for (const std::string& run : request_.validation) check_fits(guard, StoredRun(run, Command::kExtract));
    const auto validation = open_prompts(runs, request_.validation_prompts);
    if (validation->rows() != guard.rows)
      throw InputError("--validation holds other rows than the training runs");
    check_overlap(guard, validation->prompts(), request_.allow_overlap);
    const PositionRows rows = validation->rows_at(kGuardPosition);
    std::vector<ProbePrompt> prompts;
    for (const std::size_t i : rows.prompts) prompts.push_back(validation->prompts()[i]);
    return by_label(prompts, centroid_scores(rows.rows, CentroidScorer(guard.harmful, guard.harmless)),
                    "{} harmful and {} harmless validation prompts");
  }

  static void apply(const GuardRule& rule, Guard& guard) {
    const auto first = static_cast<std::int64_t>(rule.rows.front());
    const auto count = static_cast<std::int64_t>(rule.rows.size());
    guard.rows = {guard.rows.begin() + first, guard.rows.begin() + first + count};
    guard.harmful = guard.harmful.narrow(0, first, count).contiguous();
    guard.harmless = guard.harmless.narrow(0, first, count).contiguous();
    guard.threshold = rule.threshold;
    guard.calibration = rule.calibration;
    guard.chosen = rule.chosen;
  }

  const FitRequest& request_;
  std::unique_ptr<ProbeSource> source_;
  StoredRun run_;
};

FitRequest request_of(const Json& config) {
  FitRequest request;
  request.runs = config.at("runs").get<std::vector<std::string>>();
  request.harmful = config.at("harmful");
  request.harmless = config.at("harmless");
  request.validation = config.at("validation").get<std::vector<std::string>>();
  request.validation_prompts = config.at("prompts");
  request.rule = {config.at("fit_rows"), optional_value<double>(config, "false_positive_rate"),
                  config.at("calibration")};
  request.allow_overlap = config.at("allow_overlap");
  return request;
}

void print_guard(const Guard& guard, const fs::path& file, bool json) {
  if (json) {
    Json whole{{"guard", file.string()}};
    whole.update(rule_json(guard));
    whole["model"] = guard.model;
    whole["counts"] = {{"harmful", guard.harmful_count}, {"harmless", guard.harmless_count}};
    print_out("{}\n", to_line(whole));
    return;
  }
  Page page("Guard");
  add_rule(page, guard);
  page.add("written to", file.string());
  print_out("{}", page.text());
}

}  // namespace

Guard fit_guard(const FitRequest& request) { return Fitting(request).fit(); }

ExitCode run_guard_fit(Json config, const RunOptions& options) {
  const fs::path file = output_folder(config, options);
  if (fs::exists(file) && options.if_exists != IfExists::kOverwrite)
    throw InputError("{}: is there already (--overwrite replaces it)", file.string());
  if (fs::exists(file) && !holds_guard(file))
    throw InputError("{}: exists and is no guard; nothing was changed", file.string());
  FitRequest request = request_of(config);
  ExitCode code = ExitCode::kDone;
  if (request.runs.empty()) {
    request.runs = {fs::path(file).replace_extension(".extract").string()};
    code = FirstExtraction(config, "none").make(request.runs.front(), options.dry_run);
  }
  if (options.dry_run) return code;
  const Guard guard = fit_guard(request);
  write_guard(file, guard);
  print_guard(guard, file, options.json);
  return code;
}

}  // namespace hrt
