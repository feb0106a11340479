#include "hrt/reproduce/claim.h"

#include <gmock/gmock.h>

#include "hrt/base/error.h"

namespace hrt {
namespace {

using ::testing::HasSubstr;

const Json kResults = Json::parse(
    R"({"a": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 10}, "b": {"value": 0.3, "low": 0.2, "high": 0.4, "n": 10}})");

Json claim(const char* bound) {
  Json spec =
      Json::parse(R"({"name": "x", "says": "a is large", "source": "ours", "measure": {"at": "/a"}})");
  spec.update(Json::parse(bound));
  return spec;
}

struct Case {
  const char* bound;
  std::optional<bool> holds;
  std::optional<bool> clear;  // the whole interval says so
  const char* needs;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.bound; }

class ClaimWith : public ::testing::TestWithParam<Case> {};

TEST_P(ClaimWith, HoldsOrNot) {
  const Json spec = claim(GetParam().bound);
  check_claim_spec(JsonObject(spec, "here"));
  const ClaimResult result = check_claim(spec, kResults);
  EXPECT_EQ(result.holds, GetParam().holds);
  EXPECT_EQ(result.clear, GetParam().clear);
  EXPECT_EQ(result.needs, GetParam().needs);
}

INSTANTIATE_TEST_SUITE_P(
    Bounds, ClaimWith,
    ::testing::Values(Case{R"({"above": 0.35})", true, true, "> 0.35"},
                      Case{R"({"above": 0.5})", false, false, "> 0.5"},
                      Case{R"({"at_least": 0.5})", true, false, ">= 0.5"},
                      Case{R"({"below": 0.5})", false, false, "< 0.5"},
                      Case{R"({"at_most": 0.5})", true, false, "<= 0.5"},
                      Case{R"({"above": {"at": "/b"}})", true, true, "> 0.3"},
                      // A margin makes every claim harder.
                      Case{R"({"above": {"at": "/b", "by": 0.25}})", false, false, "> 0.55"},
                      Case{R"({"below": {"at": "/b", "by": 0.25}})", false, true, "< 0.05"},
                      Case{R"({"above": {"at": "/gone"}})", std::nullopt, std::nullopt, ""}));

TEST(Claim, IsNotJudgedWhereNothingIsMeasured) {
  Json spec = claim(R"({"above": 0})");
  spec["measure"]["at"] = "/gone";
  const ClaimResult result = check_claim(spec, kResults);
  EXPECT_FALSE(result.holds);
  EXPECT_EQ(result.why, "the results have no /gone");
  EXPECT_TRUE(result.to_json().at("holds").is_null());
}

TEST(Claim, IsInItsUnit) {
  Json spec = claim(R"({"above": 0.35, "unit": "%"})");
  spec["measure"]["of"] = "rows";
  const ClaimResult result = check_claim(spec, kResults);
  EXPECT_DOUBLE_EQ(*result.measured.value, 50);
  EXPECT_DOUBLE_EQ(*result.measured.low, 40);
  EXPECT_EQ(result.measured.n_of, "rows");
  EXPECT_EQ(result.needs, "> 35 %");
  EXPECT_EQ(result.clear, true);
}

TEST(Claim, IsNeverClearWithoutAnInterval) {
  EXPECT_EQ(check_claim(claim(R"({"above": 0})"), {{"a", 1}}).clear, std::nullopt);
}

TEST(Claim, IsChecked) {
  for (const char* bad :
       {R"({})", R"({"above": 1, "below": 2})", R"({"over": 1})", R"({"above": {"att": "/x"}})"}) {
    const Json spec = claim(bad);
    EXPECT_THROW(check_claim_spec(JsonObject(spec, "here")), InputError) << bad;
  }
}

Json published(const Json& values) {
  return {
      {"what", "a"}, {"unit", "%"}, {"source", "table 1"}, {"values", values}, {"measure", {{"at", "/a"}}}};
}

TEST(Published, IsComparedOnItsOwnModelOnly) {
  using Fit = PublishedResult::Fit;
  const auto fit = [](const Json& values, const std::string& model) {
    return compare_published(published(values), kResults, model).fit;
  };
  EXPECT_EQ(fit({{"M", 55}}, "M"), Fit::kWithin);
  EXPECT_EQ(fit({{"M", 61}}, "M"), Fit::kOutside);
  EXPECT_EQ(fit({{"M", {60, 90}}}, "M"), Fit::kWithin);  // ranges that touch
  EXPECT_EQ(fit({{"M", {61, 90}}}, "M"), Fit::kOutside);
  EXPECT_EQ(fit({{"M", 55}}, "N"), Fit::kNotComparable);
  EXPECT_EQ(fit({{"M", 55}}, ""), Fit::kNotComparable);
}

TEST(Claim, CannotBeJudgedWhereNoShareHolds) {
  const Json spec{{"name", "falls"},
                  {"says", "falls"},
                  {"source", "ours"},
                  {"unit", "%"},
                  {"measure", {{"at", "/less"}}},
                  {"below", {{"at", "/few"}, {"by", 0.05}}}};
  const ClaimResult result = check_claim(spec, {{"few", 0.02}, {"less", 0.01}});
  EXPECT_FALSE(result.holds.has_value());
  EXPECT_EQ(result.why, "no share is < -3 %");
  EXPECT_TRUE(check_claim(spec, {{"few", 0.2}, {"less", 0.01}}).holds.value_or(false));
}

TEST(Published, IsInItsUnit) {
  const PublishedResult result = compare_published(published({{"M", 55}}), kResults, "M");
  EXPECT_DOUBLE_EQ(*result.measured.value, 50);
  EXPECT_DOUBLE_EQ(*result.measured.low, 40);
  EXPECT_EQ(result.measured.n, 10);
}

TEST(Published, NeedsTheSameNumberWhereThereIsNoInterval) {
  Json spec = published({{"M", 14}});
  spec["unit"] = "";
  const auto fit = [&](int layer) { return compare_published(spec, {{"a", layer}}, "M").fit; };
  EXPECT_EQ(fit(14), PublishedResult::Fit::kWithin);
  EXPECT_EQ(fit(15), PublishedResult::Fit::kOutside);
  EXPECT_EQ(compare_published(spec, {{"a", nullptr}}, "M").fit, PublishedResult::Fit::kNotMeasured);
}

TEST(Published, IsChecked) {
  for (const Json& bad : {Json("x"), Json({1, 2, 3}), Json(nullptr)}) {
    try {
      const Json spec = published({{"M", bad}});
      check_published_spec(JsonObject(spec, "here"));
      ADD_FAILURE() << bad;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("here: /values/M"));
    }
  }
}

}  // namespace
}  // namespace hrt
