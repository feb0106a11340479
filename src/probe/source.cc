#include "hrt/probe/source.h"

#include <algorithm>

#include "hrt/base/error.h"
#include "run_source.h"
#include "tensor_source.h"

namespace hrt {

bool ProbeSource::has(const std::string& position) const {
  const std::vector<std::string> there = positions();
  return std::ranges::find(there, position) != there.end();
}

std::unique_ptr<ProbeSource> open_source(const Json& config) {
  if (config.at("tensors").is_null()) return std::make_unique<RunSource>(config);
  if (!config.at("runs").empty()) throw InputError("/tensors and RUN exclude each other");
  return std::make_unique<TensorSource>(config);
}

}  // namespace hrt
