#include "hrt/experiment/interval_json.h"

namespace hrt {
namespace {

Json with_interval(const std::optional<double>& value, const std::optional<Interval>& interval) {
  return {{"value", value ? Json(*value) : Json()},
          {"low", interval ? Json(interval->low) : Json()},
          {"high", interval ? Json(interval->high) : Json()}};
}

}  // namespace

Json proportion_json(const Proportion& proportion) {
  Json json = with_interval(proportion.rate(), proportion.interval());
  json["count"] = proportion.count;
  json["n"] = proportion.n;
  return json;
}

Json mean_json(const Mean& mean) {
  Json json = with_interval(mean.value, mean.interval);
  json["n"] = mean.n;
  return json;
}

Json auroc_json(const Auroc& auroc) {
  Json json = with_interval(auroc.value, auroc.interval);
  json["positives"] = auroc.positives;
  json["negatives"] = auroc.negatives;
  return json;
}

Json scores_json(const RowScores& scores) {
  Json list = Json::array();
  for (const auto& score : scores) list.push_back(score ? Json(*score) : Json());
  return list;
}

}  // namespace hrt
