#pragma once

#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/model/decoder_spec.h"
#include "hrt/model/families.h"

namespace hrt {

// A way in which a decoder computes unlike Llama's, or lies in its files unlike Llama's.
struct SpecAxis {
  std::string name;
  Json value;
  std::string text;  // for people
};

// None for Llama itself. Sizes, activation, biases, windows and the head are not among them.
std::vector<SpecAxis> axes_unlike_llama(const DecoderSpec& spec, const WeightNames& names);

}  // namespace hrt
