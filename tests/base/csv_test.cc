#include "hrt/base/csv.h"

#include <gtest/gtest.h>

namespace hrt {
namespace {

TEST(Csv, QuotesWhatWouldEndAField) {
  Csv csv({"name", "value"});
  csv.row({"a, \"b\"\nc", "plain"});
  EXPECT_EQ(csv.text(), "name,value\n\"a, \"\"b\"\"\nc\",plain\n");
}

TEST(Csv, NumbersReadBackAsTheyWere) {
  Csv csv({"a", "b", "c", "d"});
  csv.row({0.1, std::int64_t{-3}, std::optional<double>(), std::optional(1.0 / 3)});
  EXPECT_EQ(csv.text(), "a,b,c,d\n0.1,-3,,0.3333333333333333\n");
}

}  // namespace
}  // namespace hrt
