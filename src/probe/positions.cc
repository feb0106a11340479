#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "analyses.h"
#include "clusters.h"
#include "format.h"
#include "hrt/analysis/auroc.h"
#include "hrt/analysis/mean.h"
#include "hrt/base/csv.h"
#include "hrt/base/error.h"
#include "hrt/base/page.h"
#include "hrt/experiment/interval_json.h"
#include "hrt/probe/groups.h"

namespace hrt {
namespace {

// The token that most prompts have at a position, as a sign of what the position is.
struct CommonToken {
  std::string text;
  std::size_t prompts = 0;
  std::size_t of = 0;
};

struct Place {
  std::string position;
  std::string missing;  // why it has no scores
  std::string same_as;  // an earlier position that is the same token in every prompt
  std::optional<CommonToken> token;
  std::vector<RowScores> scores;                // by prompt
  std::vector<std::optional<double>> averages;  // over all rows, by prompt
  std::optional<Auroc> auroc_label;
  std::optional<Auroc> auroc_outcome;
};

std::optional<CommonToken> common_token(const ProbeSource& source, const std::string& position) {
  std::map<std::string, std::size_t> counts;
  CommonToken common;
  for (const ProbePrompt& prompt : source.prompts()) {
    const auto text = prompt.fields.value(Json::json_pointer("/positions/" + position + "/text"), Json());
    if (!text.is_string()) continue;
    ++common.of;
    const std::size_t count = ++counts[text];
    if (count <= common.prompts) continue;
    common.prompts = count;
    common.text = text;
  }
  return common.of > 0 ? std::optional(common) : std::nullopt;
}

// Each prompt's token there, counted from its beginning; null where it is not known.
std::vector<Json> tokens_at(const ProbeSource& source, const std::string& position) {
  const Json::json_pointer index("/positions/" + position + "/index");
  std::vector<Json> tokens;
  for (const ProbePrompt& prompt : source.prompts()) tokens.push_back(prompt.fields.value(index, Json()));
  return tokens;
}

// The first of the positions that is the same token in every prompt; empty where that is `position` itself.
std::string twin_of(const ProbeSource& source, const std::string& position) {
  const std::vector<Json> tokens = tokens_at(source, position);
  if (std::ranges::find(tokens, Json()) != tokens.end()) return "";
  const std::vector<std::string> all = source.positions();
  const auto first =
      std::ranges::find_if(all, [&](const std::string& other) { return tokens_at(source, other) == tokens; });
  return *first == position ? "" : *first;
}

std::vector<double> some(const std::vector<std::optional<double>>& values,
                         const std::vector<std::size_t>& prompts) {
  std::vector<double> chosen;
  for (const std::size_t prompt : prompts) {
    if (values[prompt]) chosen.push_back(*values[prompt]);
  }
  return chosen;
}

Place look_at(const ProbeSource& source, const std::string& position, const Clusters& clusters) {
  Place place;
  place.position = position;
  place.token = common_token(source, position);
  place.same_as = twin_of(source, position);
  for (const std::string& set : {clusters.plus, clusters.minus}) {
    if (!source.has_centroid(set, position)) place.missing = fmt::format("no centroid {}.{}", set, position);
  }
  if (!place.missing.empty()) return place;
  place.scores = source.scores(position, clusters);
  for (const RowScores& scores : place.scores)
    place.averages.push_back(row_mean(scores, source.rows()).all_rows);
  const auto area = [&](const TwoKinds& kinds) {
    return auroc(some(place.averages, kinds.positive), some(place.averages, kinds.negative));
  };
  place.auroc_label = area(by_label(source.prompts()));
  place.auroc_outcome = area(by_outcome(source.prompts()));
  return place;
}

Json place_json(const Place& place, const PromptGroups& groups) {
  Json json = Json::object();
  if (place.token)
    json["token"] = {{"text", place.token->text}, {"prompts", place.token->prompts}, {"of", place.token->of}};
  if (!place.same_as.empty()) json["same_as"] = place.same_as;
  if (!place.missing.empty()) {
    json["missing"] = place.missing;
    return json;
  }
  json["auroc_label"] = json_or_null(place.auroc_label, auroc_json);
  json["auroc_outcome"] = json_or_null(place.auroc_outcome, auroc_json);
  for (const PromptGroup& group : groups.groups) {
    const std::vector<double> values = some(place.averages, group.prompts);
    json["groups"][group.name] = {{"mean", json_or_null(mean_of(values), mean_json)},
                                  {"above_0", proportion_json(above_0(values))}};
  }
  return json;
}

std::string positions_csv(const std::vector<Place>& places, const PromptGroups& groups) {
  Csv csv({"position", "group", "n", "mean", "low", "high", "above_0", "above_0_low", "above_0_high",
           "auroc_label", "auroc_outcome"});
  for (const Place& place : places) {
    for (const PromptGroup& group : groups.groups) {
      if (!place.missing.empty()) continue;
      const std::vector<double> values = some(place.averages, group.prompts);
      const auto mean = mean_of(values);
      const Proportion share = above_0(values);
      csv.row({place.position, group.name, values.size(), value_of(mean), low_of(mean), high_of(mean),
               share.rate(), low_of(share), high_of(share), value_of(place.auroc_label),
               value_of(place.auroc_outcome)});
    }
  }
  return csv.text();
}

std::string curves_csv(const std::vector<Place>& places, const PromptGroups& groups,
                       const std::vector<std::int64_t>& rows) {
  Csv csv({"position", "group", "row", "n", "mean", "low", "high"});
  for (const Place& place : places) {
    for (const PromptGroup& group : groups.groups) {
      for (std::size_t r = 0; place.missing.empty() && r < rows.size(); ++r) {
        const std::vector<double> values = at_row(place.scores, group.prompts, r);
        const auto mean = mean_of(values);
        csv.row({place.position, group.name, rows[r], values.size(), value_of(mean), low_of(mean),
                 high_of(mean)});
      }
    }
  }
  return csv.text();
}

Table table_of(const std::vector<Place>& places, const PromptGroups& groups) {
  using enum Table::Align;
  std::vector<Table::Column> columns{{"position"}, {"token", kLeft, 12}};
  for (const PromptGroup& group : groups.groups) columns.push_back({group.name, kRight});
  for (const char* heading : {"harm", "refusal"}) columns.push_back({heading, kRight});
  Table table(columns, kNoWidth);
  const auto short_text = [](const std::optional<Auroc>& auroc) {
    return auroc ? fmt::format("{:.2f}", auroc->value) : "-";
  };
  for (const Place& place : places) {
    const bool same = place.token && place.token->prompts == place.token->of;
    const std::string name =
        place.same_as.empty() ? place.position : fmt::format("{} = {}", place.position, place.same_as);
    std::vector<std::string> cells{name, same ? place.token->text : ""};
    for (const PromptGroup& group : groups.groups) {
      if (!place.missing.empty()) {
        cells.emplace_back("-");
        continue;
      }
      const std::vector<double> values = some(place.averages, group.prompts);
      const auto share = above_0(values).rate();
      cells.push_back(share ? fmt::format("{:+.3f} {:3.0f} %", mean_of(values)->value, 100 * *share) : "-");
    }
    cells.push_back(short_text(place.auroc_label));
    cells.push_back(short_text(place.auroc_outcome));
    table.add(cells);
  }
  return table;
}

}  // namespace

ProbeReport probe_positions(const ProbeSource& source, const Json& config) {
  const Clusters clusters = clusters_of(config);
  const PromptGroups groups =
      group_prompts(source.prompts(), config.at("group_by").get<std::vector<std::string>>());
  std::vector<Place> places;
  for (const std::string& position : source.positions())
    places.push_back(look_at(source, position, clusters));

  ProbeReport report;
  report.results = {{"clusters", clusters.name()}, {"rows", source.rows()}};
  for (const Place& place : places) report.results["positions"][place.position] = place_json(place, groups);
  report.tables = {{"positions.csv", positions_csv(places, groups)},
                   {"curves.csv", curves_csv(places, groups, source.rows())}};
  report.page =
      fmt::format("\nScores against {}, averages over all rows: mean, and share above 0\n\n",
                  clusters.name()) +
      table_of(places, groups).text() + "\n" + describe_sizes(groups) +
      "token: where all prompts have the same; harm, refusal: AUROC for harmful, for refused prompts\n";
  return report;
}

}  // namespace hrt
