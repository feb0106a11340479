#include <ATen/Parallel.h>

#include <cmath>

#include "kernels.h"
#include "simd.h"

namespace hrt {

namespace {

using simd::kWidth;
using simd::Vec;

// Floats that are worth a second thread.
constexpr std::int64_t kGrain = 16384;

// Calls body(begin, end) on ranges of rows of `width` floats, in parallel.
template <typename Body>
void over_rows(std::int64_t rows, std::int64_t width, const Body& body) {
  at::parallel_for(0, rows, std::max<std::int64_t>(1, kGrain / width), body);
}

HRT_INLINE Vec load_up_to(const float* from, std::int64_t count) {
  return count < kWidth ? simd::load_some(from, count) : simd::load(from);
}

HRT_INLINE void store_up_to(float* to, const Vec& value, std::int64_t count) {
  count < kWidth ? simd::store_some(to, value, count) : simd::store(to, value);
}

struct NormRows {
  float* residual;
  const float* delta;  // or nullptr
  const float* weight;
  float* out;
  std::int64_t width;
  float eps;
};

// out = x / rms(x) * weight; `out` may be `x`.
HRT_INLINE void normalize(const float* x, const Vec& squares, const float* weight, std::int64_t width,
                          float eps, float* out) {
  const float scale = 1.0F / std::sqrt(simd::sum(squares) / static_cast<float>(width) + eps);
  for (std::int64_t i = 0; i < width; i += kWidth) {
    const std::int64_t left = width - i;
    store_up_to(out + i, load_up_to(x + i, left) * scale * load_up_to(weight + i, left), left);
  }
}

HRT_INLINE Vec sum_squares(const float* x, std::int64_t width) {
  Vec squares{};
  for (std::int64_t i = 0; i < width; i += kWidth) {
    const Vec value = load_up_to(x + i, width - i);
    squares += value * value;
  }
  return squares;
}

// The same order of sums with and without delta: a hook that needs the sum early must not change a bit.
HRT_CLONES void norm_rows(const NormRows& job, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) {
    float* x = job.residual + row * job.width;
    Vec squares{};
    if (job.delta != nullptr) {
      const float* delta = job.delta + row * job.width;
      for (std::int64_t i = 0; i < job.width; i += kWidth) {
        const Vec value = load_up_to(x + i, job.width - i) + load_up_to(delta + i, job.width - i);
        store_up_to(x + i, value, job.width - i);
        squares += value * value;
      }
    } else {
      squares = sum_squares(x, job.width);
    }
    normalize(x, squares, job.weight, job.width, job.eps, job.out + row * job.width);
  }
}

struct NormGroups {
  float* x;
  std::int64_t groups;
  std::int64_t row_stride;
  std::int64_t group_stride;
  const float* weight;
  std::int64_t width;
  float eps;
};

HRT_CLONES void norm_groups_of(const NormGroups& job, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) {
    for (std::int64_t group = 0; group < job.groups; ++group) {
      float* x = job.x + row * job.row_stride + group * job.group_stride;
      normalize(x, sum_squares(x, job.width), job.weight, job.width, job.eps, x);
    }
  }
}

HRT_INLINE Vec sigmoid(const Vec& x) { return 1.0F / (1.0F + simd::exp(-x)); }

HRT_INLINE Vec exact_gelu(const Vec& x) {
  Vec result;
  for (std::int64_t i = 0; i < kWidth; ++i) {
    result[i] = x[i] * 0.5F * (1.0F + std::erf(x[i] * 0.70710678118654752F));
  }
  return result;
}

template <Activation kActivation>
HRT_INLINE Vec activate(const Vec& x) {
  if constexpr (kActivation == Activation::kSilu) return x * sigmoid(x);
  if constexpr (kActivation == Activation::kGelu) return exact_gelu(x);
  // (1 + tanh y) / 2 = sigmoid(2 y), y = sqrt(2 / pi) (x + 0.044715 x^3)
  if constexpr (kActivation == Activation::kGeluTanh) {
    return x * sigmoid(1.5957691216057308F * (x + 0.044715F * x * x * x));
  }
  if constexpr (kActivation == Activation::kRelu) return x > 0.0F ? x : Vec{};
}

struct GateRows {
  const float* gate_up;
  const float* bias;  // or nullptr
  float* out;
  std::int64_t width;
  bool gated;
};

HRT_INLINE Vec load_sum(const float* from, const float* bias, std::int64_t at, std::int64_t left) {
  const Vec value = load_up_to(from + at, left);
  return bias == nullptr ? value : value + load_up_to(bias + at, left);
}

template <Activation kActivation>
HRT_INLINE void gate_rows(const GateRows& job, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) {
    const float* gate = job.gate_up + row * (job.gated ? 2 : 1) * job.width;
    for (std::int64_t i = 0; i < job.width; i += kWidth) {
      const std::int64_t left = job.width - i;
      Vec value = activate<kActivation>(load_sum(gate, job.bias, i, left));
      if (job.gated) value *= load_sum(gate, job.bias, job.width + i, left);
      store_up_to(job.out + row * job.width + i, value, left);
    }
  }
}

HRT_CLONES void gate_rows(Activation activation, const GateRows& job, std::int64_t begin, std::int64_t end) {
  switch (activation) {
    case Activation::kSilu:
      return gate_rows<Activation::kSilu>(job, begin, end);
    case Activation::kGelu:
      return gate_rows<Activation::kGelu>(job, begin, end);
    case Activation::kGeluTanh:
      return gate_rows<Activation::kGeluTanh>(job, begin, end);
    case Activation::kRelu:
      return gate_rows<Activation::kRelu>(job, begin, end);
  }
}

HRT_CLONES void clamped_swiglu_rows(const GateRows& job, float alpha, float limit, std::int64_t begin,
                                    std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) {
    const float* from = job.gate_up + row * 2 * job.width;
    for (std::int64_t i = 0; i < job.width; i += kWidth) {
      const std::int64_t left = job.width - i;
      Vec gate = load_sum(from, job.bias, i, left);
      Vec up = load_sum(from, job.bias, job.width + i, left);
      gate = gate > limit ? simd::splat(limit) : gate;
      up = up > limit ? simd::splat(limit) : up;
      up = up < -limit ? simd::splat(-limit) : up;
      store_up_to(job.out + row * job.width + i, (up + 1.0F) * gate * sigmoid(alpha * gate), left);
    }
  }
}

// Vectorised largest value first, then a search for where it is: one pass over memory, the second over the
// cache.
HRT_CLONES void best_row(const float* logits, std::int64_t width, Choice& choice) {
  Vec first = simd::splat(-INFINITY);
  Vec second = first;  // of each lane
  std::int64_t i = 0;
  for (; i + kWidth <= width; i += kWidth) {
    const Vec value = simd::load(logits + i);
    const Vec lower = value < first ? value : first;
    second = lower > second ? lower : second;
    first = value > first ? value : first;
  }
  float best = simd::largest(first);
  for (; i < width; ++i) best = logits[i] > best ? logits[i] : best;
  choice.token = 0;
  while (choice.token + 1 < width && !(logits[choice.token] == best)) ++choice.token;
  choice.finite = std::isfinite(logits[choice.token]) && logits[choice.token] == best;
  // The second best is the best of the other lanes, or the second of the winning lane.
  const std::int64_t whole = width / kWidth * kWidth;
  float runner = -INFINITY;
  for (std::int64_t lane = 0; lane < kWidth; ++lane) {
    const bool winner = choice.token < whole && lane == choice.token % kWidth;
    const float value = winner ? second[lane] : first[lane];
    runner = value > runner ? value : runner;
  }
  for (i = whole; i < width; ++i) {
    if (i != choice.token && logits[i] > runner) runner = logits[i];
  }
  choice.margin = static_cast<double>(best) - static_cast<double>(runner);
}

const float* data_or_null(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr;
}

class CpuKernels : public Kernels {
 public:
  KvLayout layout() const override { return KvLayout::kKeyBlocks; }

  void add_norm(at::Tensor& residual, const at::Tensor& delta, const Norm& norm,
                at::Tensor& out) const override {
    if (norm.kind == NormKind::kLayer) {
      if (delta.defined()) residual.add_(delta);
      out.copy_(layer_norm(residual, norm));
      return;
    }
    const NormRows job{.residual = residual.data_ptr<float>(),
                       .delta = data_or_null(delta),
                       .weight = norm.weight.const_data_ptr<float>(),
                       .out = out.data_ptr<float>(),
                       .width = residual.size(1),
                       .eps = static_cast<float>(norm.eps)};
    over_rows(residual.size(0), job.width,
              [&](std::int64_t begin, std::int64_t end) { norm_rows(job, begin, end); });
  }

  void norm_groups(at::Tensor x, const Norm& norm) const override {
    if (norm.kind == NormKind::kLayer) {
      x.copy_(layer_norm(x, norm));
      return;
    }
    const NormGroups job{.x = x.data_ptr<float>(),
                         .groups = x.size(1),
                         .row_stride = x.stride(0),
                         .group_stride = x.stride(1),
                         .weight = norm.weight.const_data_ptr<float>(),
                         .width = x.size(2),
                         .eps = static_cast<float>(norm.eps)};
    over_rows(x.size(0), job.groups * job.width,
              [&](std::int64_t begin, std::int64_t end) { norm_groups_of(job, begin, end); });
  }

  void gate(const at::Tensor& gate_up, const at::Tensor& bias, Activation activation,
            at::Tensor& out) const override {
    const GateRows job{.gate_up = gate_up.const_data_ptr<float>(),
                       .bias = data_or_null(bias),
                       .out = out.data_ptr<float>(),
                       .width = out.size(1),
                       .gated = gate_up.size(1) > out.size(1)};
    over_rows(out.size(0), job.width,
              [&](std::int64_t begin, std::int64_t end) { gate_rows(activation, job, begin, end); });
  }

  void clamped_swiglu(const at::Tensor& gate_up, const at::Tensor& bias, const ClampedSwiglu& clamped,
                      at::Tensor& out) const override {
    const GateRows job{.gate_up = gate_up.const_data_ptr<float>(),
                       .bias = data_or_null(bias),
                       .out = out.data_ptr<float>(),
                       .width = out.size(1),
                       .gated = true};
    const auto alpha = static_cast<float>(clamped.alpha);
    const auto limit = static_cast<float>(clamped.limit);
    over_rows(out.size(0), job.width, [&](std::int64_t begin, std::int64_t end) {
      clamped_swiglu_rows(job, alpha, limit, begin, end);
    });
  }

  std::vector<Choice> best(const at::Tensor& logits) const override {
    const float* data = logits.const_data_ptr<float>();
    const std::int64_t width = logits.size(1);
    std::vector<Choice> choices(static_cast<std::size_t>(logits.size(0)));
    over_rows(logits.size(0), width, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        best_row(data + row * width, width, choices[static_cast<std::size_t>(row)]);
      }
    });
    return choices;
  }

  std::unique_ptr<AttentionStep> attention(const DecoderSpec& spec, const Batch& batch,
                                           KvCache& cache) const override {
    return make_cpu_attention(spec, batch, cache);
  }
};

}  // namespace

std::unique_ptr<Kernels> make_cpu_kernels() { return std::make_unique<CpuKernels>(); }

}  // namespace hrt
