#include <algorithm>

#include "catalog_of.h"
#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/config.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

PromptSource file_source(const Json& entry, const std::string& origin) {
  PromptSource source;
  if (entry.is_string()) {
    source.file = entry.get<std::string>();
    return source;
  }
  source.file = JsonObject(entry, origin).string("file");
  return source;
}

// Several limits may be given: for all files, for a role, by the catalog. The smallest counts.
void restrict(PromptSource& source, std::optional<std::int64_t> limit) {
  if (limit) source.limit = std::min(*limit, source.limit.value_or(*limit));
}

// What an entry says beside its file or role, and what the config says for all.
void refine(PromptSource& source, const Json& entry, const Json& config, const std::string& origin) {
  if (config.at("field") != "instruction") source.field = config.at("field");
  restrict(source, optional_value<std::int64_t>(config, "limit"));
  if (!entry.is_object()) return;
  const JsonObject object(entry, origin);
  source.field = object.string("field", source.field);
  if (object.has("limit")) restrict(source, object.integer("limit"));
  if (object.has("post_instruction")) source.post_instruction = object.boolean("post_instruction", true);
  source.role = object.string("as", source.role);
  if (!object.has("where")) return;
  for (const auto& [name, value] : object.object("where").raw().items()) source.where[name] = value;
}

void check_source_keys(const Json& entry, const std::string& origin) {
  static const std::vector<std::string> kKnown{"file", "role", "field", "where", "limit", "post_instruction",
                                               "as"};
  if (!entry.is_object()) return;
  for (const auto& [key, value] : entry.items()) {
    if (std::find(kKnown.begin(), kKnown.end(), key) != kKnown.end()) continue;
    throw InputError("{}/{} is not known here{}", origin, key, did_you_mean(key, kKnown));
  }
}

std::vector<PromptSource> entry_sources(const Json& entry, const Json& config,
                                        const std::optional<Catalog>& catalog, const std::string& origin) {
  check_source_keys(entry, origin);
  std::vector<PromptSource> sources;
  if (entry.is_object() && entry.contains("role")) {
    if (!catalog) throw InputError("{} names a role: --data CATALOG says which files it means", origin);
    const std::string role = JsonObject(entry, origin).string("role");
    sources = catalog->sources(role);
    for (PromptSource& source : sources) source.role = role;
  } else {
    sources = {file_source(entry, origin)};
  }
  for (PromptSource& source : sources) refine(source, entry, config, origin);
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
    std::size_t i = 0;
    for (const Json& entry : config.at(key)) {
      const std::string origin = fmt::format("config: /{}/{}", key, i++);
      for (PromptSource& source : entry_sources(entry, config, catalog, origin)) {
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
