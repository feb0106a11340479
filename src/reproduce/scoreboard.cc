#include "hrt/reproduce/scoreboard.h"

#include <algorithm>

#include "hrt/base/csv.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

std::string claims_verdict(const std::vector<ClaimResult>& claims) {
  const auto holding = [](const ClaimResult& c) { return c.holds && *c.holds; };
  const auto measured = [](const ClaimResult& c) { return c.holds.has_value(); };
  const auto held = std::ranges::count_if(claims, holding);
  const auto all = std::ranges::count_if(claims, measured);
  if (all == 0) return "not applicable";
  return held == all ? "holds" : held > 0 ? "partly" : "does not hold";
}

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

std::string yes_or_no(const std::optional<bool>& holds) { return !holds ? "" : *holds ? "yes" : "no"; }

}  // namespace

std::string ScoreRow::verdict() const {
  if (state == State::kNotRun) return "not run";
  if (state == State::kFailed) return "failed";
  const std::string of_claims = claims_verdict(claims);
  std::int64_t comparable = 0;
  std::int64_t within = 0;
  for (const PublishedResult& result : published) {
    comparable += result.comparable();
    within += result.fit == PublishedResult::Fit::kWithin;
  }
  if (comparable == 0) return of_claims;
  return within == comparable ? "within" : of_claims == "holds" ? "direction only" : "not";
}

const Measured* ScoreRow::headline() const {
  if (!published.empty()) return &published.front().measured;
  return claims.empty() ? nullptr : &claims.front().measured;
}

bool holds_measures(const ExperimentSpec& spec, const Json& results) {
  const auto is_there = [&](const Json& claim) {
    const Json& measure = claim.at("measure");
    const std::string place = measure.value("in", measure.value("at", std::string()));
    return results.contains(split(place, '/').at(1));
  };
  return results.is_object() && (spec.claims.empty() || std::ranges::any_of(spec.claims, is_there));
}

void measure_row(ScoreRow& row, const ExperimentSpec& spec, const Json& results, const std::string& model) {
  for (const Json& claim : spec.claims) row.claims.push_back(check_claim(claim, results));
  for (const Json& entry : spec.published) row.published.push_back(compare_published(entry, results, model));
  if (!spec.applies) return;
  const Json::json_pointer at(spec.applies->at);
  const Json::json_pointer reason(spec.applies->reason);
  if (!results.contains(at) || results.at(at) != false) return;
  row.why = results.contains(reason) ? results.at(reason).get<std::string>() : "";
  for (ClaimResult& claim : row.claims) {
    claim.holds.reset();
    claim.why = row.why;
  }
  for (PublishedResult& entry : row.published) {
    if (entry.comparable()) entry.fit = PublishedResult::Fit::kNotMeasured;
  }
}

std::vector<std::string> Scoreboard::broken() const {
  std::vector<std::string> names;
  for (const ScoreRow& row : rows) {
    for (const ClaimResult& claim : row.claims) {
      const std::string name = row.id + "." + claim.name;
      if (claim.holds == false && !missed.contains(name)) names.push_back(name);
    }
  }
  return names;
}

Json Scoreboard::to_json() const {
  Json list = Json::array();
  for (const ScoreRow& row : rows) {
    const Measured* headline = row.headline();
    Json entry{{"id", row.id},
               {"title", row.title},
               {"source", row.source},
               {"run", row.state == ScoreRow::State::kDone ? Json(row.id) : Json()},
               {"verdict", row.verdict()},
               {"why", text_or_null(row.why)},
               {"left_out", row.left_out},
               {"n", headline != nullptr && headline->n ? Json(*headline->n) : Json()},
               {"n_of", headline != nullptr && headline->n ? Json(headline->n_of) : Json()},
               {"claims", Json::array()},
               {"published", Json::array()}};
    for (const ClaimResult& claim : row.claims) {
      Json json = claim.to_json();
      const auto listed = missed.find(row.id + "." + claim.name);
      json["missed"] = listed == missed.end() ? Json() : Json(listed->second);
      entry["claims"].push_back(json);
    }
    for (const PublishedResult& result : row.published) entry["published"].push_back(result.to_json());
    list.push_back(entry);
  }
  Json described = model;
  described["taken_for"] = text_or_null(taken_for);
  return {{"model", described},
          {"catalog", {{"name", catalog}, {"description", description}}},
          {"papers", papers},
          {"warnings", warnings},
          {"experiments", list}};
}

std::string Scoreboard::to_csv() const {
  Csv csv({"experiment", "verdict", "kind", "name", "text", "published_for", "published", "unit", "value",
           "low", "high", "n", "n_of", "needs", "holds", "clear", "source"});
  for (const ScoreRow& row : rows) {
    for (const ClaimResult& c : row.claims) {
      csv.row({row.id, row.verdict(), "claim", c.name, c.says, "", "", c.unit, c.measured.value,
               c.measured.low, c.measured.high, c.measured.n, c.measured.n_of, c.needs, yes_or_no(c.holds),
               yes_or_no(c.clear), c.source});
    }
    for (const PublishedResult& p : row.published) {
      for (const auto& [name, value] : p.values.items()) {
        csv.row({row.id, row.verdict(), "published", "", p.what, name, to_line(value), p.unit,
                 p.measured.value, p.measured.low, p.measured.high, p.measured.n, p.measured.n_of, "", "", "",
                 p.source});
      }
    }
    if (row.claims.empty()) {
      csv.row({row.id, row.verdict(), row.state == ScoreRow::State::kFailed ? "failed" : "not run", "",
               row.why, "", "", "", "", "", "", "", "", "", "", "", row.source});
    }
  }
  return csv.text();
}

}  // namespace hrt
