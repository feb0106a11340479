#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hrt/experiment/centroids.h"

namespace hrt {

// A direction, or why it is not there.
struct Direction {
  std::string name;
  std::string plus;       // set of the minuend, "harmful"
  std::string minus;      // of the subtrahend
  std::string position;   // of both
  bool required = true;   // an error when it was asked for and cannot be had
  at::Tensor value = {};  // [rows, hidden] float64, raw difference of means; undefined when absent
  bool asked = true;
  std::string absent = {};  // the reason
  std::int64_t plus_count = 0;
  std::int64_t minus_count = 0;
  RowScores agreement = {};  // by row, the mean cosine of single differences with it (difference_agreement)

  bool is_there() const { return absent.empty(); }
  bool is_of_category() const { return name.find(':') != std::string::npos; }
  std::string plus_name() const { return centroid_name(plus, position); }
  std::string minus_name() const { return centroid_name(minus, position); }
  std::string definition() const;  // "harmful.t_inst (n=100) - harmless.t_inst (n=100)"
};

// What to subtract from what, by the definitions of Zhao et al. (2507.11878, section 2): harmfulness at
// t_inst, refusal at t_post_inst.
struct DirectionRequest {
  std::string no_refusal = {};   // why refusal is not asked for; empty: it is
  bool pair_by_outcome = false;  // harmfulness from refused harmful and accepted harmless prompts only
  bool by_category = false;      // harmfulness and refusal of each category's harmful prompts, too (fig. 9)
};
// All directions that there are, those that were not asked for with the reason.
std::vector<Direction> compute_directions(const PromptSet& set,
                                          const std::map<std::string, Centroid>& centroids,
                                          const DirectionRequest& request);

// Fills in `agreement`.
void measure_agreement(std::vector<Direction>& directions, const PromptSet& set,
                       const Memberships& memberships, const std::map<std::string, Centroid>& centroids,
                       const CapturedRows& captured);

void write_directions(const std::filesystem::path& file, const std::vector<Direction>& directions,
                      const std::vector<std::int64_t>& rows);

}  // namespace hrt
