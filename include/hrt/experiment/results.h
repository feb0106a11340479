#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hrt/analysis/directions.h"
#include "hrt/experiment/prompt_work.h"

namespace hrt {

// "refused_harmful", ... or nothing when label or outcome is not known.
std::optional<std::string> quadrant_name(Label label, Outcome outcome);

// Prompts in each quadrant, all four of them.
std::map<std::string, std::int64_t> quadrant_counts(const PromptSet& set,
                                                    const std::vector<Outcome>& outcomes);

// Writes activations.safetensors: the groups' rows, one after the other.
void write_activations(const std::filesystem::path& file, const PromptSet& set, const Work& work,
                       const PromptWork& groups, at::ScalarType dtype, std::int64_t hidden,
                       std::int64_t vocabulary);

// Centroids by "SET.POSITION" and "QUADRANT.POSITION"; of a span, of the means over its tokens.
std::map<std::string, Centroid> compute_centroids(const PromptSet& set, const PromptWork& groups,
                                                  const std::vector<Outcome>& outcomes);

// A direction that was asked for, or why it could not be had.
struct Direction {
  std::string name;
  std::string plus;   // centroid minuend, "harmful.t_inst"
  std::string minus;  // subtrahend
  bool required = true;
  at::Tensor value;    // [rows, hidden] float64, raw difference of means; undefined when absent
  std::string absent;  // the reason
  std::int64_t plus_count = 0;
  std::int64_t minus_count = 0;
};

// What to subtract from what, by the definitions of Zhao et al. (2507.11878, section 2): harmfulness at
// t_inst, refusal at t_post_inst.
struct DirectionRequest {
  bool outcomes = true;          // refusal can be asked for
  bool pair_by_outcome = false;  // harmfulness from refused harmful and accepted harmless prompts only
};
std::vector<Direction> compute_directions(const PromptSet& set,
                                          const std::map<std::string, Centroid>& centroids,
                                          const DirectionRequest& request);

void write_centroids(const std::filesystem::path& file, const std::map<std::string, Centroid>& centroids,
                     const std::vector<std::int64_t>& rows);
void write_directions(const std::filesystem::path& file, const std::vector<Direction>& directions,
                      const std::vector<std::int64_t>& rows);

}  // namespace hrt
