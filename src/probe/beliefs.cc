#include "beliefs.h"

#include "clusters.h"
#include "hrt/base/error.h"

namespace hrt {
namespace {

Belief measure(const ProbeSource& source, std::string name, std::string position, const Clusters& clusters) {
  Belief belief{std::move(name), std::move(position), clusters, {}, {}, ""};
  if (!source.has(belief.position)) {
    belief.missing = "no rows at " + belief.position;
    return belief;
  }
  for (const std::string& set : {clusters.plus, clusters.minus}) {
    if (!source.has_centroid(set, belief.position))
      belief.missing = "no centroid " + set + "." + belief.position;
  }
  if (!belief.is_there()) return belief;
  belief.scores = source.scores(belief.position, clusters);
  for (const RowScores& scores : belief.scores) belief.means.push_back(row_mean(scores, source.rows()));
  return belief;
}

}  // namespace

Beliefs measure_beliefs(const ProbeSource& source) {
  Beliefs beliefs{measure(source, "delta_harmful", "t_inst", kLabelClusters),
                  measure(source, "delta_refuse", "t_post_inst", kOutcomeClusters)};
  if (!beliefs.harmful.is_there() && !beliefs.refuse.is_there())
    throw InputError("neither belief can be had: {}, {}", beliefs.harmful.missing, beliefs.refuse.missing);
  return beliefs;
}

std::string title_of(const std::string& belief) {
  return belief == "delta_harmful" ? "Delta_harmful" : "Delta_refuse";
}

}  // namespace hrt
