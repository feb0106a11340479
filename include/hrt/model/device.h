#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <string_view>

namespace hrt {

// "auto" (the first GPU, else the CPU), "cpu", "cuda" or "cuda:N". Throws InputError for another spelling, or
// a device that this machine or this build of torch does not have.
at::Device parse_device(std::string_view name);

// "auto" (float32 on the CPU, bfloat16 on CUDA), "float32", "bfloat16" or "float16". Throws InputError.
at::ScalarType parse_dtype(std::string_view name, at::Device device);

// "float32", "bfloat16", "float16"
std::string_view dtype_name(at::ScalarType dtype);

}  // namespace hrt
