#include "hrt/model/device.h"

#include <ATen/Context.h>

#include <array>
#include <charconv>
#include <utility>

#include "hrt/base/error.h"

namespace hrt {

namespace {

constexpr std::array kDtypes{std::pair{std::string_view("float32"), at::kFloat},
                             std::pair{std::string_view("bfloat16"), at::kBFloat16},
                             std::pair{std::string_view("float16"), at::kHalf}};

int gpus() { return at::hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0; }

at::Device gpu(int index, std::string_view name) {
  if (gpus() == 0)
    throw InputError("--device {}: there is no CUDA device here, or torch was built without CUDA", name);
  if (index >= gpus())
    throw InputError("--device {}: there are {} CUDA devices, numbered from 0", name, gpus());
  return {at::kCUDA, static_cast<at::DeviceIndex>(index)};
}

}  // namespace

at::Device parse_device(std::string_view name) {
  if (name == "cpu") return at::kCPU;
  if (name == "auto") return gpus() > 0 ? gpu(0, name) : at::Device(at::kCPU);
  if (name == "cuda") return gpu(0, name);
  const std::string_view prefix = "cuda:";
  if (name.starts_with(prefix)) {
    int index = -1;
    const char* end = name.data() + name.size();
    const auto [rest, error] = std::from_chars(name.data() + prefix.size(), end, index);
    if (error == std::errc() && rest == end && index >= 0) return gpu(index, name);
  }
  throw InputError("--device {}: expected auto, cpu, cuda or cuda:N", name);
}

at::ScalarType parse_dtype(std::string_view name, at::Device device) {
  if (name == "auto") return device.is_cpu() ? at::kFloat : at::kBFloat16;
  for (const auto& [spelling, dtype] : kDtypes) {
    if (name == spelling) return dtype;
  }
  throw InputError("--dtype {}: expected auto, float32, bfloat16 or float16", name);
}

std::string_view dtype_name(at::ScalarType dtype) {
  for (const auto& [spelling, known] : kDtypes) {
    if (dtype == known) return spelling;
  }
  throw InputError("dtype {} is none that a decoder runs in", c10::toString(dtype));
}

}  // namespace hrt
