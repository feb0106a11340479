#include "hrt/experiment/catalog.h"

#include "hrt/base/error.h"
#include "hrt/base/paths.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

std::vector<std::string> names_of(const Json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  return names;
}

void check_keys(const Json& object, const std::vector<std::string>& known, const std::string& where) {
  for (const auto& [name, value] : object.items()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    throw InputError("{}/{} is not known here{}", where, name, did_you_mean(name, known));
  }
}

Label label_of(const JsonObject& entry) {
  const std::string name = entry.string("label");
  if (const auto label = label_by_name(name)) return *label;
  throw InputError("{}: expected harmful or harmless, found \"{}\"", entry.where("label"), name);
}

}  // namespace

Catalog::Catalog(const std::filesystem::path& file, const std::optional<std::filesystem::path>& root)
    : file_(file), root_(root.value_or(file.parent_path())), content_(read_json(file)) {
  const JsonObject top(content_, file.string());
  check_keys(content_,
             {"$schema", "name", "description", "model", "models", "roles", "sizes", "hint", "missed"},
             file.string() + ": ");
  top.object("roles");
  if (top.has("sizes")) sizes_ = top.object("sizes").raw();
  hint_ = top.string("hint", "");
}

std::filesystem::path Catalog::path_of(const Json& entry, const std::string& where) const {
  const JsonObject object(entry, where);
  if (object.has("cache")) return cache_dir() / object.string("cache");
  return root_ / object.string("file");
}

PromptSource Catalog::source_of(const Json& entry, const std::string& where) const {
  const JsonObject object(entry, where);
  check_keys(entry, {"file", "cache", "field", "label", "category_field", "where", "skip", "limit"}, where);
  PromptSource source;
  source.file = path_of(entry, where);
  source.field = object.string("field", source.field);
  source.category_field = object.string("category_field", source.category_field);
  source.skip = object.integer("skip", 0);
  if (object.has("label")) source.label = label_of(object);
  if (object.has("limit")) source.limit = object.integer("limit");
  if (object.has("where")) {
    for (const auto& [name, value] : object.object("where").raw().items()) source.where[name] = value;
  }
  return source;
}

std::string Catalog::name() const {
  return JsonObject(content_, file_.string()).string("name", file_.stem().string());
}

std::string Catalog::description() const {
  return JsonObject(content_, file_.string()).string("description", "");
}

bool Catalog::has_role(const std::string& role) const { return content_.at("roles").contains(role); }

std::map<std::string, std::string> Catalog::missed() const {
  std::map<std::string, std::string> missed;
  const JsonObject top(content_, file_.string());
  if (!top.has("missed")) return missed;
  const JsonObject claims = top.object("missed");
  for (const auto& [claim, why] : claims.raw().items()) missed[claim] = claims.string(claim);
  return missed;
}

std::vector<PromptSource> Catalog::sources(const std::string& role) const {
  const Json& roles = content_.at("roles");
  if (!roles.contains(role)) {
    throw InputError("{}: no role {}{} (roles: {})", file_.string(), role,
                     did_you_mean(role, names_of(roles)), join(names_of(roles), ", "));
  }
  const Json& entries = roles.at(role);
  if (!entries.is_array()) throw InputError("{}: /roles/{} must be a list", file_.string(), role);
  std::vector<PromptSource> sources;
  for (const Json& entry : entries) {
    sources.push_back(
        source_of(entry, fmt::format("{}: /roles/{}/{}", file_.string(), role, sources.size())));
  }
  return sources;
}

std::optional<std::filesystem::path> Catalog::model() const {
  if (!content_.contains("model")) return std::nullopt;
  return path_of(content_.at("model"), file_.string() + ": /model");
}

std::optional<std::filesystem::path> Catalog::model_named(const std::string& name) const {
  const Json& models = content_.value("models", Json::object());
  if (!models.contains(name)) return std::nullopt;
  return path_of(models.at(name), fmt::format("{}: /models/{}", file_.string(), name));
}

}  // namespace hrt
