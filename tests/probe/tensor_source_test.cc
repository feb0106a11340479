#include <ATen/ops/randn.h>
#include <gmock/gmock.h>

#include "hrt/analysis/scores.h"
#include "hrt/base/error.h"
#include "hrt/experiment/config.h"
#include "hrt/probe/source.h"
#include "hrt/tensor/safetensors.h"
#include "temporary_folder.h"

namespace hrt::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class TensorSourceTest : public ::testing::Test {
 protected:
  TensorSourceTest() {
    write_safetensors(folder_.path() / "prompts.safetensors", {{"rows", rows_}});
    write_safetensors(folder_.path() / "plus.safetensors", {{"a", plus_}, {"b", plus_}});
    write_safetensors(folder_.path() / "minus.safetensors", {{"m", minus_}});
  }

  Json config(const Json& tensors) const {
    return resolve_config(Command::kProbe, std::nullopt,
                          {{"tensors", tensors, ""}, {"data_root", folder_.path().string(), ""}});
  }
  Json tensors() const {
    return {
        {"prompts", Json::array({{{"file", "prompts.safetensors"},
                                  {"axes", {"row", "prompt", "position", "hidden"}},
                                  {"positions", {"t_inst", "t_post_inst"}},
                                  {"label", "harmless"}}})},
        {"centroids", {{"harmful.t_inst", "plus.safetensors:a"}, {"harmless.t_inst", "minus.safetensors"}}}};
  }

  const TemporaryFolder folder_;
  const at::Tensor rows_ = at::randn({3, 4, 2, 5});  // [rows, prompts, positions, hidden]
  const at::Tensor plus_ = at::randn({3, 5});
  const at::Tensor minus_ = at::randn({3, 5});
};

TEST_F(TensorSourceTest, AxesAreBroughtIntoOrder) {
  const auto source = open_source(config(tensors()));
  ASSERT_EQ(source->prompts().size(), 4);
  EXPECT_EQ(source->prompts()[3].id, "prompts:4");
  EXPECT_EQ(source->prompts()[3].label, Label::kHarmless);
  EXPECT_TRUE(source->rows_at("t_post_inst").rows[2].equal(rows_.select(1, 2).select(1, 1)));
  const auto scores = source->scores("t_inst", kLabelClusters);
  EXPECT_EQ(scores[1], CentroidScorer(plus_, minus_).score(rows_.select(1, 1).select(1, 0)));
}

TEST_F(TensorSourceTest, WhatIsWrongIsNamed) {
  const auto refuses = [&](const Json& changes, const std::string& message) {
    Json changed = tensors();
    changed.merge_patch(changes);
    EXPECT_THAT([&] { open_source(config(changed)); }, ThrowsMessage<InputError>(HasSubstr(message)));
  };
  refuses({{"centroid", Json::object()}}, "/tensors/centroid is not known here, did you mean centroids?");
  refuses({{"centroids", {{"harmful.t_inst", "gone.safetensors"}}}}, "gone.safetensors");
  refuses({{"centroids", {{"harmful.t_inst", "plus.safetensors"}}}},
          "plus.safetensors");  // which of the two?
  Json entry = tensors().at("prompts").at(0);
  entry["axes"] = {"row", "prompt", "hidden"};
  refuses({{"prompts", Json::array({entry})}}, "must name the 4 axes");
  entry = tensors().at("prompts").at(0);
  entry["axes"] = {"prompt", "row", "position", "hidden"};
  refuses({{"prompts", Json::array({entry})}},
          "/tensors/prompts/0/axes (prompts.safetensors): has 4 rows, the tensors before it 3");
  entry = tensors().at("prompts").at(0);
  entry["positions"] = {"t_inst"};
  refuses({{"prompts", Json::array({entry})}}, "positions: expected 2 names");
  entry = tensors().at("prompts").at(0);
  entry["label"] = "bad";
  refuses({{"prompts", Json::array({entry})}}, "label: \"bad\" is not known");
}

}  // namespace
}  // namespace hrt::testing
