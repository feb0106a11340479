#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "analyses.h"
#include "clusters.h"
#include "format.h"
#include "hrt/analysis/auroc.h"
#include "hrt/analysis/mean.h"
#include "hrt/analysis/proportion.h"
#include "hrt/analysis/silhouette.h"
#include "hrt/base/csv.h"
#include "hrt/base/page.h"
#include "hrt/experiment/interval_json.h"
#include "hrt/probe/groups.h"

namespace hrt {
namespace {

struct GroupRow {
  std::optional<Mean> mean;
  Proportion above_0;
};

struct RowQuality {
  std::optional<Auroc> auroc_label;
  std::optional<Auroc> auroc_outcome;
  std::optional<double> silhouette_label;
  std::optional<double> silhouette_outcome;
};

struct Layers {
  std::string position;
  std::vector<std::vector<GroupRow>> groups;  // by group and row
  std::vector<RowQuality> quality;            // by row
};

GroupRow group_row(const std::vector<double>& scores) { return {mean_of(scores), above_0(scores)}; }

// The rows of some prompts at one row number, [prompts, hidden].
at::Tensor rows_of(const PositionRows& rows, const std::vector<std::size_t>& prompts, std::size_t row) {
  std::vector<std::int64_t> places;
  for (const std::size_t prompt : prompts) {
    const auto found = std::ranges::lower_bound(rows.prompts, prompt);
    if (found != rows.prompts.end() && *found == prompt) places.push_back(found - rows.prompts.begin());
  }
  const at::Tensor index = at::tensor(at::ArrayRef<std::int64_t>(places), at::kLong);
  return rows.rows.select(1, static_cast<std::int64_t>(row)).index_select(0, index);
}

class LayerProbe {
 public:
  LayerProbe(const ProbeSource& source, const Json& config)
      : source_(source),
        clusters_(clusters_of(config)),
        groups_(group_prompts(source.prompts(), config.at("group_by").get<std::vector<std::string>>())) {
    for (const std::string& position : positions_there(source, {"t_inst", "t_post_inst"}))
      positions_.push_back(measure(position));
  }

  Json to_json() const {
    Json json{{"clusters", clusters_.name()}, {"rows", source_.rows()}, {"positions", Json::object()}};
    for (const Layers& layers : positions_) {
      Json& position = json["positions"][layers.position];
      for (std::size_t g = 0; g < layers.groups.size(); ++g)
        position["groups"][groups_.groups[g].name] = group_json(layers, g);
      for (std::size_t r = 0; r < layers.quality.size(); ++r)
        position["quality"].push_back(quality_json(layers, r));
    }
    return json;
  }

  std::string layers_csv() const {
    Csv csv({"position", "group", "row", "n", "mean", "low", "high", "deviation", "above_0", "above_0_low",
             "above_0_high"});
    for (const Layers& layers : positions_) {
      for (std::size_t g = 0; g < layers.groups.size(); ++g) {
        for (std::size_t r = 0; r < layers.groups[g].size(); ++r) {
          const GroupRow& row = layers.groups[g][r];
          csv.row({layers.position, groups_.groups[g].name, source_.rows()[r], row.above_0.n,
                   value_of(row.mean), low_of(row.mean), high_of(row.mean),
                   row.mean ? row.mean->deviation : std::nullopt, row.above_0.rate(), low_of(row.above_0),
                   high_of(row.above_0)});
        }
      }
    }
    return csv.text();
  }

  std::string quality_csv() const {
    Csv csv({"position", "row", "auroc_label", "auroc_label_low", "auroc_label_high", "auroc_outcome",
             "auroc_outcome_low", "auroc_outcome_high", "silhouette_label", "silhouette_outcome"});
    for (const Layers& layers : positions_) {
      for (std::size_t r = 0; r < layers.quality.size(); ++r) {
        const RowQuality& q = layers.quality[r];
        csv.row({layers.position, source_.rows()[r], value_of(q.auroc_label), low_of(q.auroc_label),
                 high_of(q.auroc_label), value_of(q.auroc_outcome), low_of(q.auroc_outcome),
                 high_of(q.auroc_outcome), q.silhouette_label, q.silhouette_outcome});
      }
    }
    return csv.text();
  }

  std::string page() const {
    std::string page;
    for (const Layers& layers : positions_) {
      page += fmt::format("\ns[l] at {}, clusters {}: mean, and share above 0\n\n", layers.position,
                          clusters_.name());
      page += table(layers).text();
    }
    page += "\n" + describe_sizes(groups_);
    page += "harm, refusal: AUROC of s[l] for harmful against harmless, refused against accepted prompts\n";
    return page;
  }

 private:
  Layers measure(const std::string& position) const {
    require_clusters(source_, position, clusters_);
    const std::vector<RowScores> scores = source_.scores(position, clusters_);
    const PositionRows rows = source_.rows_at(position);
    const TwoKinds labels = by_label(source_.prompts());
    const TwoKinds outcomes = by_outcome(source_.prompts());
    Layers layers{position, {}, {}};
    for (const PromptGroup& group : groups_.groups) {
      std::vector<GroupRow>& by_row = layers.groups.emplace_back();
      for (std::size_t r = 0; r < source_.rows().size(); ++r)
        by_row.push_back(group_row(at_row(scores, group.prompts, r)));
    }
    for (std::size_t r = 0; r < source_.rows().size(); ++r) {
      const auto area = [&](const TwoKinds& kinds) {
        return auroc(at_row(scores, kinds.positive, r), at_row(scores, kinds.negative, r));
      };
      const auto apart = [&](const TwoKinds& kinds) {
        return silhouette(rows_of(rows, kinds.positive, r), rows_of(rows, kinds.negative, r),
                          Distance::kCosine);
      };
      layers.quality.push_back({area(labels), area(outcomes), apart(labels), apart(outcomes)});
    }
    return layers;
  }

  Json group_json(const Layers& layers, std::size_t group) const {
    Json json{{"n", groups_.groups[group].prompts.size()}, {"by_row", Json::array()}};
    for (std::size_t r = 0; r < layers.groups[group].size(); ++r) {
      const GroupRow& row = layers.groups[group][r];
      json["by_row"].push_back({{"row", source_.rows()[r]},
                                {"mean", json_or_null(row.mean, mean_json)},
                                {"deviation", number_or_null(row.mean ? row.mean->deviation : std::nullopt)},
                                {"above_0", proportion_json(row.above_0)}});
    }
    return json;
  }

  Json quality_json(const Layers& layers, std::size_t row) const {
    const RowQuality& q = layers.quality[row];
    return {{"row", source_.rows()[row]},
            {"auroc_label", json_or_null(q.auroc_label, auroc_json)},
            {"auroc_outcome", json_or_null(q.auroc_outcome, auroc_json)},
            {"silhouette_label", number_or_null(q.silhouette_label)},
            {"silhouette_outcome", number_or_null(q.silhouette_outcome)}};
  }

  Table table(const Layers& layers) const {
    using enum Table::Align;
    std::vector<Table::Column> columns{{"row", kRight}};
    for (const PromptGroup& group : groups_.groups) columns.push_back({group.name, kRight});
    for (const char* heading : {"harm", "refusal"}) columns.push_back({heading, kRight});
    Table table(columns, kNoWidth);
    for (std::size_t r = 0; r < source_.rows().size(); ++r) {
      std::vector<std::string> cells{std::to_string(source_.rows()[r])};
      for (const auto& group : layers.groups) {
        const auto share = group[r].above_0.rate();
        cells.push_back(group[r].mean ? fmt::format("{:+.3f} {:3.0f} %", group[r].mean->value, 100 * *share)
                                      : "-");
      }
      cells.push_back(short_text(layers.quality[r].auroc_label));
      cells.push_back(short_text(layers.quality[r].auroc_outcome));
      table.add(cells);
    }
    return table;
  }

  static std::string short_text(const std::optional<Auroc>& auroc) {
    return auroc ? fmt::format("{:.2f}", auroc->value) : "-";
  }

  const ProbeSource& source_;
  Clusters clusters_;
  PromptGroups groups_;
  std::vector<Layers> positions_;
};

}  // namespace

ProbeReport probe_layers(const ProbeSource& source, const Json& config) {
  const LayerProbe probe(source, config);
  return {probe.to_json(),
          {{"layers.csv", probe.layers_csv()}, {"quality.csv", probe.quality_csv()}},
          probe.page()};
}

}  // namespace hrt
