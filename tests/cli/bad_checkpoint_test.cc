#include <ATen/ops/full.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <functional>
#include <limits>

#include "hrt/base/json.h"
#include "hrt/base/strings.h"
#include "hrt/tensor/safetensors.h"
#include "hrt_process.h"

namespace hrt::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// A copy of a good checkpoint, spoiled in one way: one line, exit code 2, nothing that looks complete.
class BadCheckpoint : public ::testing::Test {
 protected:
  BadCheckpoint()
      : model_(folder_.path() / "model"), prompts_(folder_.write("p.jsonl", token_prompts(4, 3, 80))) {}

  void expect(const char* name, const std::function<void()>& spoil, const std::string& message) const {
    fs::remove_all(model_);
    fs::copy(tiny_checkpoint("llama-gqa-tied"), model_);
    spoil();
    const ProcessResult result =
        run_hrt({"extract", "--model", model_.string(), "--prompts", prompts_, "--template", "raw",
                 "--device", "cpu", "--out", folder_ / "run", "--overwrite"});
    EXPECT_EQ(result.code, 2) << name << ": " << result.err;
    const std::vector<std::string> lines = split(std::string(trim(result.err)), '\n');
    EXPECT_THAT(lines.back(), HasSubstr(message)) << name;
    EXPECT_THAT(lines.back(), ::testing::StartsWith("hrt: error: ")) << name;
    const std::string manifest = read_text(folder_.path() / "run/manifest.json");
    EXPECT_THAT(manifest, ::testing::Not(HasSubstr("\"complete\""))) << name;
  }

  void edit_config(const std::string& key, const Json& value) const {
    Json config = read_json(model_ / "config.json");
    config[key] = value;
    folder_.write("model/config.json", config.dump());
  }

  // Writes the weights again with a change; a tensor that becomes undefined is left out.
  void edit_weights(const std::function<void(NamedTensor&)>& change) const {
    std::vector<NamedTensor> tensors;
    {
      const SafetensorsFile weights(model_ / "model.safetensors");
      for (const TensorInfo& info : weights.tensors()) {
        NamedTensor tensor{info.name, weights.tensor(info.name).clone()};
        change(tensor);
        if (tensor.tensor.defined()) tensors.push_back(tensor);
      }
    }
    write_safetensors(model_ / "model.safetensors", tensors);
  }

  void edit_tensor(const std::string& name, const std::function<at::Tensor(at::Tensor)>& change) const {
    edit_weights([&](NamedTensor& t) {
      if (t.name == name) t.tensor = change(t.tensor);
    });
  }

  std::string weight_bytes() const { return read_text(model_ / "model.safetensors"); }

  TemporaryFolder folder_;
  fs::path model_;
  std::string prompts_;
};

constexpr const char* kQuery = "model.layers.1.self_attn.q_proj.weight";

TEST_F(BadCheckpoint, Config) {
  expect(
      "broken", [&] { folder_.write("model/config.json", "{\"model_type\": "); }, "config.json:1:");
  expect(
      "absent", [&] { fs::remove(model_ / "config.json"); }, "config.json");
  expect(
      "family", [&] { edit_config("model_type", "mamba"); }, "mamba");
  expect(
      "rope",
      [&] {
        edit_config("rope_scaling", {{"rope_type", "spiral"}, {"factor", 2.0}});
      },
      "spiral");
  expect(
      "text for a number", [&] { edit_config("hidden_size", "32"); }, "/hidden_size");
  expect(
      "absurd", [&] { edit_config("num_hidden_layers", 1000000000000000000); }, "/num_hidden_layers");
  expect(
      "negative", [&] { edit_config("num_attention_heads", -4); }, "/num_attention_heads");
  expect(
      "quantised",
      [&] {
        edit_config("quantization_config", {{"quant_method", "gptq"}});
      },
      "gptq");
}

TEST_F(BadCheckpoint, Weights) {
  expect(
      "absent", [&] { fs::remove(model_ / "model.safetensors"); }, "safetensors");
  expect(
      "truncated", [&] { folder_.write("model/model.safetensors", weight_bytes().substr(0, 20'000)); },
      "truncated");
  expect(
      "not safetensors", [&] { folder_.write("model/model.safetensors", "PK\x03\x04 a zip"); },
      "safetensors");
  expect(
      "longer", [&] { folder_.write("model/model.safetensors", weight_bytes() + "x"); },
      "after the last tensor");
  expect(
      "missing tensor", [&] { edit_tensor(kQuery, [](auto) { return at::Tensor(); }); }, kQuery);
  expect(
      "wrong shape", [&] { edit_tensor(kQuery, [](auto t) { return t.slice(0, 0, 16); }); }, kQuery);
  expect(
      "integers", [&] { edit_tensor(kQuery, [](auto t) { return t.to(at::kInt); }); }, kQuery);
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  expect(
      "NaN", [&] { edit_tensor(kQuery, [](auto t) { return at::full(t.sizes(), kNan); }); }, kQuery);
}

}  // namespace
}  // namespace hrt::testing
