#pragma once

#include "hrt/analysis/auroc.h"
#include "hrt/analysis/mean.h"
#include "hrt/analysis/proportion.h"
#include "hrt/analysis/row_scores.h"
#include "hrt/base/json.h"

namespace hrt {

// Numbers with their n and 95 % interval, as they stand in every results.json. What is not defined is null.
Json proportion_json(const Proportion& proportion);  // {"value", "low", "high", "count", "n"}
Json mean_json(const Mean& mean);                    // {"value", "low", "high", "n"}
Json auroc_json(const Auroc& auroc);                 // {"value", "low", "high", "positives", "negatives"}
Json scores_json(const RowScores& scores);           // a list, by row

}  // namespace hrt
