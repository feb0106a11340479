#pragma once

// Vectors of 16 floats for the CPU kernels, in the compilers' own vector types: AVX-512 makes one register of
// them, AVX2 two, and no intrinsics are needed. Everything here is inlined into functions marked HRT_CLONES,
// which the compiler builds once for each instruction set and chooses between when the program is loaded.

#include <cstdint>

#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Sanitized programs cannot choose: their run time is not ready yet when the choice is made. clang, which the fuzzers
// and the linter use, does not inline across instruction sets.
#define HRT_CLONES [[gnu::target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")]]
#else
#define HRT_CLONES
#endif
#define HRT_INLINE [[gnu::always_inline]] inline

// Vectors are never passed between functions that are not inlined, so how they would be passed does not
// matter.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace hrt::simd {

inline constexpr std::int64_t kWidth = 16;

using Vec = float __attribute__((vector_size(64)));
using IntVec = std::int32_t __attribute__((vector_size(64)));

HRT_INLINE Vec load(const float* from) {
  Vec value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}

HRT_INLINE void store(float* to, const Vec& value) { __builtin_memcpy(to, &value, sizeof value); }

// The first `count` < 16 floats, zeros behind them.
HRT_INLINE Vec load_some(const float* from, std::int64_t count) {
  float values[kWidth] = {};
  for (std::int64_t i = 0; i < count; ++i) values[i] = from[i];
  return load(values);
}

HRT_INLINE void store_some(float* to, const Vec& value, std::int64_t count) {
  float values[kWidth];
  store(values, value);
  for (std::int64_t i = 0; i < count; ++i) to[i] = values[i];
}

HRT_INLINE Vec splat(float value) { return Vec{} + value; }

HRT_INLINE float sum(const Vec& value) {
  float values[kWidth];
  store(values, value);
  for (std::int64_t half = kWidth / 2; half > 0; half /= 2) {
    for (std::int64_t i = 0; i < half; ++i) values[i] += values[i + half];
  }
  return values[0];
}

HRT_INLINE float largest(const Vec& value) {
  float values[kWidth];
  store(values, value);
  for (std::int64_t half = kWidth / 2; half > 0; half /= 2) {
    for (std::int64_t i = 0; i < half; ++i)
      values[i] = values[i] > values[i + half] ? values[i] : values[i + half];
  }
  return values[0];
}

// e^x to about 1e-7 of its value: 2^n times a polynomial (Cephes' expf) on [-ln 2 / 2, ln 2 / 2]. Below -87
// it is 0, above 88 infinite; NaN stays NaN.
HRT_INLINE Vec exp(const Vec& input) {
  const Vec capped = input > 88.0F ? Vec{} : input;
  const Vec x = capped < -87.0F ? Vec{} : capped;  // the exponent below stays in range
  const Vec rounder = splat(12582912.0F);          // 1.5 * 2^23: adding it rounds to an integer
  const Vec n = (x * 1.44269504088896341F + rounder) - rounder;
  const Vec r = (x - n * 0.693359375F) + n * 2.12194440e-4F;  // ln 2 in two parts
  Vec p = splat(1.9875691500e-4F);
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  const IntVec exponent = __builtin_convertvector(n, IntVec) << 23;
  IntVec bits;
  __builtin_memcpy(&bits, &p, sizeof bits);
  bits += exponent;
  Vec result;
  __builtin_memcpy(&result, &bits, sizeof result);
  const Vec large = input > 88.0F ? splat(__builtin_inff()) : result;
  return input < -87.0F ? Vec{} : large;
}

// Cephes' tanhf: a polynomial near 0, where the formula with e^2x would lose the small values.
HRT_INLINE Vec tanh(const Vec& x) {
  const Vec z = x * x;
  Vec p = splat(-5.70498872745e-3F);
  p = p * z + 2.06390887954e-2F;
  p = p * z - 5.37397155531e-2F;
  p = p * z + 1.33314422036e-1F;
  p = p * z - 3.33332819422e-1F;
  const Vec near_zero = p * z * x + x;
  const Vec far = 1.0F - 2.0F / (exp(2.0F * x) + 1.0F);
  return z < 0.390625F ? near_zero : far;
}

}  // namespace hrt::simd
