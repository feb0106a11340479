#include <algorithm>

#include "catalog_of.h"
#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/config.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

// What a source says of this, if it says anything.
template <typename T>
std::optional<T> said(const Json& source, const char* key) {
  return source.contains(key) ? optional_value<T>(source, key) : std::nullopt;
}

// Several limits may be given: for all files, for a role, by the catalog. The smallest counts.
void restrict(PromptSource& source, std::optional<std::int64_t> limit) {
  if (limit) source.limit = std::min(*limit, source.limit.value_or(*limit));
}

// What an entry says beside its file or role, and what the config says for all.
void refine(PromptSource& source, const Json& entry, const Json& config) {
  if (config.at("field") != "instruction") source.field = config.at("field");
  restrict(source, optional_value<std::int64_t>(config, "limit"));
  restrict(source, said<std::int64_t>(entry, "limit"));
  source.field = said<std::string>(entry, "field").value_or(source.field);
  source.role = said<std::string>(entry, "as").value_or(source.role);
  source.post_instruction = said<bool>(entry, "post_instruction");
  const Json where = said<Json>(entry, "where").value_or(Json::object());
  for (const auto& [name, value] : where.items()) source.where[name] = value;
}

std::vector<PromptSource> sources_of(const Json& entry, const std::optional<Catalog>& catalog) {
  const auto role = said<std::string>(entry, "role");
  if (!role) return {{.file = entry.at("file").get<std::string>()}};
  if (!catalog) throw InputError("role {}: --data CATALOG says which prompt files it means", *role);
  std::vector<PromptSource> sources = catalog->sources(*role);
  for (PromptSource& source : sources) source.role = *role;
  return sources;
}

void check_files(const std::vector<PromptSource>& sources, const std::optional<Catalog>& catalog) {
  std::vector<std::string> missing;
  for (const PromptSource& source : sources) {
    const std::string name = source.file.string();
    const bool listed = std::find(missing.begin(), missing.end(), name) != missing.end();
    if (!fs::exists(source.file) && !listed) missing.push_back(name);
  }
  if (missing.empty()) return;
  const std::string hint = catalog && !catalog->hint().empty() ? fmt::format(" ({})", catalog->hint()) : "";
  throw InputError("{} not there: {}{}", missing.size() == 1 ? "prompt file is" : "prompt files are",
                   join(missing, ", "), hint);
}

}  // namespace

std::vector<PromptSource> resolve_sources(const Json& config) {
  const auto catalog = catalog_of(config);
  std::vector<PromptSource> sources;
  const auto add = [&](const char* key, Label label) {
    for (const Json& given : config.at(key)) {
      const Json entry = given.is_string() ? Json{{"file", given}} : given;
      for (PromptSource& source : sources_of(entry, catalog)) {
        refine(source, entry, config);
        if (label != Label::kNone) source.label = label;
        source.side = std::string_view(key) == "side_prompts";
        sources.push_back(std::move(source));
      }
    }
  };
  add("harmful", Label::kHarmful);
  add("harmless", Label::kHarmless);
  add("prompts", Label::kNone);
  if (config.contains("side_prompts")) add("side_prompts", Label::kNone);
  if (sources.empty()) throw InputError("no prompts: give --harmful, --harmless or --prompts FILE");
  check_files(sources, catalog);
  return sources;
}

}  // namespace hrt
