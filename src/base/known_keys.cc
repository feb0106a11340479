#include "hrt/base/known_keys.h"

#include <algorithm>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {

void check_known_keys(const JsonObject& object, const std::vector<std::string>& known) {
  for (const auto& [key, value] : object.raw().items()) {
    if (std::ranges::find(known, key) == known.end())
      throw InputError("{} is not known here{}", object.where(key), did_you_mean(key, known));
  }
}

}  // namespace hrt
