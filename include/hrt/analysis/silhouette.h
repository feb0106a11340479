#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace hrt {

enum class Distance { kCosine, kEuclidean };

// How well two clusters [prompts, hidden] are apart: the mean over prompts of (b - a) / max(a, b), a being
// the mean distance to the rest of the own cluster and b to the other (Rousseeuw 1987), in [-1, 1]. A prompt
// alone in its cluster and one without distance to anything count as 0. Zero vectors have no cosine and are
// left out with kCosine. Nothing where a cluster is empty.
std::optional<double> silhouette(const at::Tensor& first, const at::Tensor& second, Distance distance);

}  // namespace hrt
