#include "checkpoint_warnings.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "hrt/base/hub_cache.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShownNames = 5;

// A model's name for comparing. `org` is empty where only a folder's name is known.
struct ModelName {
  std::string org;
  std::string name;

  // Names on the hub do not depend on case.
  bool may_be(const ModelName& other) const {
    const auto same = [](const std::string& a, const std::string& b) {
      return std::ranges::equal(
          a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
    };
    return same(name, other.name) && (org.empty() || other.org.empty() || same(org, other.org));
  }
  std::string text() const { return org.empty() ? name : org + "/" + name; }
};

// Of ORG/NAME, of a snapshot in the Hugging Face cache, or of any other folder.
ModelName name_of(const std::string& place) {
  if (const std::string cached = cached_name(place); !cached.empty()) return name_of(cached);
  if (is_hub_name(place)) return {place.substr(0, place.find('/')), place.substr(place.find('/') + 1)};
  const fs::path path = fs::path(place).lexically_normal();
  return {"", (path.has_filename() ? path : path.parent_path()).filename().string()};
}

}  // namespace

std::string list_names(const std::vector<std::string>& names) {
  std::vector<std::string> shown;
  for (const std::string& name : names) {
    if (shown.size() == kShownNames) break;
    shown.push_back(escape_for_terminal(name));
  }
  const std::string more =
      names.size() > kShownNames ? fmt::format(" and {} more", names.size() - kShownNames) : std::string();
  return join(shown, ", ") + more;
}

std::string unknown_keys_warning(const std::vector<std::string>& keys) {
  if (keys.empty()) return {};
  return fmt::format("config.json has keys that hrt does not know, which are ignored: {}", list_names(keys));
}

std::string unused_tensors_warning(const std::vector<std::string>& tensors, const fs::path& file) {
  if (tensors.empty()) return {};
  return fmt::format("{} holds {} that this model does not use: {}", file.filename().string(),
                     counted(tensors.size(), "tensor"), list_names(tensors));
}

std::string stop_tokens_warning(const std::vector<std::int64_t>& stop_tokens, std::int64_t vocabulary) {
  std::vector<std::int64_t> outside;
  std::ranges::copy_if(stop_tokens, std::back_inserter(outside),
                       [&](std::int64_t id) { return id < 0 || id >= vocabulary; });
  if (outside.empty()) return {};
  return fmt::format(
      "eos_token_id names what lies outside the vocabulary of {}, so that no reply ends with it: {}",
      vocabulary, fmt::join(outside, ", "));
}

std::string missing_maps_warning(const std::vector<std::string>& modules) {
  if (modules.empty()) return {};
  return fmt::format(
      "the adapter has no tensors of {} that its config targets, such as {}, which stay as in the base",
      counted(modules.size(), "module"), escape_for_terminal(modules.front()));
}

std::string base_model_warning(const std::string& base_model, const fs::path& folder, const Json& config) {
  if (base_model.empty()) return {};
  const ModelName base = name_of(base_model);
  const ModelName own = name_of(fs::absolute(folder).string());
  if (base.may_be(own)) return {};
  const Json written = config.value("_name_or_path", Json());
  const std::string origin = written.is_string() ? written.get<std::string>() : "";
  if (!origin.empty() && base.may_be(name_of(origin))) return {};
  return fmt::format("the adapter was made on {}, and this model is {}: it fits its own base alone",
                     escape_for_terminal(base.text()), escape_for_terminal(own.text()));
}

}  // namespace hrt
