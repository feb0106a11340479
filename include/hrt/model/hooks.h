#pragma once

#include <ATen/core/Tensor.h>

#include <concepts>
#include <cstdint>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace hrt {

// A named place in the decoder. Layers are numbered 0..L-1.
enum class Site {
  kBlockInput,  // residual stream before block `layer`: row l of the contract; layer == L: output of the last
  // What attention and MLP add to the residual stream, as it is added: after a norm behind them (Gemma 2,
  // OLMo 2) or a multiplier (Granite). Where both read the same stream (GPT-NeoX, Cohere), changing what the
  // attention adds does not reach the same block's MLP.
  kAttentionOutput,
  kMlpOutput,
};

struct HookPoint {
  std::int64_t layer = 0;
  Site site = Site::kBlockInput;
  bool operator==(const HookPoint&) const = default;
};

// The number of the sequence that stands for a prefix shared by several sequences and computed once.
inline constexpr std::int64_t kSharedPrefix = -1;

// Which packed row is which token: row i belongs to sequence `sequence[i]` (the caller's number) at token
// index `position[i]` of that sequence. Rows of one sequence are adjacent and ascending. `jobs[i]`: how many
// jobs the row is computed for, more than one where they share it. CPU vectors, [tokens].
struct TokenMap {
  std::vector<std::int64_t> sequence;
  std::vector<std::int64_t> position;
  std::vector<std::int64_t> jobs;
  std::int64_t size() const { return static_cast<std::int64_t>(sequence.size()); }
};

// A callback that sees, and may change in place, `values` [tokens, hidden] at `point`.
class Hook {
 public:
  using Action = std::function<void(const HookPoint& point, const TokenMap& tokens, at::Tensor& values)>;
  using Filter = std::function<bool(const HookPoint& point)>;

  template <typename F>
  requires(std::invocable<F&, const HookPoint&, const TokenMap&, at::Tensor&> &&
           !std::same_as<std::remove_cvref_t<F>, Hook>) Hook(F&& action)
      : action_(std::forward<F>(action)) {}  // NOLINT: a lambda is a hook, at every point
  Hook(Filter filter, Action action) : filter_(std::move(filter)), action_(std::move(action)) {}

  bool wants(const HookPoint& point) const { return !filter_ || filter_(point); }
  void operator()(const HookPoint& point, const TokenMap& tokens, at::Tensor& values) const {
    action_(point, tokens, values);
  }

 private:
  Filter filter_;
  Action action_;
};

// Whether any of `hooks` wants `point`; the decoder takes its fused path where none does.
bool any_wants(std::span<const Hook> hooks, const HookPoint& point);

// Calls, in order, those of `hooks` that want `point`.
void run_hooks(std::span<const Hook> hooks, const HookPoint& point, const TokenMap& tokens,
               at::Tensor& values);

}  // namespace hrt
