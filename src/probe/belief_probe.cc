#include <fmt/format.h>

#include <array>

#include "analyses.h"
#include "beliefs.h"
#include "clusters.h"
#include "format.h"
#include "hrt/analysis/auroc.h"
#include "hrt/analysis/correlation.h"
#include "hrt/base/csv.h"
#include "hrt/base/page.h"
#include "hrt/experiment/interval_json.h"
#include "hrt/probe/groups.h"

namespace hrt {
namespace {

// A mean over rows, with row 0 or without it.
using Average = std::optional<double> RowMean::*;
constexpr std::array<std::pair<const char*, Average>, 2> kAverages{
    {{"all_rows", &RowMean::all_rows}, {"without_row_0", &RowMean::without_row_0}}};

std::vector<double> values_of(const Belief& belief, const std::vector<std::size_t>& prompts,
                              Average average) {
  std::vector<double> values;
  for (const std::size_t prompt : prompts) {
    if (belief.is_there() && belief.means[prompt].*average)
      values.push_back(*(belief.means[prompt].*average));
  }
  return values;
}

std::optional<double> value_of(const Belief& belief, std::size_t prompt, Average average) {
  return belief.is_there() ? belief.means[prompt].*average : std::nullopt;
}

// How many prompts lie where in the plane. Exactly 0 counts as harmless and as accepted.
struct Corners {
  std::int64_t harmful_refuse = 0;
  std::int64_t harmful_accept = 0;
  std::int64_t harmless_refuse = 0;
  std::int64_t harmless_accept = 0;

  void add(double harmful, double refuse) {
    ++(harmful > 0 ? (refuse > 0 ? harmful_refuse : harmful_accept)
                   : (refuse > 0 ? harmless_refuse : harmless_accept));
  }
};

class BeliefProbe {
 public:
  BeliefProbe(const ProbeSource& source, const Json& config)
      : source_(source),
        beliefs_(measure_beliefs(source)),
        groups_(group_prompts(source.prompts(), config.at("group_by").get<std::vector<std::string>>())) {}

  Json to_json() const {
    Json json{{"rows", source_.rows()}};
    for (const Belief* belief : {&beliefs_.harmful, &beliefs_.refuse}) {
      json[belief->name] = {{"position", belief->position}, {"clusters", belief->clusters.name()}};
      if (!belief->is_there()) json[belief->name]["missing"] = belief->missing;
    }
    json["groups"] = Json::object();
    for (const PromptGroup& group : groups_.groups) json["groups"][group.name] = group_json(group);
    for (const auto& [name, average] : kAverages) json["over_all_prompts"][name] = relations_json(average);
    json["prompts"] = Json::array();
    for (std::size_t i = 0; i < source_.prompts().size(); ++i) json["prompts"].push_back(prompt_json(i));
    return json;
  }

  std::string beliefs_csv() const {
    Csv csv({"id", "group", "label", "outcome", "delta_harmful", "delta_refuse",
             "delta_harmful_without_row_0", "delta_refuse_without_row_0"});
    const std::vector<std::string> names = group_names();
    for (std::size_t i = 0; i < source_.prompts().size(); ++i) {
      const ProbePrompt& prompt = source_.prompts()[i];
      csv.row({prompt.id, names[i], label_name(prompt.label), outcome_name(prompt.outcome),
               value_of(beliefs_.harmful, i, &RowMean::all_rows),
               value_of(beliefs_.refuse, i, &RowMean::all_rows),
               value_of(beliefs_.harmful, i, &RowMean::without_row_0),
               value_of(beliefs_.refuse, i, &RowMean::without_row_0)});
    }
    return csv.text();
  }

  std::string curves_csv() const {
    Csv csv({"belief", "group", "row", "n", "mean", "low", "high"});
    for (const Belief* belief : {&beliefs_.harmful, &beliefs_.refuse}) {
      for (const PromptGroup& group : groups_.groups) {
        for (std::size_t r = 0; belief->is_there() && r < source_.rows().size(); ++r) {
          const std::vector<double> scores = at_row(belief->scores, group.prompts, r);
          const auto mean = mean_of(scores);
          csv.row({belief->name, group.name, source_.rows()[r], scores.size(), hrt::value_of(mean),
                   low_of(mean), high_of(mean)});
        }
      }
    }
    return csv.text();
  }

  std::string page() const {
    std::string page = "\nBeliefs, averages over all rows\n\n" + groups_table().text();
    page += fmt::format("\n{}", describe_sizes(groups_));
    for (const Belief* belief : {&beliefs_.harmful, &beliefs_.refuse}) {
      page +=
          fmt::format("{}: {}\n", title_of(belief->name),
                      belief->is_there() ? fmt::format("{} at {}", belief->clusters.name(), belief->position)
                                         : belief->missing);
    }
    return page + relations_page();
  }

 private:
  Json belief_json(const Belief& belief, const PromptGroup& group) const {
    Json json = Json::object();
    for (const auto& [name, average] : kAverages) {
      const std::vector<double> values = values_of(belief, group.prompts, average);
      json[name] = {{"mean", json_or_null(mean_of(values), mean_json)},
                    {"above_0", proportion_json(above_0(values))}};
    }
    json["by_row"] = Json::array();
    for (std::size_t r = 0; belief.is_there() && r < source_.rows().size(); ++r)
      json["by_row"].push_back(json_or_null(mean_of(at_row(belief.scores, group.prompts, r)), mean_json));
    return json;
  }

  Corners corners_of(const PromptGroup& group) const {
    Corners corners;
    for (const std::size_t i : group.prompts) {
      const auto harmful = value_of(beliefs_.harmful, i, &RowMean::all_rows);
      const auto refuse = value_of(beliefs_.refuse, i, &RowMean::all_rows);
      if (harmful && refuse) corners.add(*harmful, *refuse);
    }
    return corners;
  }

  Json group_json(const PromptGroup& group) const {
    const Corners corners = corners_of(group);
    return {{"n", group.prompts.size()},
            {"delta_harmful", belief_json(beliefs_.harmful, group)},
            {"delta_refuse", belief_json(beliefs_.refuse, group)},
            {"believed",
             {{"harmful_refuse", corners.harmful_refuse},
              {"harmful_accept", corners.harmful_accept},
              {"harmless_refuse", corners.harmless_refuse},
              {"harmless_accept", corners.harmless_accept}}}};
  }

  // Of the prompts that have both beliefs.
  struct Relations {
    std::optional<Correlation> pearson;
    std::optional<Correlation> spearman;
    std::optional<Auroc> harmful_for_harm;
    std::optional<Auroc> harmful_for_refusal;
    std::optional<Auroc> refuse_for_harm;
    std::optional<Auroc> refuse_for_refusal;
  };

  Relations relations(Average average) const {
    std::vector<double> harmful;
    std::vector<double> refuse;
    for (std::size_t i = 0; i < source_.prompts().size(); ++i) {
      const auto x = value_of(beliefs_.harmful, i, average);
      const auto y = value_of(beliefs_.refuse, i, average);
      if (!x || !y) continue;
      harmful.push_back(*x);
      refuse.push_back(*y);
    }
    const auto area = [&](const Belief& belief, const TwoKinds& kinds) {
      return auroc(values_of(belief, kinds.positive, average), values_of(belief, kinds.negative, average));
    };
    const TwoKinds labels = by_label(source_.prompts());
    const TwoKinds outcomes = by_outcome(source_.prompts());
    return {hrt::pearson(harmful, refuse),  hrt::spearman(harmful, refuse),
            area(beliefs_.harmful, labels), area(beliefs_.harmful, outcomes),
            area(beliefs_.refuse, labels),  area(beliefs_.refuse, outcomes)};
  }

  Json relations_json(Average average) const {
    const Relations r = relations(average);
    return {{"pearson", json_or_null(r.pearson, correlation_json)},
            {"spearman", json_or_null(r.spearman, correlation_json)},
            {"auroc",
             {{"delta_harmful_for_harm", json_or_null(r.harmful_for_harm, auroc_json)},
              {"delta_harmful_for_refusal", json_or_null(r.harmful_for_refusal, auroc_json)},
              {"delta_refuse_for_harm", json_or_null(r.refuse_for_harm, auroc_json)},
              {"delta_refuse_for_refusal", json_or_null(r.refuse_for_refusal, auroc_json)}}}};
  }

  Json prompt_json(std::size_t prompt) const {
    Json json{{"id", source_.prompts()[prompt].id}};
    for (const Belief* belief : {&beliefs_.harmful, &beliefs_.refuse}) {
      for (const auto& [name, average] : kAverages)
        json[belief->name][name] = number_or_null(value_of(*belief, prompt, average));
    }
    return json;
  }

  std::vector<std::string> group_names() const {
    std::vector<std::string> names(source_.prompts().size());
    for (const PromptGroup& group : groups_.groups) {
      for (const std::size_t prompt : group.prompts) names[prompt] = group.name;
    }
    return names;
  }

  Table groups_table() const {
    using enum Table::Align;
    Table table({{"group"},
                 {"Delta_harmful", kRight},
                 {"above 0", kRight},
                 {"Delta_refuse", kRight},
                 {"above 0", kRight}},
                kNoWidth);
    for (const PromptGroup& group : groups_.groups) {
      std::vector<std::string> cells{group.name};
      for (const Belief* belief : {&beliefs_.harmful, &beliefs_.refuse}) {
        const std::vector<double> values = values_of(*belief, group.prompts, &RowMean::all_rows);
        cells.push_back(mean_text(mean_of(values)));
        cells.push_back(share_text(above_0(values)));
      }
      table.add(cells);
    }
    return table;
  }

  std::string relations_page() const {
    const Relations all = relations(&RowMean::all_rows);
    const Relations without = relations(&RowMean::without_row_0);
    std::string page = "\n";
    const auto add = [&](const char* what, const std::string& first, const std::string& second) {
      page += fmt::format("{:<38} {:>20}   without row 0 {:>20}\n", what, first, second);
    };
    add("Correlation of the two (Pearson)", correlation_text(all.pearson), correlation_text(without.pearson));
    add("Rank correlation (Spearman)", correlation_text(all.spearman), correlation_text(without.spearman));
    add("AUROC, Delta_harmful for harm", auroc_text(all.harmful_for_harm),
        auroc_text(without.harmful_for_harm));
    add("AUROC, Delta_harmful for refusal", auroc_text(all.harmful_for_refusal),
        auroc_text(without.harmful_for_refusal));
    add("AUROC, Delta_refuse for harm", auroc_text(all.refuse_for_harm), auroc_text(without.refuse_for_harm));
    add("AUROC, Delta_refuse for refusal", auroc_text(all.refuse_for_refusal),
        auroc_text(without.refuse_for_refusal));
    return page;
  }

  const ProbeSource& source_;
  Beliefs beliefs_;
  PromptGroups groups_;
};

}  // namespace

ProbeReport probe_beliefs(const ProbeSource& source, const Json& config) {
  const BeliefProbe probe(source, config);
  return {probe.to_json(),
          {{"beliefs.csv", probe.beliefs_csv()}, {"curves.csv", probe.curves_csv()}},
          probe.page()};
}

}  // namespace hrt
