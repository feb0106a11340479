#include "extractions.h"

#include <fmt/format.h>

#include <cctype>

#include "hrt/base/log.h"
#include "hrt/experiment/config.h"
#include "hrt/experiment/extract.h"
#include "hrt/experiment/extraction_config.h"

namespace hrt {
namespace {

// A name as a folder: "without the template" -> "without_the_template".
std::string folder_name(std::string name) {
  for (char& c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.';
    if (!plain) c = '_';
  }
  return name;
}

}  // namespace

Extractions::Extractions(const Json& config) {
  if (!config.at("runs").empty() || !config.at("tensors").is_null()) return;
  Json variants = config.at("variants");
  if (variants.empty()) variants.push_back({{"name", "extract"}});
  for (Json changes : variants) {
    const std::string name = changes.value("name", fmt::format("variant {}", planned_.size() + 1));
    changes.erase("name");
    planned_.push_back({name, PromptRun(Command::kExtract, own_extraction(config, changes))});
  }
}

void Extractions::print_plans(bool json) const {
  for (const Planned& planned : planned_) planned.prompts.print_plan(planned.name, {}, {}, json);
}

Extracted Extractions::make(RunDirectory& run) const {
  Extracted extracted;
  for (const Planned& planned : planned_) {
    RunOptions options;
    options.if_exists = IfExists::kResume;
    options.print = false;
    options.out = run.file(folder_name(planned.name));
    spdlog::info("extraction first, in {}", options.out->string());
    extracted.code = worse(extracted.code, run_extract(planned.prompts, options));
    extracted.runs.emplace_back(planned.name, *options.out);
  }
  return extracted;
}

}  // namespace hrt
