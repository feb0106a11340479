#include "hrt/model/hooks.h"

#include <algorithm>

namespace hrt {

bool any_wants(std::span<const Hook> hooks, const HookPoint& point) {
  return std::ranges::any_of(hooks, [&](const Hook& hook) { return hook.wants(point); });
}

void run_hooks(std::span<const Hook> hooks, const HookPoint& point, const TokenMap& tokens,
               at::Tensor& values) {
  for (const Hook& hook : hooks) {
    if (hook.wants(point)) hook(point, tokens, values);
  }
}

}  // namespace hrt
