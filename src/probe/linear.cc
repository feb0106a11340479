#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "analyses.h"
#include "clusters.h"
#include "format.h"
#include "hrt/analysis/cross_validation.h"
#include "hrt/analysis/linear_classifier.h"
#include "hrt/analysis/ngrams.h"
#include "hrt/base/csv.h"
#include "hrt/base/error.h"
#include "hrt/base/page.h"
#include "hrt/base/progress.h"
#include "hrt/experiment/interval_json.h"
#include "hrt/probe/groups.h"

namespace hrt {
namespace {

// What is told apart: two kinds of prompts.
struct Target {
  std::string name;                  // "harm"
  std::vector<std::size_t> prompts;  // of either kind, ascending
  std::vector<bool> positive;        // one a prompt
  std::vector<std::int64_t> folds;
  HeldOutResult words;
};

struct RowProbe {
  HeldOutResult logistic;
  HeldOutResult difference;  // the difference of means
};

struct ProbedPosition {
  std::string target;
  std::string position;
  std::int64_t prompts = 0;
  std::vector<RowProbe> by_row;
};

// A number for each prompt's value of `field`: equal values, one fold.
std::vector<std::int64_t> fold_groups(const ProbeSource& source, const std::vector<std::size_t>& prompts,
                                      const Json& field) {
  if (!field.is_null()) require_field(source.prompts(), field);
  std::map<std::string, std::int64_t> numbers;
  std::vector<std::int64_t> groups;
  for (const std::size_t prompt : prompts) {
    const std::string value = field.is_null()
                                  ? std::to_string(prompt)
                                  : group_value(source.prompts()[prompt], field.get<std::string>());
    groups.push_back(numbers.emplace(value, std::ssize(numbers)).first->second);
  }
  return groups;
}

HeldOutResult probe(const at::Tensor& features, const std::vector<bool>& positive,
                    const std::vector<std::int64_t>& folds, const FitClassifier& fit) {
  return held_out_result(held_out_scores(features, positive, folds, fit), positive);
}

std::optional<LinearClassifier> fit_words(const at::Tensor& features, const std::vector<bool>& positive) {
  return fit_logistic(features, positive, {.standardize = false});
}

std::optional<LinearClassifier> fit_rows(const at::Tensor& features, const std::vector<bool>& positive) {
  return fit_logistic(features, positive);
}

Target make_target(const char* name, const TwoKinds& kinds, const ProbeSource& source, const Json& config) {
  Target target{name, kinds.positive, {}, {}, {}};
  target.prompts.insert(target.prompts.end(), kinds.negative.begin(), kinds.negative.end());
  std::ranges::sort(target.prompts);
  for (const std::size_t prompt : target.prompts)
    target.positive.push_back(std::ranges::binary_search(kinds.positive, prompt));
  target.folds = group_folds(fold_groups(source, target.prompts, config.at("fold_by")), config.at("folds"),
                             config.at("seed"));
  std::vector<std::string> texts;
  for (const std::size_t prompt : target.prompts) texts.push_back(source.prompts()[prompt].request);
  target.words = probe(ngram_features(texts), target.positive, target.folds, fit_words);
  return target;
}

// Those of a target's prompts that have a position: their rows, classes and folds.
struct Cut {
  at::Tensor rows;  // [prompts, rows, hidden]
  std::vector<bool> positive;
  std::vector<std::int64_t> folds;
};

Cut cut_to(const Target& target, const PositionRows& rows) {
  Cut cut;
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i < target.prompts.size(); ++i) {
    const auto found = std::ranges::lower_bound(rows.prompts, target.prompts[i]);
    if (found == rows.prompts.end() || *found != target.prompts[i]) continue;
    places.push_back(found - rows.prompts.begin());
    cut.positive.push_back(target.positive[i]);
    cut.folds.push_back(target.folds[i]);
  }
  cut.rows = rows.rows.index_select(0, at::tensor(at::ArrayRef<std::int64_t>(places), at::kLong));
  return cut;
}

Json held_out_json(const HeldOutResult& result) {
  return {{"accuracy", proportion_json(result.accuracy)}, {"auroc", json_or_null(result.auroc, auroc_json)}};
}

class LinearProbe {
 public:
  LinearProbe(const ProbeSource& source, const Json& config) : source_(source), config_(config) {
    const auto positions = positions_there(source, config.at("positions").get<std::vector<std::string>>());
    add_target("harm", by_label(source.prompts()));
    add_target("refusal", by_outcome(source.prompts()));
    if (targets_.empty()) throw InputError("neither labels nor outcomes have two kinds of scored prompts");
    Progress progress("linear probes",
                      std::ssize(targets_) * std::ssize(positions) * std::ssize(source.rows()), "rows");
    for (const std::string& position : positions) {
      const PositionRows rows = source.rows_at(position);
      for (const Target& target : targets_)
        probed_.push_back(probe_position(target, position, rows, progress));
    }
  }

  Json to_json() const {
    Json json{{"rows", source_.rows()}, {"folds", config_.at("folds")}, {"fold_by", config_.at("fold_by")}};
    for (const Target& target : targets_) {
      json["targets"][target.name] = {{"n", target.prompts.size()},
                                      {"positive", std::ranges::count(target.positive, true)},
                                      {"words", held_out_json(target.words)}};
    }
    for (const ProbedPosition& probed : probed_) {
      Json& list = json["targets"][probed.target]["positions"][probed.position];
      for (std::size_t r = 0; r < probed.by_row.size(); ++r)
        list.push_back({{"row", source_.rows()[r]},
                        {"logistic", held_out_json(probed.by_row[r].logistic)},
                        {"difference_of_means", held_out_json(probed.by_row[r].difference)}});
    }
    return json;
  }

  std::string csv() const {
    Csv csv({"target", "position", "row", "probe", "n", "accuracy", "accuracy_low", "accuracy_high", "auroc",
             "auroc_low", "auroc_high"});
    const auto add = [&](const std::string& target, const std::string& position,
                         std::optional<std::int64_t> row, const char* name, const HeldOutResult& result) {
      csv.row({target, position, row, name, result.accuracy.n, result.accuracy.rate(),
               low_of(result.accuracy), high_of(result.accuracy), value_of(result.auroc),
               low_of(result.auroc), high_of(result.auroc)});
    };
    for (const Target& target : targets_) add(target.name, "", std::nullopt, "words", target.words);
    for (const ProbedPosition& probed : probed_) {
      for (std::size_t r = 0; r < probed.by_row.size(); ++r) {
        add(probed.target, probed.position, source_.rows()[r], "logistic", probed.by_row[r].logistic);
        add(probed.target, probed.position, source_.rows()[r], "difference_of_means",
            probed.by_row[r].difference);
      }
    }
    return csv.text();
  }

  std::string page() const {
    const Json& field = config_.at("fold_by");
    std::string page =
        fmt::format("\nHeld out in {} folds{}: AUROC of logistic probes, and of the difference of means\n",
                    config_.at("folds").get<int>(),
                    field.is_null() ? "" : fmt::format(", equal {} in one", field.get<std::string>()));
    for (const Target& target : targets_) page += target_page(target);
    return page;
  }

 private:
  void add_target(const char* name, const TwoKinds& kinds) {
    if (kinds.positive.empty() || kinds.negative.empty()) return;
    targets_.push_back(make_target(name, kinds, source_, config_));
  }

  ProbedPosition probe_position(const Target& target, const std::string& position, const PositionRows& rows,
                                Progress& progress) const {
    const Cut cut = cut_to(target, rows);
    ProbedPosition probed{target.name, position, cut.rows.size(0), {}};
    for (std::int64_t r = 0; r < cut.rows.size(1); ++r) {
      const at::Tensor features = cut.rows.select(1, r);
      probed.by_row.push_back({probe(features, cut.positive, cut.folds, fit_rows),
                               probe(features, cut.positive, cut.folds, fit_difference_of_means)});
      progress.advance();
    }
    return probed;
  }

  std::string target_page(const Target& target) const {
    using enum Table::Align;
    std::vector<Table::Column> columns{{"row", kRight}};
    std::vector<const ProbedPosition*> here;
    for (const ProbedPosition& probed : probed_) {
      if (probed.target != target.name) continue;
      here.push_back(&probed);
      columns.push_back({probed.position, kRight});
      columns.push_back({"difference", kRight});
    }
    Table table(columns, kNoWidth);
    for (std::size_t r = 0; r < source_.rows().size(); ++r) {
      std::vector<std::string> cells{std::to_string(source_.rows()[r])};
      for (const ProbedPosition* probed : here) {
        cells.push_back(auroc_text(probed->by_row[r].logistic.auroc));
        cells.push_back(auroc_text(probed->by_row[r].difference.auroc));
      }
      table.add(cells);
    }
    return fmt::format("\n{} (n={}, {} of them positive); words and word pairs alone: {}\n\n", target.name,
                       target.prompts.size(), std::ranges::count(target.positive, true),
                       auroc_text(target.words.auroc)) +
           table.text();
  }

  const ProbeSource& source_;
  const Json& config_;
  std::vector<Target> targets_;
  std::vector<ProbedPosition> probed_;
};

}  // namespace

ProbeReport probe_linear(const ProbeSource& source, const Json& config) {
  const LinearProbe probe(source, config);
  return {probe.to_json(), {{"linear.csv", probe.csv()}}, probe.page()};
}

}  // namespace hrt
