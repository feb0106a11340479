#include "hrt/experiment/catalog.h"

#include "hrt/base/error.h"
#include "hrt/base/known_keys.h"
#include "hrt/base/paths.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/config_keys.h"

namespace hrt {
namespace {

Label label_of(const JsonObject& entry) {
  const std::string name = entry.string("label");
  if (const auto label = label_by_name(name)) return *label;
  throw InputError("{}: expected harmful or harmless, found \"{}\"", entry.where("label"), name);
}

std::int64_t count_of(const JsonObject& entry, const char* key, std::int64_t least) {
  const std::int64_t count = entry.integer(key);
  if (count >= least) return count;
  throw InputError("{} must be an integer of at least {}, found {}", entry.where(key), least, count);
}

}  // namespace

Catalog::Catalog(const std::filesystem::path& file, const std::optional<std::filesystem::path>& root)
    : file_(file), root_(root.value_or(file.parent_path())) {
  const Json content = read_json(file);
  const JsonObject top(content, file.string());
  check_known_keys(top,
                   {"$schema", "name", "description", "model", "models", "roles", "sizes", "hint", "missed"});
  name_ = top.string("name", file.stem().string());
  description_ = top.string("description", "");
  hint_ = top.string("hint", "");
  if (top.has("model")) model_ = model_of(top.object("model"));
  const auto each = [&](const char* key, const auto& take) {
    if (!top.has(key)) return;
    const JsonObject object = top.object(key);
    for (const auto& [name, value] : object.raw().items()) take(object, name);
  };
  each("models", [&](const JsonObject& models, const std::string& name) {
    models_[name] = model_of(models.object(name));
  });
  top.object("roles");  // must be there
  each("roles",
       [&](const JsonObject& roles, const std::string& role) { roles_[role] = sources_of(roles, role); });
  each("missed",
       [&](const JsonObject& claims, const std::string& claim) { missed_[claim] = claims.string(claim); });
  if (!top.has("sizes")) return;
  sizes_ = top.object("sizes").raw();
  check_sizes(sizes_, file.string());
}

std::filesystem::path Catalog::path_of(const JsonObject& entry) const {
  if (entry.has("file") && entry.has("cache"))
    throw InputError("{} and cache exclude each other", entry.where("file"));
  if (entry.has("cache")) return cache_dir() / entry.string("cache");
  return root_ / entry.string("file");
}

std::filesystem::path Catalog::model_of(const JsonObject& entry) const {
  check_known_keys(entry, {"file", "cache"});
  return path_of(entry);
}

PromptSource Catalog::source_of(const JsonObject& entry) const {
  check_known_keys(entry, {"file", "cache", "field", "label", "category_field", "where", "skip", "limit"});
  PromptSource source;
  source.file = path_of(entry);
  source.field = entry.string("field", source.field);
  if (entry.has("category_field")) source.category_field = entry.string("category_field");
  if (entry.has("label")) source.label = label_of(entry);
  if (entry.has("skip")) source.skip = count_of(entry, "skip", 0);
  if (entry.has("limit")) source.limit = count_of(entry, "limit", 1);
  if (entry.has("where")) {
    for (const auto& [name, value] : entry.object("where").raw().items()) source.where[name] = value;
  }
  return source;
}

std::vector<PromptSource> Catalog::sources_of(const JsonObject& roles, const std::string& role) const {
  const Json& entries = roles.raw().at(role);
  if (!entries.is_array()) throw InputError("{} must be a list", roles.where(role));
  std::vector<PromptSource> sources;
  for (const Json& entry : entries)
    sources.push_back(source_of({entry, roles.origin(), fmt::format("/roles/{}/{}", role, sources.size())}));
  return sources;
}

const std::vector<PromptSource>& Catalog::sources(const std::string& role) const {
  if (const auto found = roles_.find(role); found != roles_.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [name, sources] : roles_) names.push_back(name);
  throw InputError("{}: no role {}{} (roles: {})", file_.string(), role, did_you_mean(role, names),
                   join(names, ", "));
}

std::optional<std::filesystem::path> Catalog::model_named(const std::string& name) const {
  const auto found = models_.find(name);
  return found == models_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace hrt
