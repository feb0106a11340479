#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hrt/model/decoder_spec.h"
#include "hrt/model/families.h"
#include "hrt/tensor/weight_files.h"

namespace hrt {

struct ExpectedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  // MXFP4: two parameters in each byte; the scales of 32 of them.
  enum class Kind { kFloating, kMxfp4Blocks, kMxfp4Scales };
  Kind kind = Kind::kFloating;

  std::int64_t parameters() const;
};

// Every tensor that `names` names, once, with the shape that `spec` implies.
std::vector<ExpectedTensor> expected_tensors(const DecoderSpec& spec, const WeightNames& names);

// Throws InputError naming file and tensor when one is missing, has another shape, or is of another kind.
// `file` is where a missing one would be.
void check_weights(const WeightFiles& weights, const std::vector<ExpectedTensor>& expected,
                   const std::filesystem::path& file);

// Tensors in the files that are neither expected nor end like one of `buffers`.
std::vector<std::string> extra_tensors(const WeightFiles& weights,
                                       const std::vector<ExpectedTensor>& expected,
                                       std::span<const std::string_view> buffers);

}  // namespace hrt
