#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "hrt/analysis/bootstrap.h"
#include "hrt/analysis/directions.h"

namespace hrt {

// What a direction is made of: prompts' activations at one position, and which mean each prompt is part of.
struct Contrast {
  at::Tensor activations;   // [prompts, rows, hidden]
  std::vector<Side> sides;  // one a prompt
};

struct CosineBand {
  std::optional<double> cosine;      // nothing where a direction is zero or a side is empty
  std::optional<Interval> interval;  // nothing for fewer than two units
};

// By row, the cosine of two directions (such as harmfulness at t_inst and refusal at t_post_inst) with its
// percentile bootstrap band. Both contrasts are of the same prompts in the same order, and a drawn prompt is
// drawn for both: they share its noise. `resampler` draws prompts or groups of them. A resample that leaves a
// side empty is left out. Time and memory grow with the square of the number of prompts: some thousands at
// most.
std::vector<CosineBand> direction_cosine_band(const Contrast& first, const Contrast& second,
                                              Resampler resampler, int resamples = kResamples);

}  // namespace hrt
