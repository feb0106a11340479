#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "hrt/model/checkpoint.h"

namespace hrt {

// Replaced by the model module.
class Decoder;

}  // namespace hrt
