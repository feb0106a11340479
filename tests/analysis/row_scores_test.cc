#include "hrt/analysis/row_scores.h"

#include <gmock/gmock.h>

namespace hrt {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

auto near(double value) { return Optional(DoubleNear(value, 1e-14)); }

TEST(RowMean, IsTheMeanWithAndWithoutRow0) {
  const std::vector<std::int64_t> rows{0, 1, 2};
  const RowMean all = row_mean({0.3, 0.1, 0.2}, rows);
  EXPECT_THAT(all.all_rows, near(0.2));
  EXPECT_THAT(all.without_row_0, near(0.15));
}

TEST(RowMean, LeavesOutRowsWithoutAScore) {
  const std::vector<std::int64_t> rows{0, 4, 8};
  EXPECT_THAT(row_mean({std::nullopt, 0.1, 0.3}, rows).all_rows, near(0.2));
  EXPECT_THAT(row_mean({0.5, std::nullopt, std::nullopt}, rows).all_rows, near(0.5));
  EXPECT_EQ(row_mean({0.5, std::nullopt, std::nullopt}, rows).without_row_0, std::nullopt);
}

TEST(RowMean, GoesByTheRowsNumbers) {
  const std::vector<std::int64_t> rows{4, 8};
  const RowMean both = row_mean({0.1, 0.3}, rows);
  EXPECT_EQ(both.all_rows, both.without_row_0);
}

TEST(MeanByRow, IsOverThePromptsThatHaveAValue) {
  const std::vector<RowScores> prompts{{0.2, std::nullopt, std::nullopt}, {0.4, 0.7, std::nullopt}};
  EXPECT_THAT(mean_by_row(prompts), ElementsAre(near(0.3), near(0.7), std::nullopt));
  EXPECT_THAT(mean_by_row({}), IsEmpty());
}

}  // namespace
}  // namespace hrt
