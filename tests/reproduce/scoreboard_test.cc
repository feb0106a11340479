#include "hrt/reproduce/scoreboard.h"

#include <gmock/gmock.h>

namespace hrt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

ClaimResult claim(const std::string& name, std::optional<bool> holds) {
  ClaimResult result{.name = name, .says = name + " is so", .source = "ours", .unit = "", .measured = {}};
  result.measured.value = 0.25;
  result.needs = "> 0.5";
  result.holds = holds;
  return result;
}

PublishedResult published(PublishedResult::Fit fit) {
  PublishedResult result{
      .what = "share", .unit = "%", .source = "table 1", .values = {{"M", 50}}, .measured = {}};
  result.measured = {.value = 25, .low = 20, .high = 30, .n = 80, .taken = "max", .of = 8};
  result.fit = fit;
  return result;
}

ScoreRow row(std::vector<ClaimResult> claims, std::vector<PublishedResult> numbers = {}) {
  return {.id = "fig1",
          .title = "t",
          .source = "s",
          .state = ScoreRow::State::kDone,
          .why = "",
          .left_out = {},
          .claims = std::move(claims),
          .published = std::move(numbers)};
}

TEST(Verdict, IsOfTheClaimsOnOtherModels) {
  EXPECT_EQ(row({claim("a", true), claim("b", true)}).verdict(), "holds");
  EXPECT_EQ(row({claim("a", true), claim("b", false)}).verdict(), "partly");
  EXPECT_EQ(row({claim("a", false)}).verdict(), "does not hold");
  EXPECT_EQ(row({claim("a", true), claim("b", std::nullopt)}).verdict(), "holds");
  EXPECT_EQ(row({claim("a", std::nullopt)}).verdict(), "not applicable");
  EXPECT_EQ(row({claim("a", true)}, {published(PublishedResult::Fit::kNotComparable)}).verdict(), "holds");
}

TEST(Verdict, IsOfThePublishedNumbersOnTheirModel) {
  using Fit = PublishedResult::Fit;
  EXPECT_EQ(row({claim("a", true)}, {published(Fit::kWithin)}).verdict(), "within");
  EXPECT_EQ(row({claim("a", true)}, {published(Fit::kWithin), published(Fit::kOutside)}).verdict(),
            "direction only");
  EXPECT_EQ(row({claim("a", false)}, {published(Fit::kOutside)}).verdict(), "not");
}

TEST(Verdict, SaysWhatDidNotRun) {
  ScoreRow failed = row({});
  failed.state = ScoreRow::State::kFailed;
  EXPECT_EQ(failed.verdict(), "failed");
  failed.state = ScoreRow::State::kNotRun;
  EXPECT_EQ(failed.verdict(), "not run");
}

Scoreboard board() {
  return {.model = {{"path", "/m"}, {"family", "llama"}, {"layers", 2}, {"hidden", 8}},
          .taken_for = "",
          .catalog = "c",
          .description = "A small model.",
          .missed = {{"fig1.b", "its card says so"}},
          .known = {{"M", "M", "llama", "chatml", 2, 8}},
          .rows = {row({claim("a", false), claim("b", false), claim("c", true)},
                       {published(PublishedResult::Fit::kNotComparable)})}};
}

TEST(Scoreboard, CountsOnlyClaimsThatTheCatalogDoesNotList) {
  EXPECT_THAT(board().broken(), ElementsAre("fig1.a"));
}

TEST(Scoreboard, WritesWhatAReportReads) {
  const Json json = board().to_json();
  EXPECT_EQ(json.at("catalog").at("description"), "A small model.");
  EXPECT_TRUE(json.at("model").at("taken_for").is_null());
  const Json& entry = json.at("experiments").at(0);
  EXPECT_EQ(entry.at("run"), "fig1");
  EXPECT_EQ(entry.at("verdict"), "partly");
  EXPECT_EQ(entry.at("n"), 80);
  EXPECT_TRUE(entry.at("claims").at(0).at("missed").is_null());
  EXPECT_EQ(entry.at("claims").at(1).at("missed"), "its card says so");
  EXPECT_EQ(entry.at("published").at(0).at("verdict"), "not comparable");
  EXPECT_EQ(entry.at("published").at(0).at("measured").at("of"), 8);
}

TEST(Scoreboard, SaysInWordsWhatDoesNotHold) {
  const std::string page = board().page();
  EXPECT_THAT(page, HasSubstr("A small model."));
  EXPECT_THAT(page, HasSubstr("25 [20, 30] %, highest of 8"));
  EXPECT_THAT(page, HasSubstr("does not hold: a is so: 0.25, needs > 0.5\n"));
  EXPECT_THAT(page, HasSubstr("does not hold: b is so: 0.25, needs > 0.5 (known: its card says so)"));
  EXPECT_THAT(page, Not(HasSubstr("c is so")));
}

TEST(Scoreboard, SaysWhereTheIntervalReachesOverTheLimit) {
  Scoreboard chance = board();
  chance.rows.front().claims[2].clear = false;
  EXPECT_THAT(chance.page(), HasSubstr("holds, but chance is not ruled out: c is so"));
  EXPECT_EQ(chance.to_json().at("experiments").at(0).at("claims").at(2).at("clear"), false);
}

TEST(Scoreboard, MarksWhatDepartsFromThePaper) {
  Scoreboard departing = board();
  departing.rows.front().why = "another direction was taken";
  EXPECT_THAT(departing.page(), HasSubstr("partly *"));
}

TEST(MeasureRow, AppliesNothingWhereTheExperimentSaysSo) {
  ExperimentSpec spec;
  spec.applies = {"/applies", "/reason"};
  spec.claims =
      Json::parse(R"([{"name": "a", "says": "a", "source": "ours", "measure": {"at": "/x"}, "above": 0}])");
  const auto measured = [&](bool applies) {
    ScoreRow result = row({});
    measure_row(result, spec, {{"applies", applies}, {"reason", "no separation"}, {"x", 1}}, "");
    return result;
  };
  EXPECT_EQ(measured(true).verdict(), "holds");
  const ScoreRow not_applicable = measured(false);
  EXPECT_EQ(not_applicable.verdict(), "not applicable");
  EXPECT_EQ(not_applicable.why, "no separation");
}

}  // namespace
}  // namespace hrt
