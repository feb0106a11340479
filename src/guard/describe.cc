#include "describe.h"

#include <fmt/format.h>

#include "hrt/guard/guard_file.h"

namespace hrt {

Json rule_json(const Guard& guard) {
  return {{"rows", guard.rows},           {"position", kGuardPosition},
          {"threshold", guard.threshold}, {"calibration", calibration_json(guard.calibration)},
          {"chosen", guard.chosen},       {"template", guard.template_name()}};
}

void add_rule(Page& page, const Guard& guard) {
  page.add("fitted to", fmt::format("{} harmful and {} harmless prompts, template {}", guard.harmful_count,
                                    guard.harmless_count, guard.template_name()));
  page.add("rows", plain(guard.chosen.at("rows")));
  page.add("threshold", fmt::format("{:.6g}: {}", guard.threshold, plain(guard.chosen.at("threshold"))));
  page.add("calibration", plain(guard.chosen.at("calibration")));
}

}  // namespace hrt
