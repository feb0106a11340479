#pragma once

#include <string>
#include <vector>

#include "hrt/tensor/safetensors.h"
#include "pickle_value.h"

namespace hrt::pickle {

// What a pickle holds, by name: the way to it through dictionaries (keys), lists and tuples (indices), joined
// by dots.
struct NamedValues {
  std::vector<std::pair<std::string, const Tensor*>> tensors;  // in order; names may repeat
  Metadata metadata;                                           // numbers and texts in dictionaries
};

// A root that is a tensor itself is called "tensor". Throws Malformed: too deep (or circular), too much,
// keys that no name can be made of.
NamedValues name_values(const Value& root);

}  // namespace hrt::pickle
