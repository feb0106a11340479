#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrt/probe/source.h"

namespace hrt {

// One of the two beliefs of every scored prompt.
struct Belief {
  std::string name;  // "delta_harmful", in files
  std::string position;
  Clusters clusters;
  std::vector<RowScores> scores;  // s[l] by prompt
  std::vector<RowMean> means;     // the belief itself, by prompt
  std::string missing;            // why there is none

  bool is_there() const { return missing.empty(); }
};

// Delta_harmful: harmful against harmless at t_inst (Zhao et al., arXiv 2507.11878, eq. 3). Delta_refuse:
// refused harmful against accepted harmless at t_post_inst (eq. 4).
struct Beliefs {
  Belief harmful;
  Belief refuse;
};

Beliefs measure_beliefs(const ProbeSource& source);

// What pages call a belief: "Delta_harmful".
std::string title_of(const std::string& belief);

}  // namespace hrt
