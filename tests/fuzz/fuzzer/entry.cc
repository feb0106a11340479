// libFuzzer's entry: the target that this executable was built for.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const hrt::fuzz::Target& target =
      *std::ranges::find(hrt::fuzz::targets(), HRT_FUZZ_TARGET, &hrt::fuzz::Target::name);
  target.run({reinterpret_cast<const char*>(data), size});
  return 0;
}
