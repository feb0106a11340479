#include "source_page.h"

#include <fmt/format.h>

#include "hrt/base/page.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

constexpr std::int64_t kFewPrompts = 10;

std::string counts_line(const Json& source) {
  std::vector<std::string> counts;
  for (const auto& [set, count] : source.at("centroid_prompts").items()) {
    if (count > 0) counts.push_back(fmt::format("{} {}", set, count.get<std::int64_t>()));
  }
  return join(counts, ", ");
}

// Scores against a centroid of few prompts follow those prompts.
std::string few_line(const Json& source) {
  std::vector<std::string> few;
  for (const char* set : {"harmful", "harmless", "refused_harmful", "accepted_harmless"}) {
    const std::int64_t count = source.at("centroid_prompts").at(set);
    if (count > 0 && count < kFewPrompts) few.push_back(fmt::format("{} {}", set, count));
  }
  return few.empty() ? ""
                     : fmt::format("{}: a centroid of fewer than {} prompts says little", join(few, ", "),
                                   kFewPrompts);
}

void add_tensors(Page& page, const Json& source) {
  page.add("tensor files", join(source.at("files").get<std::vector<std::string>>(), ", "));
  if (source.contains("position_check")) {
    const Json& check = source.at("position_check");
    page.add(
        "position",
        fmt::format("rows called {} {}: prompts that end in the same token have a cosine of {:.3f} at row 0, "
                    "expected 1",
                    check.at("position").get<std::string>(),
                    check.at("holds").get<bool>() ? "can be just that" : "are not that",
                    check.at("smallest_cosine").get<double>()));
  }
  if (source.contains("limits")) page.add("limits", source.at("limits").get<std::string>());
}

void add_runs(Page& page, const Json& source) {
  page.add("runs", join(source.at("runs").get<std::vector<std::string>>(), ", "));
  page.add("scored", counted(source.at("scored"), "prompt"));
  if (source.at("held_out") == "folds") {
    page.add("held out", "each prompt is scored by probes that were fitted to the other folds");
  } else {
    page.add("centroids", counts_line(source));
    if (const std::string few = few_line(source); !few.empty()) page.add("few", few);
    page.add("held out", source.at("held_out") == "split"
                             ? "no scored prompt is among those of the centroids"
                             : "each scored prompt is left out of the centroids that it is part of");
  }
  if (source.contains("overlap")) page.add("allowed", source.at("overlap").get<std::string>());
}

}  // namespace

std::string source_page(const std::string& title, const Json& source) {
  Page page(title);
  source.contains("files") ? add_tensors(page, source) : add_runs(page, source);
  return page.text();
}

}  // namespace hrt
