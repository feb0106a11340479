#include "hrt/experiment/open_checkpoint.h"

#include "hrt/experiment/config.h"

namespace hrt {

Checkpoint open_checkpoint(const Json& config) {
  return {resolve_model(config),
          {.strict_config = config.at("strict_config").get<bool>(), .adapter = resolve_adapter(config)}};
}

}  // namespace hrt
