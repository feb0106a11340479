#include "hrt/model/adapter.h"

#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

#include "golden.h"
#include "hrt/base/error.h"
#include "hrt/model/checkpoint.h"
#include "model/golden_folders.h"
#include "temporary_folder.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// Written by tools/dev/make_adapter_goldens.py.
const fs::path kAdapters = fs::path(HRT_SOURCE_DIR) / "tests/model/adapters";

std::vector<std::string> adapter_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kAdapters)) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

fs::path base_of(const fs::path& adapter) {
  return golden_folder(read_json(adapter / "adapter_config.json").at("base_model_name_or_path"));
}

Checkpoint with_adapter(const fs::path& adapter) { return {base_of(adapter), {.adapter = adapter}}; }

std::string print_of(const fs::path& adapter) { return with_adapter(adapter).fingerprint(); }

class AdapterParity : public ::testing::TestWithParam<std::string> {};

TEST_P(AdapterParity, RowsAndLogitsAreThoseOfPeft) {
  const fs::path folder = kAdapters / GetParam();
  const Decoder decoder(with_adapter(folder), {.device = at::kCPU, .dtype = at::kFloat, .progress = {}});
  const SafetensorsFile golden(folder / "golden.safetensors");
  EngineOptions options;
  options.logits = true;
  options.rows.resize(static_cast<std::size_t>(decoder.spec().layers + 1));
  std::iota(options.rows.begin(), options.rows.end(), 0);
  for (int i = 0; i < 2; ++i) {
    const at::Tensor tokens = golden.tensor(fmt::format("prompt.{}.tokens", i));
    const auto* ids = tokens.const_data_ptr<std::int64_t>();
    std::vector<Job> jobs(1);
    Job& job = jobs.front();
    job.tokens.assign(ids, ids + tokens.numel());
    job.capture.resize(job.tokens.size());
    std::iota(job.capture.begin(), job.capture.end(), 0);
    const JobResult result = run_jobs(decoder, jobs, options).front();
    const at::Tensor rows = golden.tensor(fmt::format("prompt.{}.rows", i)).transpose(0, 1);
    EXPECT_LE(test::worst_difference(result.rows, rows), 2e-5);
    EXPECT_LE(test::worst_difference(result.logits, golden.tensor(fmt::format("prompt.{}.logits", i))), 2e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(Tiny, AdapterParity, ::testing::ValuesIn(adapter_names()), [](const auto& test) {
  std::string name = test.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

// A copy of an adapter that the test may change.
class AdapterCopy {
 public:
  explicit AdapterCopy(const std::string& name) { fs::copy(kAdapters / name, folder_.path()); }
  const fs::path& folder() const { return folder_.path(); }
  void edit_config(std::string_view changes) const {
    Json config = read_json(folder() / "adapter_config.json");
    config.update(Json::parse(changes));
    write_file(folder() / "adapter_config.json", config.dump());
  }
  // `change` may alter a tensor and its name, or undefine it to leave it out.
  void edit_tensors(const std::function<void(NamedTensor&)>& change) const {
    std::vector<NamedTensor> tensors;
    const fs::path file = folder() / "adapter_model.safetensors";
    {
      const SafetensorsFile stored(file);
      for (const TensorInfo& info : stored.tensors()) {
        NamedTensor tensor{info.name, stored.tensor(info.name).clone()};
        change(tensor);
        if (tensor.tensor.defined()) tensors.push_back(tensor);
      }
    }
    write_safetensors(file, tensors);
  }

 private:
  TemporaryFolder folder_;
};

TEST(Adapter, SaysWhatItChanges) {
  const Checkpoint checkpoint = with_adapter(kAdapters / "regex-patterns");
  ASSERT_TRUE(checkpoint.adapter());
  const Json described = checkpoint.adapter()->describe();
  EXPECT_EQ(described.at("maps"), 8);
  EXPECT_EQ(described.at("ranks"), Json({2, 4, 7}));
  EXPECT_EQ(described.at("base_model"), "qwen3-bias");
}

// The files of a multimodal checkpoint call a module otherwise than transformers 5 does, in which the adapter
// was made.
TEST(Adapter, ModulesHaveTheNamesOfTransformers) {
  const AdapterCopy copy("list");
  copy.edit_config(R"({"target_modules": ["o_proj"], "layers_to_transform": null, "r": 1})");
  const std::string module = "base_model.model.model.language_model.layers.0.self_attn.o_proj.";
  write_safetensors(
      copy.folder() / "adapter_model.safetensors",
      {{module + "lora_A.weight", at::ones({1, 32})}, {module + "lora_B.weight", at::ones({32, 1})}});
  const Checkpoint checkpoint(golden_folder("gemma3-multimodal-hub"), {.adapter = copy.folder()});
  EXPECT_TRUE(checkpoint.adapter()->update("language_model.model.layers.0.self_attn.o_proj.weight"));
}

TEST(Adapter, IsPartOfTheFingerprint) {
  const AdapterCopy copy("list");
  const std::string print = print_of(copy.folder());
  EXPECT_NE(print, Checkpoint(base_of(copy.folder())).fingerprint());
  copy.edit_config(R"({"peft_version": "0", "lora_dropout": 0.5})");
  EXPECT_EQ(print_of(copy.folder()), print);
  copy.edit_config(R"({"lora_alpha": 9})");
  EXPECT_NE(print_of(copy.folder()), print);
  copy.edit_config(R"({"lora_alpha": 8})");
  copy.edit_tensors([](NamedTensor& t) { t.tensor.view({-1})[3].add_(1e-3); });
  EXPECT_NE(print_of(copy.folder()), print);
}

TEST(Adapter, WithoutEffectLeavesTheBase) {
  const AdapterCopy copy("gpt2");
  copy.edit_config(R"({"lora_alpha": 0})");
  const test::TinyModel base("gpt2-hub");
  const Decoder decoder(with_adapter(copy.folder()),
                        {.device = at::kCPU, .dtype = at::kFloat, .progress = {}});
  const auto expected = run_jobs(base.decoder, base.jobs(), base.everything());
  const auto results = run_jobs(decoder, base.jobs(), base.everything());
  for (std::size_t i = 0; i < results.size(); ++i) EXPECT_TRUE(results[i].rows.equal(expected[i].rows));
}

TEST(Adapter, OfOldPeftIsTakenWithoutNewKeys) {
  const AdapterCopy copy("list");
  write_file(copy.folder() / "adapter_config.json",
             R"({"peft_type": "LORA", "base_model_name_or_path": "llama-gqa-tied",
    "bias": "none", "fan_in_fan_out": false, "inference_mode": true, "init_lora_weights": true, "lora_alpha": 8,
    "lora_dropout": 0.05, "modules_to_save": null, "r": 4, "target_modules": ["q_proj", "v_proj", "down_proj"],
    "task_type": "CAUSAL_LM", "layers_to_transform": [0, 2], "layers_pattern": "layers"})");
  EXPECT_EQ(print_of(copy.folder()), print_of(kAdapters / "list"));
}

struct BadAdapter {
  const char* name;
  std::function<void(const AdapterCopy&)> spoil;
  const char* message;  // a part of it
};

BadAdapter with_config(const char* name, const char* changes, const char* message) {
  return {name, [changes](const AdapterCopy& copy) { copy.edit_config(changes); }, message};
}

BadAdapter with_tensors(const char* name, std::function<void(NamedTensor&)> change, const char* message) {
  return {name, [change = std::move(change)](const AdapterCopy& copy) { copy.edit_tensors(change); },
          message};
}

const std::string kFirst = "base_model.model.model.layers.0.mlp.down_proj.lora_A.weight";

std::vector<BadAdapter> bad_adapters() {
  const auto rename = [](const char* to) {
    return [to](NamedTensor& t) {
      if (t.name == kFirst) t.name = to;
    };
  };
  return {
      {"no_config", [](const AdapterCopy& copy) { fs::remove(copy.folder() / "adapter_config.json"); },
       "no adapter_config.json, so no PEFT adapter"},
      {"no_weights", [](const AdapterCopy& copy) { fs::remove(copy.folder() / "adapter_model.safetensors"); },
       "neither adapter_model.safetensors nor adapter_model.bin"},
      with_config("ia3", R"({"peft_type": "IA3"})",
                  "/peft_type: \"IA3\", but hrt merges only LORA adapters; merge it in peft"),
      with_config("prompts", R"({"peft_type": "PROMPT_TUNING"})",
                  "but hrt merges only LORA adapters, and this kind changes no weights"),
      with_config(
          "dora", R"({"use_dora": true})",
          "/use_dora is true, but hrt supports only false here; merge it in peft (merge_and_unload(), "
          "then save_pretrained()) and give the merged folder to --model"),
      with_config("bias", R"({"bias": "lora_only"})",
                  "/bias is \"lora_only\", but hrt supports only \"none\""),
      with_config("lora_bias", R"({"lora_bias": true})", "/lora_bias is true"),
      with_config("modules_to_save", R"({"modules_to_save": ["lm_head"]})",
                  "/modules_to_save is [\"lm_head\"], but hrt supports only null here; merge it"),
      with_config("trained_tokens", R"({"trainable_token_indices": [1]})", "/trainable_token_indices is [1]"),
      with_config("parameters", R"({"target_parameters": ["experts"]})", "/target_parameters is"),
      with_config("new_key", R"({"use_magic": true})",
                  "/use_magic is true, which hrt does not know; merge it"),
      with_config("pissa", R"({"init_lora_weights": "pissa_niter_4"})",
                  "/init_lora_weights is \"pissa_niter_4\", which changes the base model's weights"),
      with_config("no_targets", R"({"target_modules": null})", "/target_modules is missing"),
      with_config("broken_regex", R"({"target_modules": "(q_proj"})",
                  "/target_modules: not a valid regular expression"),
      with_config("endless_regex", R"({"target_modules": "(.*)*(.*)*(.*)*(.*)*(.*)*x"})",
                  "takes too much time or memory"),
      with_config("targets", R"({"target_modules": ["q_proj", "v_proj"]})",
                  "down_proj.lora_A.weight is of a module that adapter_config.json does not target"),
      with_config("excluded", R"({"exclude_modules": "model.layers.2.self_attn.q_proj"})",
                  "layers.2.self_attn.q_proj.lora_A.weight is of a module"),
      with_config("layers", R"({"layers_to_transform": 0})",
                  "layers.2.mlp.down_proj.lora_A.weight is of a module"),
      with_config("rank", R"({"r": 5})", "lora_A.weight is [4, 40], expected [5, 40]"),
      with_config("rank_of_nothing", R"({"r": null})", "/r is null, expected a number"),
      with_config("alpha_of_nothing", R"({"lora_alpha": null})", "/lora_alpha is null, expected a number"),
      with_config("negative_rank", R"({"r": -1})", "/r is -1"),
      with_config("pattern", R"({"alpha_pattern": {"q_proj": "8"}})",
                  "/alpha_pattern/q_proj must be a finite number"),
      with_tensors("unknown_module", rename("base_model.model.model.layers.0.mlp.magic.lora_A.weight"),
                   "tensor base_model.model.model.layers.0.mlp.magic.lora_A.weight has no place"),
      with_tensors("layer_too_many", rename("base_model.model.model.layers.3.mlp.down_proj.lora_A.weight"),
                   "layers.3.mlp.down_proj.lora_A.weight has no place"),
      with_tensors("tied_head", rename("base_model.model.lm_head.lora_A.weight"),
                   "lm_head.lora_A.weight has no place"),
      with_tensors("embedding", rename("base_model.model.model.embed_tokens.lora_embedding_A"),
                   "embed_tokens.lora_embedding_A has no place"),
      with_tensors("magnitude", rename("base_model.model.model.layers.0.mlp.down_proj.lora_magnitude_vector"),
                   "lora_magnitude_vector has no place"),
      with_tensors("without_prefix", rename("model.layers.0.mlp.down_proj.lora_A.weight"), "has no place"),
      with_tensors(
          "half",
          [](NamedTensor& t) {
            if (t.name == kFirst) t.tensor = at::Tensor();
          },
          "down_proj.lora_B.weight is there without"),
      with_tensors(
          "transposed",
          [](NamedTensor& t) {
            if (t.name == kFirst) t.tensor = t.tensor.t().contiguous();
          },
          "down_proj.lora_A.weight is [40, 4], expected [4, 40] for this model and rank"),
      with_tensors(
          "integers", [](NamedTensor& t) { t.tensor = t.tensor.to(at::kInt); }, "is not floating"),
      with_tensors(
          "empty", [](NamedTensor& t) { t.tensor = at::Tensor(); }, "holds no tensor"),
  };
}

TEST(Adapter, WhatCannotBeMergedIsRefusedInOneLine) {
  for (const BadAdapter& bad : bad_adapters()) {
    SCOPED_TRACE(bad.name);
    const AdapterCopy copy("list");
    const fs::path base = base_of(copy.folder());
    bad.spoil(copy);
    try {
      const Checkpoint checkpoint(base, {.adapter = copy.folder()});
      ADD_FAILURE() << "taken";
    } catch (const InputError& error) {
      const std::string message = error.what();
      EXPECT_THAT(message, HasSubstr(bad.message));
      EXPECT_THAT(message, HasSubstr(copy.folder().string()));
      EXPECT_EQ(message.find('\n'), std::string::npos);
    }
  }
}

TEST(Adapter, NonFiniteNumbersAreRefusedByName) {
  const AdapterCopy copy("list");
  copy.edit_tensors([](NamedTensor& t) {
    if (t.name == kFirst) t.tensor = at::full(t.tensor.sizes(), std::numeric_limits<float>::infinity());
  });
  const Checkpoint checkpoint = with_adapter(copy.folder());
  try {
    const Decoder decoder(checkpoint, {});
    ADD_FAILURE() << "loaded";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr(kFirst + " holds NaN or infinity"));
  }
}

}  // namespace
}  // namespace hrt
