#include "hrt/experiment/versions.h"

#include <ATen/Context.h>
#include <torch/headeronly/version.h>
#include <unicode/uvernum.h>

namespace hrt {

Json versions() {
  const bool cuda = at::globalContext().hasCUDA();
  return {{"hrt", HRT_VERSION},
          {"torch", TORCH_VERSION},
          {"cuda", cuda ? Json(at::detail::getCUDAHooks().versionCUDART()) : Json()},
          {"icu", U_ICU_VERSION}};
}

}  // namespace hrt
