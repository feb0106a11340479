#include "rope_config.h"

#include <gmock/gmock.h>

#include "model/small_config.h"

namespace hrt {
namespace {

using test::spec_with;

TEST(RopeConfig, RopeInTheOldAndTheNewSpelling) {
  EXPECT_EQ(spec_with(R"({"rope_theta": 500000, "rope_scaling": null})").rope.theta, 500000);
  const RopeSpec old_spelling =
      spec_with(R"({"rope_theta": 5, "rope_scaling": {"type": "linear", "factor": 2}})").rope;
  const RopeSpec new_spelling =
      spec_with(R"({"rope_parameters": {"rope_type": "linear", "factor": 2, "rope_theta": 5}})").rope;
  for (const RopeSpec& rope : {old_spelling, new_spelling}) {
    EXPECT_EQ(rope.kind, RopeSpec::Kind::kLinear);
    EXPECT_EQ(rope.theta, 5);
    EXPECT_EQ(rope.factor, 2);
  }
}

TEST(RopeConfig, RopePrecedence) {
  // rope_scaling beats rope_parameters as a whole, also its theta; an empty one counts as none.
  const RopeSpec scaling = spec_with(R"({"rope_scaling": {"type": "linear", "factor": 2},
                                         "rope_parameters": {"rope_type": "default", "rope_theta": 5}})")
                               .rope;
  EXPECT_EQ(scaling.kind, RopeSpec::Kind::kLinear);
  EXPECT_EQ(scaling.theta, 10000);
  EXPECT_EQ(spec_with(R"({"rope_scaling": {}, "rope_parameters": {"rope_theta": 5}})").rope.theta, 5);
  EXPECT_EQ(spec_with(R"({"rope_theta": 7, "rope_parameters": {"rope_theta": 5}})").rope.theta, 5);
  EXPECT_EQ(spec_with(R"({"rope_scaling": {"type": "linear", "rope_type": "yarn", "factor": 2}})").rope.kind,
            RopeSpec::Kind::kYarn);
}

TEST(RopeConfig, YarnDefaults) {
  const RopeSpec rope =
      spec_with(R"({"rope_scaling": {"type": "yarn", "factor": 4, "beta_fast": 0, "mscale": 0}})").rope;
  EXPECT_EQ(rope.original_max_positions, 128);
  EXPECT_EQ(rope.beta_fast, 32);
  EXPECT_EQ(rope.beta_slow, 1);
  EXPECT_TRUE(rope.truncate);
  EXPECT_FALSE(rope.attention_factor || rope.mscale || rope.mscale_all_dim);
}

TEST(RopeConfig, YarnFactorNullIsTheRatioOfPositions) {
  const RopeSpec rope = spec_with(R"({"rope_scaling": {"type": "yarn", "factor": null,
                                                       "original_max_position_embeddings": 32}})")
                            .rope;
  EXPECT_EQ(rope.factor, 4);
}

TEST(RopeConfig, OriginalPositionsOutsideTheRopeObjectWin) {
  const RopeSpec rope = spec_with(R"({"original_max_position_embeddings": 16, "rope_scaling":
      {"type": "yarn", "factor": 4, "original_max_position_embeddings": 32}})")
                            .rope;
  EXPECT_EQ(rope.original_max_positions, 16);
}

TEST(RopeConfig, LongRopeOfPhi3) {
  const DecoderSpec spec = spec_with(R"({"model_type": "phi3", "max_position_embeddings": 16384,
      "rope_scaling": {"type": "su", "short_factor": [1, 1, 1, 1], "long_factor": [1, 2, 3, 4]}})");
  EXPECT_EQ(spec.rope.original_max_positions, 4096);
  EXPECT_EQ(spec.rope.factor, 4);
  EXPECT_FALSE(rotates_by_length(spec, 4096));
  EXPECT_TRUE(rotates_by_length(spec, 4097));
}

}  // namespace
}  // namespace hrt
