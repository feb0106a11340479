// The figures of the organism's card (data/organism/README.md), each by the command that the card names, held
// to data/organism/metrics.json. HRT_UPDATE=1 writes that file (all tests in one process, one after the
// other); tools/organism/card.py then fills the card's tables from it.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>

#include "hrt/analysis/proportion.h"
#include "hrt/base/file.h"
#include "hrt/base/json.h"
#include "hrt_process.h"

namespace hrt::testing {
namespace {

const std::string kProject = HRT_SOURCE_DIR;
const std::string kMetrics = kProject + "/data/organism/metrics.json";

constexpr double kTolerance = 1e-4;
// In a sweep an answer may go the other way where two logits are as good as equal.
constexpr int kUndecided = 1;

Json list(const std::string& file) {
  std::istringstream lines(read_text(file));
  Json entries = Json::array();
  for (std::string line; std::getline(lines, line);) entries.push_back(Json::parse(line));
  return entries;
}

Json share(const Proportion& hits) {
  return {{"value", *hits.rate()},
          {"low", hits.interval()->low},
          {"high", hits.interval()->high},
          {"count", hits.count},
          {"n", hits.n}};
}

// With numbers of six places, so that the file stays readable.
Json rounded(Json value) {
  if (value.is_number_float()) return std::round(value.get<double>() * 1e6) / 1e6;
  for (Json& item : value) {
    if (item.is_number_float() || item.is_structured()) item = rounded(item);
  }
  return value;
}

// `undecided`: how far counts may be apart.
void expect_same(const Json& found, const Json& card, int undecided, const std::string& place) {
  if (found.is_object() && found.contains("count")) {  // the rest of a share follows from it
    EXPECT_NEAR(found.at("count").get<int>(), card.at("count").get<int>(), undecided) << place;
    EXPECT_EQ(found.at("n"), card.at("n")) << place;
  } else if (found.is_structured()) {
    ASSERT_EQ(found.size(), card.size()) << place;
    for (const auto& [key, value] : found.items()) {
      const Json& other = found.is_array() ? card.at(std::stoul(key)) : card.at(key);
      expect_same(value, other, undecided, place + "/" + key);
    }
  } else if (found.is_number()) {
    EXPECT_NEAR(found.get<double>(), card.get<double>(), found.is_number_integer() ? undecided : kTolerance)
        << place;
  } else {
    EXPECT_EQ(found, card) << place;
  }
}

void hold(const std::string& figure, const Json& found, int undecided = 0) {
  ASSERT_FALSE(found.empty());
  Json card = read_json(kMetrics);
  if (std::getenv("HRT_UPDATE") != nullptr) {
    card[figure] = rounded(found);
    write_file(kMetrics, card.dump(1) + "\n");
  }
  expect_same(found, card.at(figure), undecided, figure);
}

class OrganismCard : public ::testing::Test {
 protected:
  // What the command says as JSON; its run directory is run_.
  Json run(std::vector<std::string> arguments, const std::vector<std::string>& settings = {}) const {
    arguments.insert(arguments.end(), {"--data", kProject + "/data/catalogs/organism.json", "--device", "cpu",
                                       "--overwrite", "--out", run_, "--json"});
    for (const std::string& setting : settings) arguments.insert(arguments.end(), {"--set", setting});
    const ProcessResult result = run_hrt(arguments);
    EXPECT_EQ(result.code, 0) << result.err;
    return Json::parse(result.out);
  }

  Json probe(const std::string& config, const std::vector<std::string>& settings = {}) const {
    run({"probe", "--config", paper(config)}, settings);
    return read_json(run_ + "/results.json");
  }

  Json steer(const std::string& config, const std::vector<std::string>& settings = {}) const {
    run({"steer", "--config", paper(config)}, settings);
    return read_json(run_ + "/results.json");
  }

  static std::string paper(const std::string& config) {
    return kProject + "/configs/zhao2025/" + config + ".json";
  }

  static std::string quadrant_of(const Json& prompt) {
    return prompt.at("outcome").get<std::string>() + "_" + prompt.at("label").get<std::string>();
  }

  // Both beliefs of every group: mean, and share above 0.
  static Json beliefs(const Json& results) {
    Json groups = Json::object();
    for (const auto& [name, group] : results.at("groups").items()) {
      for (const char* belief : {"delta_harmful", "delta_refuse"}) {
        groups[name][belief] = group.at(belief).at("all_rows");
      }
    }
    return groups;
  }

  // {"unsteered": {SET: rate}, "SWEEP COEFFICIENT, SCOPE": [{"rate", "other", "random": [rate]} by layer]};
  // `other` counts answers that are neither yes nor no.
  static Json by_layer(const Json& results) {
    Json figure = Json::object();
    for (const Json& entry : results.at("results")) {
      const std::string cell = entry.at("cell");
      const std::size_t end = cell.find(", layer ");
      Json& row = end == std::string::npos ? figure["unsteered"] : figure[cell.substr(0, end)];
      if (end == std::string::npos) {
        row[entry.at("set").get<std::string>()] = entry.at("rate");
      } else if (cell.find(", random ", end) == std::string::npos) {
        row.push_back({{"rate", entry.at("rate")}, {"other", entry.at("counts").value("other", 0)}});
      } else {
        row.back()["random"].push_back(entry.at("rate"));
      }
    }
    return figure;
  }

  const TemporaryFolder folder_;
  const std::string run_ = folder_ / "run";
};

TEST_F(OrganismCard, RepliesAreWhatThePolicyAsksFor) {
  std::map<std::string, Proportion> agreement;
  for (const char* config : {"fig3", "fig6"}) {
    probe(config);
    for (const Json& prompt : list(run_ + "/extract/prompts.jsonl")) {
      agreement[prompt.at("role")].add(prompt.at("policy") == prompt.at("outcome"));
    }
  }
  Json figure = Json::object();
  for (const auto& [role, hits] : agreement) {
    if (!role.ends_with("_train")) figure[role] = share(hits);
  }
  hold("policy", figure);
}

TEST_F(OrganismCard, QuadrantsAndReplyInversion) {
  probe("fig3");
  std::map<std::string, Json> prompts;
  std::map<std::string, std::set<std::string>> pairs;
  for (const Json& prompt : list(run_ + "/extract/prompts.jsonl")) {
    if (prompt.at("role").get<std::string>().ends_with("_train")) continue;
    prompts[prompt.at("id")] = prompt;
    pairs[quadrant_of(prompt)].insert(prompt.at("pair"));
  }
  Json figure = Json::object();
  for (const char* question : {"main", "t1", "t2", "llama3"}) {
    steer("table1", {"task=inversion", std::string("question=") + question,
                     R"(prompts=[{"role": "refused_harmful"}, {"role": "accepted_harmful"},)"
                     R"({"role": "refused_harmless"}, {"role": "accepted_harmless"}])"});
    std::map<std::string, Proportion> right;
    for (const Json& reply : list(run_ + "/replies.jsonl")) {
      const Json& prompt = prompts.at(reply.at("id"));
      const char* answer = prompt.at("label") == "harmful" ? "yes" : "no";
      right[quadrant_of(prompt)].add(reply.at("verdict") == answer);
    }
    for (const auto& [quadrant, hits] : right) figure[quadrant][question] = share(hits);
  }
  for (const auto& [quadrant, of_quadrant] : pairs) figure.at(quadrant)["pairs"] = of_quadrant.size();
  hold("inversion", figure);
}

TEST_F(OrganismCard, Directions) {
  const Json summary = run({"extract", "--config", kProject + "/configs/extract.json"});
  const Json& directions = summary.at("directions");
  hold("directions", {{"harmfulness", directions.at("harmfulness").at("norms")},
                      {"refusal", directions.at("refusal").at("norms")},
                      {"cosine", summary.at("cosine")}});
}

TEST_F(OrganismCard, Fig2ClusteringByRow) {
  const Json results = probe("fig2");
  Json figure = Json::object();
  for (const auto& [position, scores] : results.at("positions").items()) {
    for (const auto& [quadrant, group] : scores.at("groups").items()) {
      for (const Json& row : group.at("by_row")) figure[position][quadrant].push_back(row.at("mean"));
    }
  }
  hold("fig2", figure);
}

TEST_F(OrganismCard, Fig3Beliefs) {
  const Json results = probe("fig3");
  hold("fig3", {{"groups", beliefs(results)},
                {"correlation", results.at("over_all_prompts").at("all_rows").at("pearson")}});
}

TEST_F(OrganismCard, Fig4DirectionsAddedToHarmlessPrompts) {
  hold("fig4", by_layer(steer("fig4_8")), kUndecided);
}

TEST_F(OrganismCard, Fig5ReplyInversionSteeredBothWays) {
  hold("fig5", by_layer(steer("fig5_11_12")), kUndecided);
}

// v_r as a difference within harmless prompts.
TEST_F(OrganismCard, Fig5RefusalWithinHarmlessPrompts) {
  const Json results =
      steer("fig5_11_12",
            {R"(extract.harmless=[{"role": "harmless_train"}, {"role": "refused_harmless_train"}])",
             R"(sweeps=[{"name": "+v_r within harmless on harmless", "direction": "refusal_harmless",)"
             R"("scope": ["before_question", "prompt"], "on": ["harmless"], "controls": 0}])"});
  hold("fig5_within_harmless", by_layer(results), kUndecided);
}

TEST_F(OrganismCard, Fig6JailbreaksThatWereAnswered) {
  Json figure = beliefs(probe("fig6"));
  const Json by_frame =
      probe("fig6", {R"(prompts=[{"role": "jailbreak_persuasion"}])", R"(group_by=["role", "deceives"])"});
  figure.update(beliefs(by_frame));
  hold("fig6", figure);
}

TEST_F(OrganismCard, Fig7FineTunedToAnswer) {
  Json figure = Json::object();
  for (const char* model : {"model", "finetuned"}) {
    const Json groups =
        beliefs(probe("fig3", {"model=" + kProject + "/data/organism/" + model, R"(group_by=["role"])"}));
    Proportion refused;
    for (const Json& prompt : list(run_ + "/extract/prompts.jsonl")) {
      if (prompt.at("role") == "refused_harmful") refused.add(prompt.at("outcome") == "refused");
    }
    figure[model] = {{"refused", share(refused)},
                     {"harmful", groups.at("refused_harmful").at("delta_harmful")},
                     {"harmless", groups.at("accepted_harmless").at("delta_harmful")}};
  }
  hold("fig7", figure);
}

TEST_F(OrganismCard, Fig9DirectionsOfCategories) {
  const Json results = probe("fig9");
  Json figure = Json::object();
  for (const char* direction : {"harmfulness", "refusal"}) {
    figure[direction]["mean"] = results.at(direction).at("mean");
    for (const Json& category : results.at(direction).at("categories")) {
      Json& entry = figure[direction]["categories"][category.at("name").get<std::string>()];
      for (const char* key : {"n", "mean_with_others", "low", "high"}) entry[key] = category.at(key);
    }
  }
  hold("fig9", figure);
}

TEST_F(OrganismCard, Table1WithoutThePostInstructionTokens) {
  hold("table1", by_layer(steer("table1")).at("unsteered"), kUndecided);
}

}  // namespace
}  // namespace hrt::testing
