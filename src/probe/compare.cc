#include "compare.h"

#include <fmt/format.h>

#include <map>

#include "beliefs.h"
#include "clusters.h"
#include "format.h"
#include "hrt/analysis/scores.h"
#include "hrt/base/csv.h"
#include "hrt/base/error.h"
#include "hrt/base/page.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/interval_json.h"
#include "hrt/probe/groups.h"

namespace hrt {
namespace {

// One belief in one variant, by prompt of the first variant; no value where the variant lacks the prompt.
struct Measured {
  std::vector<RowScores> scores;
  std::vector<std::optional<double>> averages;
};

using Numbers = std::map<std::string, std::size_t>;

Numbers numbers_of(const ProbeSource& source) {
  Numbers numbers;
  for (const ProbePrompt& prompt : source.prompts()) numbers.emplace(prompt.id, numbers.size());
  return numbers;
}

Measured in_order(const std::vector<RowScores>& scores, const ProbeSource& source, const ProbeSource& first) {
  const Numbers numbers = numbers_of(source);
  Measured measured;
  for (const ProbePrompt& prompt : first.prompts()) {
    const auto found = numbers.find(prompt.id);
    const bool there = found != numbers.end() && !scores.empty();
    measured.scores.push_back(there ? scores[found->second] : RowScores(first.rows().size()));
    measured.averages.push_back(row_mean(measured.scores.back(), first.rows()).all_rows);
  }
  return measured;
}

// Why rows of `source` cannot be scored against the first variant's centroids; empty: they can.
std::string why_not_against_first(const Belief& belief, const ProbeSource& source, const ProbeSource& first) {
  const auto centroid = first.centroid(belief.clusters.plus, belief.position);
  if (!centroid || !first.has_centroid(belief.clusters.minus, belief.position))
    return fmt::format("the first has no centroids at {}", belief.position);
  if (first.describe().value("held_out", "") != "split")
    return "the scored prompts are among the first's centroids (harmful and harmless in a config part them)";
  if (source.rows_at(belief.position).rows.size(2) != centroid->mean.size(1))
    return "models of different widths";
  return "";
}

// The variant's rows against the first one's centroids.
std::vector<RowScores> against_first(const Belief& belief, const ProbeSource& source,
                                     const ProbeSource& first) {
  const PositionRows rows = source.rows_at(belief.position);
  const CentroidScorer scorer(first.centroid(belief.clusters.plus, belief.position)->mean,
                              first.centroid(belief.clusters.minus, belief.position)->mean);
  std::vector<RowScores> scores(source.prompts().size(), RowScores(source.rows().size()));
  for (std::size_t i = 0; i < rows.prompts.size(); ++i)
    scores[rows.prompts[i]] = scorer.score(rows.rows[static_cast<std::int64_t>(i)]);
  return scores;
}

struct VariantBelief {
  std::string variant;
  std::string belief;
  Measured own;
  Measured against_first;
  std::string missing;  // why nothing is scored against the first's centroids
};

class Comparison {
 public:
  Comparison(const std::vector<Variant>& variants, const Json& config) : variants_(variants) {
    if (variants.size() < 2) throw InputError("compare: give at least two runs, or /variants in the config");
    const ProbeSource& first = *variants.front().source;
    groups_ = group_prompts(first.prompts(), config.at("group_by").get<std::vector<std::string>>());
    for (const Variant& variant : variants) measure(variant, first);
  }

  Json to_json() const {
    Json json{{"rows", variants_.front().source->rows()}};
    for (std::size_t b = 0; b < beliefs_.size(); ++b) {
      const VariantBelief& belief = beliefs_[b];
      for (const PromptGroup& group : groups_.groups)
        json["variants"][belief.variant][belief.belief][group.name] = group_json(b, group);
    }
    return json;
  }

  std::string compare_csv() const {
    Csv csv({"belief", "group", "variant", "centroids", "n", "mean", "low", "high", "change", "change_low",
             "change_high"});
    for (std::size_t b = 0; b < beliefs_.size(); ++b) {
      for (const PromptGroup& group : groups_.groups) {
        add_line(csv, b, group, "own", &VariantBelief::own);
        add_line(csv, b, group, "first", &VariantBelief::against_first);
      }
    }
    return csv.text();
  }

  std::string curves_csv() const {
    Csv csv({"belief", "group", "variant", "row", "n", "mean", "low", "high"});
    const std::vector<std::int64_t>& rows = variants_.front().source->rows();
    for (const VariantBelief& belief : beliefs_) {
      for (const PromptGroup& group : groups_.groups) {
        for (std::size_t r = 0; r < rows.size(); ++r) {
          const std::vector<double> values = at_row(belief.own.scores, group.prompts, r);
          const auto mean = mean_of(values);
          csv.row({belief.belief, group.name, belief.variant, rows[r], values.size(), value_of(mean),
                   low_of(mean), high_of(mean)});
        }
      }
    }
    return csv.text();
  }

  std::string page() const {
    std::string page;
    for (const char* name : {"delta_harmful", "delta_refuse"}) {
      page += fmt::format("\n{}, averages over all rows, own centroids; change: paired, from {}\n\n",
                          title_of(name), variants_.front().name);
      page += table(name).text();
      page += missing_lines(name);
    }
    if (groups_.without > 0)
      page +=
          fmt::format("\n{} of {} in no group\n", counted(groups_.without, "prompt"), variants_.front().name);
    return page;
  }

 private:
  void measure(const Variant& variant, const ProbeSource& first) {
    if (variant.source->rows() != first.rows())
      throw InputError("compare: {} holds other rows than {}", variant.name, variants_.front().name);
    const Beliefs beliefs = measure_beliefs(*variant.source);
    for (const Belief* belief : {&beliefs.harmful, &beliefs.refuse}) {
      if (!belief->is_there()) throw InputError("compare: {}: {}", variant.name, belief->missing);
      const std::string missing = why_not_against_first(*belief, *variant.source, first);
      const auto by_first =
          missing.empty() ? against_first(*belief, *variant.source, first) : std::vector<RowScores>{};
      beliefs_.push_back({variant.name, belief->name, in_order(belief->scores, *variant.source, first),
                          in_order(by_first, *variant.source, first), missing});
    }
    const Numbers numbers = numbers_of(*variant.source);
    const bool common = std::ranges::any_of(
        first.prompts(), [&](const ProbePrompt& prompt) { return numbers.contains(prompt.id); });
    if (!common)
      throw InputError("compare: {} has no prompt of {} (by id)", variant.name, variants_.front().name);
  }

  // The two beliefs of the first variant come first.
  const VariantBelief& first_of(std::size_t belief) const { return beliefs_[belief % 2]; }

  static std::vector<double> values(const Measured& measured, const PromptGroup& group) {
    std::vector<double> values;
    for (const std::size_t prompt : group.prompts) {
      if (measured.averages[prompt]) values.push_back(*measured.averages[prompt]);
    }
    return values;
  }

  // Of prompts that have a value in both.
  static std::vector<double> changes(const Measured& now, const Measured& before, const PromptGroup& group) {
    std::vector<double> changes;
    for (const std::size_t prompt : group.prompts) {
      if (now.averages[prompt] && before.averages[prompt])
        changes.push_back(*now.averages[prompt] - *before.averages[prompt]);
    }
    return changes;
  }

  Json measured_json(std::size_t belief, const PromptGroup& group, Measured VariantBelief::*which) const {
    const Measured& measured = beliefs_[belief].*which;
    return {{"mean", json_or_null(mean_of(values(measured, group)), mean_json)},
            {"change", json_or_null(mean_of(changes(measured, first_of(belief).own, group)), mean_json)}};
  }

  Json group_json(std::size_t belief, const PromptGroup& group) const {
    Json json{{"own_centroids", measured_json(belief, group, &VariantBelief::own)},
              {"first_centroids", measured_json(belief, group, &VariantBelief::against_first)}};
    if (const std::string& missing = beliefs_[belief].missing; !missing.empty())
      json["first_centroids"]["missing"] = missing;
    return json;
  }

  void add_line(Csv& csv, std::size_t b, const PromptGroup& group, const char* centroids,
                Measured VariantBelief::*which) const {
    const std::vector<double> here = values(beliefs_[b].*which, group);
    const auto mean = mean_of(here);
    const auto change = mean_of(changes(beliefs_[b].*which, first_of(b).own, group));
    csv.row({beliefs_[b].belief, group.name, beliefs_[b].variant, centroids, here.size(), value_of(mean),
             low_of(mean), high_of(mean), value_of(change), low_of(change), high_of(change)});
  }

  Table table(const std::string& name) const {
    using enum Table::Align;
    Table table({{"group"},
                 {"variant"},
                 {"n", kRight},
                 {"mean", kRight},
                 {"paired", kRight},
                 {"change", kRight},
                 {"first's centroids", kRight}},
                kNoWidth);
    for (const PromptGroup& group : groups_.groups) {
      for (std::size_t b = 0; b < beliefs_.size(); ++b) {
        const VariantBelief& belief = beliefs_[b];
        if (belief.belief != name) continue;
        const bool is_first = b < 2;
        const std::vector<double> own = values(belief.own, group);
        const std::vector<double> paired = changes(belief.own, first_of(b).own, group);
        table.add({group.name, belief.variant, std::to_string(own.size()), mean_text(mean_of(own)),
                   is_first ? "" : std::to_string(paired.size()), is_first ? "" : mean_text(mean_of(paired)),
                   mean_text(mean_of(values(belief.against_first, group)))});
      }
    }
    return table;
  }

  std::string missing_lines(const std::string& name) const {
    std::map<std::string, std::vector<std::string>> variants;  // by reason
    for (const VariantBelief& belief : beliefs_) {
      if (belief.belief == name && !belief.missing.empty())
        variants[belief.missing].push_back(belief.variant);
    }
    std::string lines;
    for (const auto& [reason, names] : variants)
      lines += fmt::format("\nfirst's centroids ({}): {}\n", join(names, ", "), reason);
    return lines;
  }

  const std::vector<Variant>& variants_;
  PromptGroups groups_;
  std::vector<VariantBelief> beliefs_;
};

}  // namespace

ProbeReport probe_compare(const std::vector<Variant>& variants, const Json& config) {
  const Comparison comparison(variants, config);
  return {comparison.to_json(),
          {{"compare.csv", comparison.compare_csv()}, {"curves.csv", comparison.curves_csv()}},
          comparison.page()};
}

}  // namespace hrt
