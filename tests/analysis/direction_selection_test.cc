#include "hrt/analysis/direction_selection.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "hrt/base/file.h"
#include "hrt/base/json.h"
#include "test_data.h"

namespace hrt {
namespace {

TEST(SelectDirection, CountsACandidateAtTheFirstRuleItBreaks) {
  const auto selection = select_direction(
      {
          {-1, 9, NAN, 1, 0},      // not a number, and late
          {-1, 9, -3, -1, 5},      // late, and everything after it
          {-1, 8, -3, 1, 0},       // late: int(0.8 * 10) = 8
          {-1, 7, -3, -1, 0.2},    // KL, and induced
          {-1, 6, -3, -0.1, 0.1},  // induced
          {-1, 5, -2, 0, 0.1},     // on every limit
          {-2, 5, -4, 1, NAN},     // not a number
      },
      10);
  EXPECT_EQ(selection.removed.not_a_number, 2);
  EXPECT_EQ(selection.removed.late_layer, 2);
  EXPECT_EQ(selection.removed.kl, 1);
  EXPECT_EQ(selection.removed.induced_score, 1);
  ASSERT_EQ(selection.surviving.size(), 1u);
  EXPECT_EQ(selection.chosen()->layer, 5);
}

TEST(SelectDirection, TakesTheLowestScoreAndKeepsTheOrderOfEqualOnes) {
  const auto selection = select_direction({{-2, 1, -1, 1, 0}, {-1, 3, -5, 1, 0}, {-1, 2, -5, 1, 0}}, 10);
  ASSERT_EQ(selection.surviving.size(), 3u);
  EXPECT_EQ(selection.surviving[0].layer, 3);
  EXPECT_EQ(selection.surviving[1].layer, 2);
  EXPECT_EQ(selection.surviving[2].layer, 1);
}

TEST(SelectDirection, MayLeaveNone) {
  EXPECT_FALSE(select_direction({{-1, 3, -5, -1, 0}}, 10).chosen().has_value());
  EXPECT_FALSE(select_direction({}, 10).chosen().has_value());
}

DirectionCandidate candidate(const Json& entry) {
  const auto score = [&](const char* key) {
    return entry.at(key).is_null() ? NAN : entry.at(key).get<double>();
  };
  return {entry.at("position").get<std::int64_t>(), entry.at("layer").get<std::int64_t>(),
          score("refusal_score"), score("steering_score"), score("kl_div_score")};
}

// Python wrote scores that are not a number as NaN, which JSON has no word for.
Json read_released(const std::filesystem::path& file) {
  std::string text = read_file(file);
  for (std::size_t at = text.find("NaN"); at != std::string::npos; at = text.find("NaN"))
    text.replace(at, 3, "null");
  return parse_json(text, file.string());
}

void expect_released_choice(const Json& released) {
  std::vector<DirectionCandidate> candidates;
  for (const Json& entry : released.at("candidates")) candidates.push_back(candidate(entry));
  const auto selection = select_direction(candidates, released.at("layers").get<std::int64_t>());

  ASSERT_EQ(selection.surviving.size(), released.at("surviving").size());
  for (std::size_t i = 0; i < selection.surviving.size(); ++i) {
    EXPECT_EQ(selection.surviving[i], candidate(released.at("surviving")[i])) << i;
  }
  EXPECT_EQ(selection.chosen()->position, released.at("chosen").at("position").get<std::int64_t>());
  EXPECT_EQ(selection.chosen()->layer, released.at("chosen").at("layer").get<std::int64_t>());
  const RemovedCandidates& removed = selection.removed;
  EXPECT_EQ(removed.not_a_number + removed.late_layer + removed.kl + removed.induced_score +
                std::ssize(selection.surviving),
            std::ssize(candidates));
}

// The released candidates of three models lead to the released survivors, in order, and the released choice.
TEST(GoldensSelectDirection, MakesTheReleasedChoices) {
  const auto folder = large_test_data() / "arditi2024";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  for (const std::string model : {"gemma-2b-it", "llama-2-7b-chat-hf", "qwen-1_8b-chat"}) {
    SCOPED_TRACE(model);
    expect_released_choice(read_released(folder / (model + ".selection.json")));
  }
}

}  // namespace
}  // namespace hrt
