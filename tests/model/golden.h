#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "hrt/model/checkpoint.h"
#include "hrt/model/decoder.h"
#include "hrt/model/engine.h"
#include "hrt/tensor/safetensors.h"

namespace hrt::test {

std::filesystem::path goldens_folder();
std::vector<std::string> golden_names();

// One prompt of a tiny checkpoint and what transformers computes from it, see
// tools/dev/make_tiny_checkpoints.py.
struct Golden {
  std::vector<std::int64_t> tokens;
  std::vector<std::int64_t> index;  // tokens whose rows are known
  at::Tensor rows;                  // [index, L+1, hidden]
  at::Tensor logits;                // [vocabulary]
  std::vector<std::int64_t> reply;
};

// A tiny checkpoint, loaded, with its goldens.
struct TinyModel {
  explicit TinyModel(const std::string& name, at::ScalarType dtype = at::kFloat);

  // All prompts, everything asked for: rows at `index`, logits, replies.
  std::vector<Job> jobs() const;
  EngineOptions everything() const;

  Checkpoint checkpoint;
  Decoder decoder;
  std::vector<Golden> goldens;
  double bfloat16_difference;  // transformers' own, see weights_test.cc
};

// The largest |a - b| / |b| over the vectors in the last dimension.
double worst_difference(const at::Tensor& a, const at::Tensor& b);

}  // namespace hrt::test
