#include "checkpoint_warnings.h"

#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <map>
#include <string>

#include "hrt/model/checkpoint.h"
#include "model/checkpoint_copy.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;
using test::CheckpointCopy;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const fs::path kAdapters = fs::path(HRT_SOURCE_DIR) / "tests/model/adapters";

// Where a golden gives cause, by its folder: a part of its one warning.
const std::map<std::string, const char*> kExpected{
    {"goldens/llama-tied-other-head", "config.json ties the head, but lm_head.weight differs"},
    {"goldens/gemma3-multimodal", "holds 1 tensor that this model does not use: vision_tower.vision_model"},
    {"goldens/gemma3-multimodal-hub",
     "holds 1 tensor that this model does not use: vision_tower.vision_model"},
    {"goldens/gpt2", "outside the vocabulary of 80, so that no reply ends with it: 50256"},
    // In transformers 5 this head has another name, so that peft found none to adapt.
    {"adapters/fused-gpt-neox",
     "the adapter has no tensors of 1 module that its config targets, such as embed_out"}};

void expect_warnings(const Checkpoint& checkpoint, const fs::path& folder) {
  const std::string name = folder.parent_path().filename() / folder.filename();
  const auto expected = kExpected.find(name);
  if (expected == kExpected.end()) {
    EXPECT_THAT(checkpoint.warnings(), IsEmpty()) << name;
  } else {
    EXPECT_THAT(checkpoint.warnings(), ElementsAre(HasSubstr(expected->second))) << name;
  }
}

TEST(CheckpointWarnings, OfTheGoldens) {
  for (const fs::path& folder : golden_folders()) expect_warnings(Checkpoint(folder), folder);
}

TEST(CheckpointWarnings, OfTheGoldenAdapters) {
  for (const auto& adapter : fs::directory_iterator(kAdapters)) {
    const std::string base = read_json(adapter.path() / "adapter_config.json").at("base_model_name_or_path");
    expect_warnings(Checkpoint(golden_folder(base), {.adapter = adapter.path()}), adapter.path());
  }
}

TEST(CheckpointWarnings, UnknownKeysOfAConfigAndOfItsRope) {
  const CheckpointCopy copy("llama-gelu");
  copy.edit_config(R"({"logit_scale": 2, "rope_parameters": {"rope_type": "linear", "factor": 2,
                                                             "rope_tehta": 5}})");
  EXPECT_THAT(Checkpoint(copy.folder()).warnings(),
              ElementsAre("config.json has keys that hrt does not know, which are ignored: logit_scale, "
                          "rope_parameters/rope_tehta"));
}

// A config of fewer layers than the files have is a mistake more often than not.
TEST(CheckpointWarnings, TensorsOfLayersThatTheConfigLeavesOut) {
  const CheckpointCopy copy("llama-hub2023");
  copy.edit_config(R"({"num_hidden_layers": 1})");
  const Checkpoint checkpoint(copy.folder());
  EXPECT_EQ(checkpoint.unused_tensors().size(), 9U);
  EXPECT_THAT(checkpoint.warnings(),
              ElementsAre(AllOf(HasSubstr("model.safetensors holds 9 tensors that this model does not use: "
                                          "model.layers.1.input_layernorm.weight, "),
                                HasSubstr(" and 4 more"))));
}

TEST(CheckpointWarnings, StopTokensThatNoTokenHas) {
  const CheckpointCopy copy("llama-hub2023");
  copy.edit_config(R"({"eos_token_id": [7, 80, -1]})");
  EXPECT_THAT(Checkpoint(copy.folder()).warnings(),
              ElementsAre("eos_token_id names what lies outside the vocabulary of 80, so that no reply ends "
                          "with it: 80, -1"));
}

TEST(CheckpointWarnings, ModulesThatAnAdapterLacks) {
  const TemporaryFolder temporary;
  const fs::path adapter = temporary.path() / "adapter";
  fs::copy(kAdapters / "list", adapter);
  const std::string module = "base_model.model.model.layers.0.self_attn.q_proj.";
  write_safetensors(adapter / "adapter_model.safetensors", {{module + "lora_A.weight", at::zeros({4, 32})},
                                                            {module + "lora_B.weight", at::zeros({32, 4})}});
  const Checkpoint checkpoint(golden_folder("llama-gqa-tied"), {.adapter = adapter});
  EXPECT_THAT(checkpoint.warnings(),
              ElementsAre("the adapter has no tensors of 5 modules that its config targets, such as "
                          "model.layers.0.mlp.down_proj, which stay as in the base"));
}

// An adapter of attention alone, of a model with experts, as transformers 5 makes it with "all-linear".
TEST(CheckpointWarnings, ExpertsAreNoModulesThatAnAdapterMightLack) {
  const TemporaryFolder adapter;
  adapter.write("adapter_config.json",
                R"({"peft_type": "LORA", "base_model_name_or_path": "mixtral-hub", "r": 1,
                    "target_modules": "all-linear"})");
  std::vector<NamedTensor> tensors;
  const Checkpoint base(golden_folder("mixtral-hub"));
  for (const LayerWeightNames& layer : base.names().layers) {
    std::vector<TensorNames> maps = layer.qkv;
    maps.push_back(layer.o);
    for (const TensorNames& map : maps) {
      const std::vector<std::int64_t> shape = base.weights().find(map.weight)->shape;
      const std::string stem = "base_model.model." + map.weight.substr(0, map.weight.rfind(".weight"));
      tensors.push_back({stem + ".lora_A.weight", at::zeros({1, shape[1]})});
      tensors.push_back({stem + ".lora_B.weight", at::zeros({shape[0], 1})});
    }
  }
  write_safetensors(adapter.path() / "adapter_model.safetensors", tensors);
  EXPECT_THAT(Checkpoint(base.folder(), {.adapter = adapter.path()}).warnings(), IsEmpty());
}

struct BaseCase {
  const char* base;    // as the adapter's config has it
  const char* folder;  // of the checkpoint
  const char* origin;  // its _name_or_path
  bool fits;
};

TEST(CheckpointWarnings, AdaptersOfAnotherBase) {
  constexpr const char* kSnapshot = "/cache/hub/models--meta-llama--Llama-2-7b/snapshots/0123abc";
  const BaseCase cases[] = {
      {"", "/models/llama", "", true},
      {"meta-llama/Llama-2-7b", "/models/Llama-2-7b", "", true},
      {"meta-llama/Llama-2-7b", "/models/llama-2-7B/", "", true},
      {"meta-llama/Llama-2-7b", "/models/Llama-2-13b", "", false},
      {"meta-llama/Llama-2-7b", "/models/mine", "meta-llama/Llama-2-7b", true},
      {"meta-llama/Llama-2-7b", "/models/mine", "other/Llama-2-7b", false},
      {"meta-llama/Llama-2-7b", "/models/mine", "", false},
      {"/home/me/Llama-2-7b/", "/models/Llama-2-7b", "", true},
      {"meta-llama/Llama-2-7b", kSnapshot, "", true},
      {"other/Llama-2-7b", kSnapshot, "", false},
      {"0123abc", kSnapshot, "", false},
      {kSnapshot, "/models/Llama-2-7b", "", true},
      {"gpt2", "/cache/hub/models--gpt2/snapshots/0123abc", "", true},
  };
  for (const BaseCase& one : cases) {
    const Json config = *one.origin == '\0' ? Json::object() : Json{{"_name_or_path", one.origin}};
    EXPECT_EQ(base_model_warning(one.base, one.folder, config).empty(), one.fits)
        << one.base << " on " << one.folder << " of " << one.origin;
  }
  EXPECT_EQ(
      base_model_warning("org/a", kSnapshot, Json::object()),
      "the adapter was made on org/a, and this model is meta-llama/Llama-2-7b: it fits its own base alone");
}

}  // namespace
}  // namespace hrt
