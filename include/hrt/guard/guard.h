#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "hrt/analysis/calibration.h"
#include "hrt/analysis/scores.h"
#include "hrt/base/json.h"

namespace hrt {

// None, or from Delta_harmful to a probability.
using Calibration = std::variant<std::monostate, PlattCalibration, IsotonicCalibration>;
std::optional<double> calibrated(const Calibration& calibration, double score);

// A Latent Guard (Zhao et al., arXiv 2507.11878): a prompt counts as harmful where Delta_harmful (eq. 3, the
// mean of s[l] over the guard's rows at t_inst) lies above the threshold. In the paper these are all rows and
// 0.
struct Guard {
  at::Tensor harmful;              // [rows, hidden] float32: the centroids
  at::Tensor harmless;             // alike
  std::vector<std::int64_t> rows;  // their numbers, ascending
  double threshold = 0;
  Calibration calibration;
  Json chosen;  // how rows, threshold and calibration were chosen, in words

  std::string model;       // the fingerprint of the checkpoint it belongs to
  bool full_hash = false;  // of all its bytes
  Json text;          // how prompts are templated: keys of a config, `template` by name; of a template file
                      // also its `template_content`
  std::string dtype;  // that its centroids were computed in

  std::int64_t harmful_count = 0;
  std::int64_t harmless_count = 0;
  std::vector<std::string> training;  // request_hash of every prompt in the centroids
  Json provenance;                    // runs, sets

  std::int64_t hidden() const { return harmful.size(1); }
  std::string template_name() const { return text.at("template"); }
};

// What Guard::text holds, beside `template`.
inline constexpr std::array kTextKeys{"template_arg",  "system",           "bos",
                                      "parse_special", "post_instruction", "straddle"};

// Where the prompt's rows are taken.
inline constexpr const char* kGuardPosition = "t_inst";

// What a guard says of a prompt.
struct GuardVerdict {
  double delta = 0;  // Delta_harmful
  bool harmful = false;
  std::optional<double> probability;  // where the guard is calibrated
};

class GuardScorer {
 public:
  // `guard` must outlive this object.
  explicit GuardScorer(const Guard& guard) : guard_(guard), scorer_(guard.harmful, guard.harmless) {}
  // [rows, hidden], the guard's rows. Nothing where no row has a score.
  std::optional<GuardVerdict> judge(const at::Tensor& rows) const;

 private:
  const Guard& guard_;
  CentroidScorer scorer_;
};

std::string_view verdict_name(bool harmful);  // "harmful", "harmless"

}  // namespace hrt
