#include "hrt/analysis/ranks.h"

#include <gmock/gmock.h>

#include <cmath>

#include "hrt/base/error.h"

namespace hrt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Midranks, TiesShareTheirMean) {
  EXPECT_THAT(midranks(std::vector<double>{3, 1, 3, 2, 3}), ElementsAre(4, 1, 4, 2, 4));
  EXPECT_THAT(midranks(std::vector<double>{7, 7}), ElementsAre(1.5, 1.5));
}

TEST(Midranks, OfNothingAreNothing) { EXPECT_THAT(midranks({}), IsEmpty()); }

TEST(Midranks, RankInfinitiesAndRefuseNaN) {
  EXPECT_THAT(midranks(std::vector<double>{0, INFINITY, -INFINITY}), ElementsAre(2, 3, 1));
  EXPECT_THROW(midranks(std::vector<double>{0, NAN}), RunError);
}

}  // namespace
}  // namespace hrt
