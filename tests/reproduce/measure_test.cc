#include "hrt/reproduce/measure.h"

#include <gmock/gmock.h>

#include <cmath>

#include "hrt/base/error.h"

namespace hrt {
namespace {

using ::testing::HasSubstr;

const Json kResults = Json::parse(R"({
  "plain": 0.25,
  "mean": {"value": 1.5, "low": 1, "high": 2, "n": 40},
  "auroc": {"value": 0.9, "low": 0.8, "high": 0.95, "positives": 30, "negatives": 10},
  "mixed": {"value": 0.4, "low": 0.2, "high": 0.6, "positives": 30, "negatives": 10},
  "nothing": {"value": null, "low": null, "high": null, "n": 0},
  "results": [
    {"cell": "baseline", "control": null, "layer": null, "rate": {"value": 0.0, "low": 0, "high": 0.1, "n": 20}},
    {"cell": "a", "control": false, "layer": 1, "band": {"value": 0.2, "low": 0.1, "high": 0.3}, "rate": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 20}},
    {"cell": "a, random", "control": true, "layer": 1, "rate": {"value": 0.9, "low": 0.8, "high": 1, "n": 20}},
    {"cell": "b", "control": false, "layer": 2, "band": {"value": 0.7, "low": 0.6, "high": 0.8}, "rate": {"value": 0.6, "low": 0.5, "high": 0.7, "n": 20}},
    {"cell": "c", "control": false, "layer": 3, "band": {"value": 0.1, "low": 0, "high": 0.2}, "rate": {"value": null, "n": 0}}
  ],
  "rows": [{"row": 0, "mean": {"value": 0}}, {"row": 1, "mean": {"value": -1}}, {"row": 2, "mean": {"value": 3}},
           {"row": 3, "mean": {"value": 4}}],
  "positions": {"t_inst": {"h": {"value": 1}, "r": {"value": -1}}, "next": {"h": {"value": 1}, "r": {"value": 2}}}
})");

struct Case {
  const char* name;
  const char* spec;
  std::optional<double> value;
  std::optional<double> low;
  std::optional<double> high;
  std::optional<std::int64_t> n;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class MeasureOf : public ::testing::TestWithParam<Case> {};

TEST_P(MeasureOf, IsReadFromTheResults) {
  const Json spec = Json::parse(GetParam().spec);
  check_measure(JsonObject(spec, "here"));
  const Measured measured = measure(spec, kResults);
  const auto expect = [](const std::optional<double>& is, const std::optional<double>& expected) {
    ASSERT_EQ(is.has_value(), expected.has_value());
    if (expected) {
      EXPECT_NEAR(*is, *expected, 1e-12);
    }
  };
  expect(measured.value, GetParam().value);
  expect(measured.low, GetParam().low);
  expect(measured.high, GetParam().high);
  EXPECT_EQ(measured.n, GetParam().n);
  EXPECT_EQ(measured.why.empty(), measured.value.has_value());
}

constexpr std::nullopt_t kNone = std::nullopt;
INSTANTIATE_TEST_SUITE_P(
    Measures, MeasureOf,
    ::testing::Values(
        Case{"Number", R"({"at": "/plain"})", 0.25, kNone, kNone, kNone},
        Case{"Interval", R"({"at": "/mean"})", 1.5, 1, 2, 40},
        Case{"BothClassesCount", R"({"at": "/auroc"})", 0.9, 0.8, 0.95, 40},
        Case{"FromChance", R"({"at": "/auroc", "from_chance": true})", 0.4, 0.3, 0.45, 40},
        Case{"FromChanceWithin", R"({"at": "/mixed", "from_chance": true})", 0.1, 0, 0.3, 40},
        Case{"Undefined", R"({"at": "/nothing"})", kNone, kNone, kNone, 0},
        Case{"Absent", R"({"at": "/gone"})", kNone, kNone, kNone, kNone},
        Case{"OneItem", R"({"in": "/results", "where": {"cell": "baseline"}, "value": "/rate"})", 0, 0, 0.1,
             20},
        Case{"Null", R"({"in": "/results", "where": {"control": null}, "value": "/rate"})", 0, 0, 0.1, 20},
        Case{"Highest", R"({"in": "/results", "where": {"control": false}, "value": "/rate", "take": "max"})",
             0.6, 0.5, 0.7, 20},
        Case{"Lowest", R"({"in": "/results", "where": {"control": false}, "value": "/rate", "take": "min"})",
             0.5, 0.4, 0.6, 20},
        Case{
            "Difference",
            R"({"in": "/results", "where": {"control": false}, "value": "/rate", "minus": "/band", "take": "max"})",
            0.3, 0.3 - std::sqrt(0.02), 0.3 + std::sqrt(0.02), 20},
        Case{
            "DifferenceTheOtherWay",
            R"({"in": "/results", "where": {"control": false}, "value": "/band", "minus": "/rate", "take": "max"})",
            0.1, 0.1 - std::sqrt(0.02), 0.1 + std::sqrt(0.02), 20},
        Case{"ShareAbove",
             R"({"in": "/rows", "where": {"row": {"from": 1}}, "value": "/mean", "take": "share_above_0"})",
             2.0 / 3, kNone, kNone, 3},
        Case{
            "ShareBelow",
            R"({"in": "/rows", "where": {"row": {"above": 0, "to": 2}}, "value": "/mean", "take": "share_below_0"})",
            0.5, kNone, kNone, 2},
        Case{
            "CountOfPlaces",
            R"({"in": "/positions", "where": {"/h/value": {"above": 0}, "/r/value": {"below": 0}}, "take": "count"})",
            1, kNone, kNone, 2},
        Case{"KeysOfAnObject",
             R"({"in": "/positions", "where": {"key": {"not": "t_inst"}, "/h/value": 1}, "take": "count"})",
             1, kNone, kNone, 2},
        Case{"NoItem", R"({"in": "/results", "where": {"cell": "z"}, "value": "/rate"})", kNone, kNone, kNone,
             kNone},
        Case{"NoList", R"({"in": "/gone", "value": "/rate"})", kNone, kNone, kNone, kNone}),
    [](const auto& parameter) { return parameter.param.name; });

TEST(Measure, SaysFromHowManyValuesOneWasPicked) {
  const Measured best = measure(
      Json::parse(R"({"in": "/results", "where": {"control": false}, "value": "/rate", "take": "max"})"),
      kResults);
  EXPECT_EQ(best.taken, "max");
  EXPECT_EQ(best.of, 2);  // the third has no rate
  EXPECT_EQ(picked(best), "highest of 2");
  EXPECT_EQ(picked(measure({{"at", "/plain"}}, kResults)), "");
}

TEST(Measure, NamesThePickedItem) {
  const Measured lowest =
      measure(Json::parse(R"({"in": "/rows", "value": "/mean", "take": "min", "each": "row"})"), kResults);
  EXPECT_EQ(picked(lowest), "lowest of 4, at row 1");
}

TEST(Measure, NamesAllThatHaveThePickedValue) {
  const Json results = Json::parse(R"({"results": [{"layer": 3, "rate": 1}, {"layer": 4, "rate": 0.5},
    {"layer": 5, "rate": 1}]})");
  const Measured highest = measure(
      Json::parse(R"({"in": "/results", "value": "/rate", "take": "max", "each": "layer"})"), results);
  EXPECT_EQ(picked(highest), "highest of 3, at layers 3, 5");
}

TEST(Measure, GivesAMeanOverRowsNoInterval) {
  const Measured mean = measure(
      Json::parse(R"({"in": "/rows", "value": "/mean", "take": "mean", "where": {"row": {"from": 2}}})"),
      kResults);
  EXPECT_DOUBLE_EQ(*mean.value, 3.5);
  EXPECT_EQ(mean.n, 2);
  EXPECT_FALSE(mean.low || mean.high) << "rows of one model are no independent draws";
  EXPECT_EQ(picked(mean), "mean of 2");
}

TEST(Measure, SaysWhatIsNotThere) {
  EXPECT_EQ(measure({{"at", "/gone"}}, kResults).why, "the results have no /gone");
  EXPECT_EQ(measure({{"at", "/nothing"}}, kResults).why, "/nothing has no value in the results");
  EXPECT_EQ(measure(Json::parse(R"({"in": "/rows", "where": {"row": 9}, "value": "/mean"})"), kResults).why,
            "nothing in /rows where {\"row\":9}");
}

TEST(Measure, RefusesToPickByItself) {
  try {
    measure(Json::parse(R"({"in": "/results", "value": "/rate"})"), kResults);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("4 values in /results"));
  }
}

TEST(Measure, IsCheckedBeforeItIsUsed) {
  const std::vector<std::pair<const char*, const char*>> kBad{
      {R"({})", "either at or in"},
      {R"({"at": "/a", "in": "/b"})", "either at or in"},
      {R"({"at": "a"})", "here: /at: expected a JSON pointer"},
      {R"({"att": "/a"})", "did you mean at"},
      {R"({"in": "/a", "value": "/b", "take": "best"})", "here: /take: no best"},
      {R"({"in": "/a"})", "value"},
      {R"({"in": "/a", "value": "/b", "where": {"row": {"form": 1}}})", "did you mean from"},
      {R"({"in": "/a", "value": "/b", "where": {"row": {"from": "x"}}})",
       "here: /where/row/from must be a finite number"},
  };
  for (const auto& [spec, message] : kBad) {
    try {
      const Json value = Json::parse(spec);
      check_measure(JsonObject(value, "here"));
      ADD_FAILURE() << spec;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(message)) << spec;
    }
  }
}

}  // namespace
}  // namespace hrt
