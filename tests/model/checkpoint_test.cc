#include "hrt/model/checkpoint.h"

#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <functional>

#include "hrt/base/error.h"
#include "model/checkpoint_copy.h"
#include "model/golden_folders.h"
#include "weight_check.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Copy = test::CheckpointCopy;

TEST(Checkpoint, EveryGoldenOpensStrictly) {
  for (const fs::path& folder : golden_folders()) {
    const Checkpoint checkpoint(folder, {.strict_config = true});
    EXPECT_THAT(checkpoint.unknown_keys(), IsEmpty()) << folder;
    EXPECT_EQ(checkpoint.names().layers.size(), static_cast<std::size_t>(checkpoint.spec().layers)) << folder;
  }
}

TEST(Checkpoint, CountsParametersAndDtype) {
  const Checkpoint untied(golden_folder("llama-hub2023"));
  EXPECT_EQ(untied.parameters(), 2 * 80 * 32 + 2 * (4 * 32 * 32 + 3 * 40 * 32 + 2 * 32) + 32);
  EXPECT_EQ(untied.stored_dtype(), at::kFloat);
  EXPECT_EQ(Checkpoint(golden_folder("qwen2.5-yarn")).stored_dtype(), at::kBFloat16);
}

TEST(Checkpoint, TiedHead) {
  for (const char* name : {"llama-gqa-tied", "qwen2-tied"}) {  // without a stored head, with an equal one
    const Checkpoint checkpoint(golden_folder(name));
    EXPECT_TRUE(checkpoint.spec().tied_head) << name;
    EXPECT_EQ(checkpoint.names().head, checkpoint.names().embedding) << name;
  }
  const Checkpoint other(golden_folder("llama-tied-other-head"));
  EXPECT_FALSE(other.spec().tied_head);
  EXPECT_EQ(other.names().head, "lm_head.weight");
}

TEST(Checkpoint, StopTokensOfBothFilesOnce) {
  EXPECT_THAT(Checkpoint(golden_folder("llama-hub2023")).stop_tokens(), ElementsAre(2, 7));
  const Copy copy("llama-hub2023");
  copy.edit_config(R"({"eos_token_id": [9, 7]})");
  EXPECT_THAT(Checkpoint(copy.folder()).stop_tokens(), ElementsAre(2, 7, 9));
}

TEST(Checkpoint, DynamicRopeReachesFurther) {
  EXPECT_EQ(Checkpoint(golden_folder("llama-rope-dynamic")).max_tokens(), 16 * 8);
  EXPECT_EQ(Checkpoint(golden_folder("llama-rope-linear")).max_tokens(), 128);
}

TEST(Checkpoint, UnknownKeysAreAWarningUnlessStrict) {
  const Copy copy("llama-gelu");
  copy.edit_config(R"({"logit_scale": 2})");
  EXPECT_THAT(Checkpoint(copy.folder()).unknown_keys(), ElementsAre("logit_scale"));
  EXPECT_THROW(Checkpoint(copy.folder(), {.strict_config = true}), InputError);
}

TEST(Checkpoint, OldBuffersAreNotExtraTensors) {
  const Copy copy("llama-hub2023");
  const auto extra = [&] {
    const Checkpoint checkpoint(copy.folder());
    return extra_tensors(checkpoint.weights(), expected_tensors(checkpoint.spec(), checkpoint.names()),
                         family_of(JsonObject(checkpoint.config(), "config.json")).buffers);
  };
  EXPECT_NE(WeightFiles(copy.folder()).find("model.layers.0.self_attn.rotary_emb.inv_freq"), nullptr);
  EXPECT_THAT(extra(), IsEmpty());
  copy.edit_weights([](NamedTensor& tensor) {
    if (tensor.name == "model.layers.0.self_attn.rotary_emb.inv_freq") tensor.name = "model.layers.9.norm";
  });
  EXPECT_THAT(extra(), ElementsAre("model.layers.9.norm"));
}

TEST(Checkpoint, FingerprintSeesFilesAndWeights) {
  const Copy copy("llama-gelu");
  const std::string original = Checkpoint(copy.folder()).fingerprint();
  EXPECT_EQ(Checkpoint(copy.folder()).fingerprint(), original);
  EXPECT_NE(Checkpoint(copy.folder()).fingerprint(true), original);

  copy.write("tokenizer_config.json", "{}");
  const std::string with_tokenizer = Checkpoint(copy.folder()).fingerprint();
  EXPECT_NE(with_tokenizer, original);

  copy.edit_weights([](NamedTensor& tensor) {
    if (tensor.name == "model.norm.weight") tensor.tensor[0] += 1;
  });
  EXPECT_NE(Checkpoint(copy.folder()).fingerprint(), with_tokenizer);
}

TEST(Checkpoint, FullFingerprintSeesEveryByte) {
  const Copy copy("llama-gelu");
  const std::string sampled = Checkpoint(copy.folder()).fingerprint();
  const std::string full = Checkpoint(copy.folder()).fingerprint(true);
  copy.edit_weights([](NamedTensor& tensor) {
    if (tensor.name == "model.embed_tokens.weight") tensor.tensor.view(-1)[100] += 1;  // between two samples
  });
  EXPECT_EQ(Checkpoint(copy.folder()).fingerprint(), sampled);
  EXPECT_NE(Checkpoint(copy.folder()).fingerprint(true), full);
}

TEST(Checkpoint, FingerprintIgnoresHowWeightsAreSplit) {
  const Copy copy("llama-rope-llama3");
  const std::string pieces = Checkpoint(copy.folder()).fingerprint();
  std::vector<NamedTensor> tensors;
  const WeightFiles weights(copy.folder());
  for (const TensorLayout& info : weights.tensors()) tensors.push_back({info.name, weights.tensor(info.name)});
  write_safetensors(copy / "model.safetensors", tensors);
  EXPECT_EQ(Checkpoint(copy.folder()).fingerprint(), pieces);
}

const auto kReplace = [](const char* name, const at::Tensor& value) {
  return [name, value](NamedTensor& tensor) {
    if (tensor.name == name) tensor.tensor = value;
  };
};

struct Bad {
  const char* name;
  std::function<void(const Copy&)> spoil;
  const char* message;  // a part of it
};

void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.name; }

class BadCheckpoint : public ::testing::TestWithParam<Bad> {};

TEST_P(BadCheckpoint, IsRefusedInOneLine) {
  const Copy copy("llama-bias");
  GetParam().spoil(copy);
  try {
    const Checkpoint checkpoint(copy.folder());
    ADD_FAILURE() << "taken";
  } catch (const InputError& error) {
    const std::string message = error.what();
    EXPECT_THAT(message, HasSubstr(GetParam().message));
    EXPECT_THAT(message, HasSubstr(copy.folder().string()));
    EXPECT_EQ(message.find('\n'), std::string::npos);
  }
}

const char* const kQuery = "model.layers.1.self_attn.q_proj.weight";

INSTANTIATE_TEST_SUITE_P(
    Checkpoint, BadCheckpoint,
    ::testing::Values(
        Bad{"no_folder", [](const Copy& copy) { fs::remove_all(copy.folder()); }, "no such folder"},
        Bad{"no_config", [](const Copy& copy) { fs::remove(copy / "config.json"); }, "no config.json"},
        Bad{"gguf_only",
            [](const Copy& copy) {
              fs::remove(copy / "config.json");
              copy.write("a.gguf", "GGUF");
            },
            "it holds a.gguf: convert it with tools/gguf-to-hf"},
        Bad{"pth_only",
            [](const Copy& copy) { fs::rename(copy / "model.safetensors", copy / "consolidated.00.pth"); },
            "it holds consolidated.00.pth: use the Hugging Face version of this model"},
        Bad{"bin_of_another_kind",
            [](const Copy& copy) {
              fs::remove(copy / "model.safetensors");
              copy.write("pytorch_model.bin", "version https://git-lfs.github.com/spec/v1");
            },
            "pytorch_model.bin: not a file of torch.save"},
        Bad{"no_weights", [](const Copy& copy) { fs::remove(copy / "model.safetensors"); },
            "no weights (model.safetensors or pytorch_model.bin, whole or in pieces)"},
        Bad{"broken_config", [](const Copy& copy) { copy.write("config.json", "{\n  \"a\": 1,,\n}"); },
            "config.json:2:"},
        Bad{"config_is_a_list", [](const Copy& copy) { copy.write("config.json", "[]"); },
            "must be an object"},
        Bad{"empty_config", [](const Copy& copy) { copy.write("config.json", ""); }, "config.json"},
        Bad{"unknown_family", [](const Copy& copy) { copy.edit_config(R"({"model_type": "mamba"})"); },
            "hrt does not know \"mamba\""},
        Bad{"quantised",
            [](const Copy& copy) { copy.edit_config(R"({"quantization_config": {"quant_method": "awq"}})"); },
            "this folder holds AWQ weights"},
        Bad{"broken_generation_config", [](const Copy& copy) { copy.write("generation_config.json", "{"); },
            "generation_config.json:1:"},
        Bad{"stop_token_is_text", [](const Copy& copy) { copy.edit_config(R"({"eos_token_id": ["</s>"]})"); },
            "/eos_token_id is"},
        Bad{"wrong_layers", [](const Copy& copy) { copy.edit_config(R"({"num_hidden_layers": 3})"); },
            "tensor model.layers.2.input_layernorm.weight [32] is missing"},
        Bad{"wrong_width", [](const Copy& copy) { copy.edit_config(R"({"intermediate_size": 41})"); },
            "tensor model.layers.0.mlp.gate_proj.weight is [40, 32], but config.json means [41, 32]"},
        Bad{"wrong_vocabulary", [](const Copy& copy) { copy.edit_config(R"({"vocab_size": 81})"); },
            "tensor model.embed_tokens.weight is [80, 32]"},
        Bad{"missing_tensor", [](const Copy& copy) { copy.edit_weights(kReplace(kQuery, at::Tensor())); },
            "q_proj.weight [32, 32] is missing"},
        Bad{"missing_bias",
            [](const Copy& copy) {
              copy.edit_weights(kReplace("model.layers.0.mlp.up_proj.bias", at::Tensor()));
            },
            "tensor model.layers.0.mlp.up_proj.bias [40] is missing"},
        Bad{"missing_head",
            [](const Copy& copy) { copy.edit_weights(kReplace("lm_head.weight", at::Tensor())); },
            "tensor lm_head.weight is missing, and config.json does not tie the head"},
        Bad{"wrong_shape",
            [](const Copy& copy) {
              copy.edit_weights(kReplace(kQuery, at::zeros({32, 31})));
            },
            "q_proj.weight is [32, 31], but config.json means [32, 32]"},
        Bad{"integers",
            [](const Copy& copy) {
              copy.edit_weights(kReplace(kQuery, at::zeros({32, 32}, at::kInt)));
            },
            "q_proj.weight is I32, expected F32"},
        Bad{"gptq_without_a_config",
            [](const Copy& copy) {
              copy.edit_weights([](NamedTensor& tensor) {
                if (tensor.name == kQuery)
                  tensor = {"model.layers.1.self_attn.q_proj.qweight", at::zeros({4, 32}, at::kInt)};
              });
            },
            "q_proj.weight [32, 32] is missing; model.layers.1.self_attn.q_proj.qweight is there, so these "
            "weights look quantised, which hrt does not read"},
        Bad{"bitsandbytes_without_a_config",
            [](const Copy& copy) {
              copy.edit_weights([](NamedTensor& tensor) {
                if (tensor.name == kQuery) tensor.tensor = at::zeros({512, 1}, at::kByte);
                if (tensor.name == "model.layers.1.self_attn.q_proj.bias")
                  tensor.name = std::string(kQuery) + ".absmax";
              });
            },
            "q_proj.weight is [512, 1], but config.json means [32, 32]; "
            "model.layers.1.self_attn.q_proj.weight.absmax is there"},
        Bad{"missing_piece",
            [](const Copy& copy) {
              fs::rename(copy / "model.safetensors", copy / "one.safetensors");
              copy.write("model.safetensors.index.json",
                         R"({"weight_map": {"model.norm.weight": "one.safetensors", "x": "two.safetensors"}})");
            },
            "model.safetensors.index.json: /weight_map names two.safetensors, which is not in the folder"},
        Bad{"truncated", [](const Copy& copy) { fs::resize_file(copy / "model.safetensors", 50'000); },
            "truncated"}),
    [](const ::testing::TestParamInfo<Bad>& bad) { return std::string(bad.param.name); });

}  // namespace
}  // namespace hrt
