#include "hrt/experiment/row_identity.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include <fstream>

#include "hrt/base/error.h"
#include "hrt/experiment/config.h"
#include "hrt/experiment/prompt_run.h"
#include "hrt/experiment/replies.h"
#include "hrt/experiment/reply_positions.h"
#include "temporary_folder.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

// A computed run of a tiny checkpoint whose stored rows the tests may spoil.
class RowIdentityTest : public ::testing::Test {
 protected:
  RowIdentityTest() {
    std::ofstream prompts(folder_ / "p.jsonl");
    for (int i = 0; i < 40; ++i) prompts << R"({"tokens": [3, )" << 4 + i << ", " << 5 + i % 7 << "]}\n";
    prompts.close();
    const std::string model = HRT_SOURCE_DIR "/tests/model/goldens/llama-gqa-tied";
    prompts_.emplace(Command::kExtract, resolve_config(Command::kExtract, std::nullopt,
                                                       {{"model", model, ""},
                                                        {"prompts", {folder_ / "p.jsonl"}, ""},
                                                        {"template", "raw", ""},
                                                        {"positions", {"t_inst", "t_resp", "t_resp+3"}, ""},
                                                        {"outcomes", "generate", ""},
                                                        {"max_new_tokens", 4, ""},
                                                        {"device", "cpu", ""}}));
    set_ = prompts_->set();
    run_.emplace(folder_ / "run", IfExists::kRefuse, prompts_->identity());
    groups_.emplace(run_->work(), prompts_->set(), prompts_->work(), cut_groups(40, 16), 8,
                    prompts_->reader());
    decoder_.emplace(prompts_->load());
    EngineStats stats;
    ReplyStream stream(run_->file("replies.jsonl.partial"));
    groups_->run(*decoder_, stream, stats);
    add_generated_replies(set_, *groups_, nullptr);
  }

  RowIdentity check(double share) const {
    return check_row_identity(*decoder_, set_, prompts_->work(), *groups_, share, 0);
  }

  // Changes the rows of the first group's file.
  void spoil(const std::function<void(at::Tensor& rows)>& change,
             const std::string& position = "t_inst") const {
    const fs::path file = run_->work() / "group-00000.safetensors";
    std::vector<NamedTensor> tensors;
    {
      const SafetensorsFile stored(file);
      for (const TensorInfo& info : stored.tensors()) {
        tensors.push_back({info.name, stored.tensor(info.name).clone()});
        if (info.name == "rows." + position) change(tensors.back().tensor);
      }
    }
    write_safetensors(file, tensors);
  }

  c10::InferenceMode inference_;
  const TemporaryFolder folder_;
  std::optional<PromptRun> prompts_;
  PromptSet set_;
  std::optional<RunDirectory> run_;
  std::optional<PromptWork> groups_;
  std::optional<Decoder> decoder_;
};

TEST_F(RowIdentityTest, HoldsForWhatTheEngineComputed) {
  const RowIdentity identity = check(1.0);
  EXPECT_EQ(identity.prompts, 40);
  EXPECT_EQ(identity.replies, 40);
  EXPECT_TRUE(identity.holds()) << identity.to_json();
  EXPECT_GT(identity.worst, 0) << "batched and single rows agree to the bit: was anything computed again?";
}

TEST_F(RowIdentityTest, ChecksAtLeastSixteenPrompts) {
  EXPECT_EQ(check(0.01).prompts, 16);
  EXPECT_EQ(check(0.0).prompts, 0);
}

TEST_F(RowIdentityTest, CatchesTwoPromptsWithEachOthersRows) {
  spoil([](at::Tensor& rows) {
    const at::Tensor first = rows.select(0, 2).clone();
    rows.select(0, 2).copy_(rows.select(0, 5));
    rows.select(0, 5).copy_(first);
  });
  const RowIdentity identity = check(1.0);
  EXPECT_FALSE(identity.holds());
  EXPECT_GT(identity.worst, 0.1);
  EXPECT_THAT(identity.worst_prompt, ::testing::AnyOf("p:3", "p:6"));
}

TEST_F(RowIdentityTest, CatchesRowsOfAnotherTokenOfTheReply) {
  spoil([](at::Tensor& rows) { rows.select(0, 4).copy_(rows.select(0, 9)); }, "t_resp+3");
  const RowIdentity identity = check(1.0);
  EXPECT_FALSE(identity.holds());
  EXPECT_EQ(identity.worst_prompt, "p:5");
  EXPECT_EQ(identity.worst_position, "t_resp+3");
}

TEST_F(RowIdentityTest, CatchesRowsOfZeros) {
  spoil([](at::Tensor& rows) { rows.select(0, 0).zero_(); });
  EXPECT_FALSE(check(1.0).holds());
}

// A comparison of 16 prompts of one row each, of which the first differ by these shares.
RowIdentity compared(at::ScalarType dtype, bool experts, const std::vector<double>& differences) {
  RowComparison comparison(dtype, experts);
  const at::Tensor alone = at::ones({1, 1, 8});
  for (std::size_t prompt = 0; prompt < 16; ++prompt) {
    const double difference = prompt < differences.size() ? differences[prompt] : 1e-6;
    comparison.compare_rows("p", "t_inst", {0}, alone.mul(1 + difference), alone);
    comparison.next_prompt();
  }
  return comparison.result();
}

TEST(RowComparison, OtherExpertsAreForgivenInAFewPrompts) {
  EXPECT_TRUE(compared(at::kFloat, true, {0.3}).holds());
  EXPECT_EQ(compared(at::kFloat, true, {0.3}).beyond_rounding, 1);
  EXPECT_FALSE(compared(at::kFloat, true, {0.3, 0.01}).holds());
  EXPECT_TRUE(compared(at::kBFloat16, true, {0.2, 0.3, 0.2, 0.2}).holds());
  EXPECT_FALSE(compared(at::kBFloat16, true, {0.2, 0.3, 0.2, 0.2, 0.2}).holds());
  EXPECT_FALSE(compared(at::kBFloat16, true, {0.8}).holds());
  EXPECT_FALSE(compared(at::kFloat, false, {0.01}).holds());
  EXPECT_TRUE(compared(at::kFloat, false, {}).holds());
}

}  // namespace
}  // namespace hrt
