#pragma once

#include <string>
#include <vector>

#include "hrt/base/strings.h"
#include "step.h"

namespace hrt {

// How long the rest will take, from what the steps that were computed cost.
class CostClock {
 public:
  explicit CostClock(const std::vector<Step>& steps) {
    for (const Step& step : steps) left_ += cost_of(step);
  }

  // ", about 4m 10s left"; before the first step nobody knows.
  std::string left() const {
    if (done_ <= 0 || left_ <= 0) return "";
    return ", about " + human_seconds(seconds_ / done_ * left_) + " left";
  }

  // Before it begins: whether it is to be computed.
  void begin(const Step& step) { current_ = cost_of(step); }
  void end(double seconds) {
    left_ -= current_;
    done_ += current_;
    if (current_ > 0) seconds_ += seconds;
  }

 private:
  static double cost_of(const Step& step) {
    return step.inputs.missing.empty() && !is_complete(step) ? step.spec.cost : 0;
  }

  double left_ = 0;
  double done_ = 0;
  double current_ = 0;
  double seconds_ = 0;
};

}  // namespace hrt
