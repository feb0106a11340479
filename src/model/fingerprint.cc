#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>

#include "hrt/base/file.h"
#include "hrt/base/hash.h"
#include "hrt/model/checkpoint.h"
#include "hrt/tensor/safetensors.h"

namespace hrt {
namespace {

// Everything beside the weights that decides what comes out.
constexpr std::string_view kFiles[] = {"config.json",
                                       "generation_config.json",
                                       "tokenizer.json",
                                       "tokenizer.model",
                                       "tokenizer_config.json",
                                       "special_tokens_map.json",
                                       "added_tokens.json",
                                       "vocab.json",
                                       "merges.txt",
                                       "chat_template.jinja",
                                       "chat_template.json"};

// A sample touches a page of a file that may lie on a slow disk; edits of weights change most of their bytes.
constexpr std::size_t kSamples = 16;
constexpr std::size_t kSampleBytes = 64;

void add_file(const std::filesystem::path& file, Sha256& hash) {
  if (!std::filesystem::exists(file)) return;
  const std::string content = read_file(file);
  hash.update(fmt::format("{} {}\n", file.filename().string(), content.size()));
  hash.update(content);
}

void add_samples(const std::byte* data, std::size_t size, Sha256& hash) {
  if (size <= kSamples * kSampleBytes) return hash.update(data, size);
  for (std::size_t i = 0; i < kSamples; ++i) {
    // The first sample begins the tensor, the last one ends it.
    hash.update(data + (size - kSampleBytes) / (kSamples - 1) * i, kSampleBytes);
  }
}

void add_tensor(const WeightFiles& weights, const TensorLayout& info, bool full, Sha256& hash) {
  hash.update(
      fmt::format("{} {} {}\n", info.name, safetensors_dtype(info.dtype), fmt::join(info.shape, ",")));
  const at::Tensor tensor = weights.tensor(info.name);
  const auto* data = static_cast<const std::byte*>(tensor.const_data_ptr());
  if (full) {
    hash.update(data, tensor.nbytes());
    weights.release(info.name);
  } else {
    add_samples(data, tensor.nbytes(), hash);
  }
}

}  // namespace

std::string Checkpoint::fingerprint(bool full) const {
  Sha256 hash;
  for (const std::string_view name : kFiles) add_file(folder_ / name, hash);
  for (const TensorLayout& info : weights_->tensors()) add_tensor(*weights_, info, full, hash);
  if (adapter_) adapter_->add_to(hash);
  return hash.hex();
}

}  // namespace hrt
