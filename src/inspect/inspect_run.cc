#include "hrt/inspect/inspect_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "hrt/base/page.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

// The value at a JSON pointer, or nothing: a run that stopped early has not all of them.
std::string at(const Json& manifest, const char* pointer) {
  const Json::json_pointer place(pointer);
  if (!manifest.contains(place)) return "";
  const Json& value = manifest.at(place);
  return value.is_number_float() ? fmt::format("{:.2g}", value.get<double>()) : plain(value);
}

std::string status_line(const Json& manifest) {
  const std::string code = at(manifest, "/exit_code");
  const std::string end = at(manifest, "/finished");
  return fmt::format("{}{}, started {}{}", at(manifest, "/status"),
                     code.empty() ? "" : " with exit code " + code, at(manifest, "/started"),
                     end.empty() ? "" : ", finished " + end);
}

std::string model_line(const Json& manifest) {
  const bool adapted = manifest.at("model").contains("adapter");
  return fmt::format("{} ({}, {} layers, hidden {}){}", at(manifest, "/model/path"),
                     at(manifest, "/model/family"), at(manifest, "/model/layers"),
                     at(manifest, "/model/hidden"),
                     adapted ? fmt::format(" with adapter {}", at(manifest, "/model/adapter/path")) : "");
}

std::string counts_line(const Json& manifest) {
  const Json counts = manifest.value("counts", Json::object());
  std::vector<std::string> parts{counted(counts.value("prompts", std::size_t{0}), "prompt")};
  const Json by = counts.value("quadrants", counts.value("labels", Json::object()));
  for (const auto& [name, count] : by.items()) {
    std::string words = name == "none" ? "without a label" : name;
    std::replace(words.begin(), words.end(), '_', ' ');
    if (count != 0 || name != "none") parts.push_back(fmt::format("{} {}", plain(count), words));
  }
  const std::string unknown = at(manifest, "/counts/unknown_outcomes");
  if (!unknown.empty() && unknown != "0") parts.push_back(unknown + " unknown");
  return join(parts, ", ");
}

std::string identity_line(const Json& manifest) {
  const bool holds = at(manifest, "/row_identity/holds") == "true";
  return fmt::format("{}: rows of {} prompts computed again alone, worst relative difference {} (at most {})",
                     holds ? "holds" : "does not hold", at(manifest, "/row_identity/prompts"),
                     at(manifest, "/row_identity/worst_relative_difference"),
                     at(manifest, "/row_identity/tolerance"));
}

std::string files_line(const fs::path& run) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(run)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file() || name.starts_with('.')) continue;
    names.push_back(fmt::format("{} ({})", name, human_bytes(entry.file_size())));
  }
  std::sort(names.begin(), names.end());
  return join(names, ", ");
}

}  // namespace

std::string run_page(const fs::path& run, const Json& manifest) {
  Page page(fmt::format("{}: a run of hrt {}", run.string(), at(manifest, "/command")));
  page.add("status", status_line(manifest));
  if (manifest.contains("from")) {
    page.add("made from",
             fmt::format("{}, its replies judged by {}", at(manifest, "/from/run"), at(manifest, "/judge")));
  }
  if (manifest.contains("model")) page.add("model", model_line(manifest));
  if (manifest.contains("template")) {
    page.add("template",
             fmt::format("{} - {}", at(manifest, "/template/name"), at(manifest, "/template/reason")));
  }
  if (manifest.contains("device")) {
    page.add("computed in", fmt::format("{} on {}, {} threads", at(manifest, "/dtype"),
                                        at(manifest, "/device"), at(manifest, "/threads")));
  }
  if (manifest.contains("counts")) page.add("counts", counts_line(manifest));
  if (manifest.contains("row_identity")) page.add("identity", identity_line(manifest));
  page.add("files", files_line(run));
  const Json warnings = manifest.value("warnings", Json::array());
  for (const Json& warning : warnings) page.add("warning", plain(warning));
  return page.text();
}

}  // namespace hrt
