#include "hrt/guard/describe.h"

#include <fmt/format.h>

#include "hrt/base/strings.h"
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

std::string guard_page(const std::filesystem::path& file, const Guard& guard) {
  Page page(fmt::format("{}: a guard", file.string()));
  page.add("model", fmt::format("fingerprint {}, width {}, {}", guard.model.substr(0, 12), guard.hidden(),
                                guard.dtype));
  add_rule(page, guard);
  page.add("rule", fmt::format("harmful where Delta_harmful, the mean of s[l] over {} at {}, is above {:.6g}",
                               counted(guard.rows.size(), "row"), kGuardPosition, guard.threshold));
  for (const char* key : kTextKeys) {
    const Json& value = guard.text.at(key);
    if (!value.is_null() && !value.empty() && value != "auto" &&
        value != (std::string_view(key) == "post_instruction"))
      page.add(key, plain(value));
  }
  std::vector<std::string> sets;
  const Json counts = guard.provenance.value("sets", Json::object());
  for (const auto& [name, count] : counts.items()) sets.push_back(fmt::format("{} {}", name, plain(count)));
  page.add("sets", join(sets, ", "));
  page.add("runs", to_line(guard.provenance.value("runs", Json())));
  page.add("hashes", fmt::format("of {} requests, so that none of them is evaluated (--json shows them)",
                                 guard.training.size()));
  return page.text();
}

}  // namespace hrt
