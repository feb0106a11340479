#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "golden.h"

namespace hrt {
namespace {

using test::Golden;
using test::TinyModel;
using test::worst_difference;

// Of each row's norm; see docs: the tolerance that the project promises against transformers.
constexpr double kTolerance = 2e-5;

class Parity : public testing::TestWithParam<std::string> {};

TEST_P(Parity, RowsLogitsAndRepliesAreThoseOfTransformers) {
  const TinyModel model(GetParam());
  const std::vector<JobResult> results = run_jobs(model.decoder, model.jobs(), model.everything());
  for (std::size_t i = 0; i < results.size(); ++i) {
    SCOPED_TRACE(testing::Message() << "prompt " << i);
    EXPECT_LE(worst_difference(results[i].rows, model.goldens[i].rows), kTolerance);
    EXPECT_LE(worst_difference(results[i].logits, model.goldens[i].logits), kTolerance);
    EXPECT_EQ(results[i].reply, model.goldens[i].reply);
    EXPECT_EQ(results[i].stop, StopReason::kLength);
  }
}

std::string test_name(const testing::TestParamInfo<std::string>& variant) {
  std::string name = variant.param;
  std::ranges::replace_if(
      name, [](unsigned char c) { return !std::isalnum(c); }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Tiny, Parity, testing::ValuesIn(test::golden_names()), test_name);

}  // namespace
}  // namespace hrt
