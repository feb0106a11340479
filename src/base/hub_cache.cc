#include "hrt/base/hub_cache.h"

#include <algorithm>
#include <string>

#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/paths.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxRefBytes = 256;
constexpr std::string_view kModels = "models--";

// models--ORG--NAME
std::string folder_name(std::string_view name) {
  const std::size_t slash = name.find('/');
  return fmt::format("{}{}--{}", kModels, name.substr(0, slash), name.substr(slash + 1));
}

// The commit that a ref names; a name of one folder, so that it leads nowhere else.
std::string commit_of(const fs::path& ref) {
  const std::string text = read_file(ref, kMaxRefBytes);
  const std::string commit(trim(text));
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (commit.empty() || !std::ranges::all_of(commit, is_hex))
    throw InputError("{}: expected a commit", ref.string());
  return commit;
}

}  // namespace

bool is_hub_name(std::string_view name) {
  const auto is_part = [](std::string_view part) {
    return !part.empty() && part.front() != '.' && part.front() != '~' &&
           part.find("--") == std::string_view::npos;
  };
  const std::size_t slash = name.find('/');
  return slash != std::string_view::npos && name.find('/', slash + 1) == std::string_view::npos &&
         is_part(name.substr(0, slash)) && is_part(name.substr(slash + 1));
}

fs::path hub_cache() {
  if (const std::string cache = environment("HF_HUB_CACHE"); !cache.empty()) return cache;
  if (const std::string home = environment("HF_HOME"); !home.empty()) return fs::path(home) / "hub";
  if (const std::string cache = environment("XDG_CACHE_HOME"); !cache.empty())
    return fs::path(cache) / "huggingface/hub";
  return fs::path(environment("HOME")) / ".cache/huggingface/hub";
}

std::string cached_name(const fs::path& folder) {
  const fs::path path = folder.lexically_normal();
  const fs::path snapshot = path.has_filename() ? path : path.parent_path();
  if (snapshot.parent_path().filename() != "snapshots") return {};
  const std::string model = snapshot.parent_path().parent_path().filename().string();
  if (!model.starts_with(kModels)) return {};
  std::string name = model.substr(kModels.size());
  const std::size_t dashes = name.find("--");
  return dashes == std::string::npos ? name : name.replace(dashes, 2, "/");
}

fs::path cached_model(std::string_view name) {
  const fs::path model = hub_cache() / folder_name(name);
  if (!fs::is_directory(model)) {
    throw InputError("{}: no such folder, and not in the Hugging Face cache: no {} (nothing is downloaded)",
                     name, model.string());
  }
  const fs::path ref = model / "refs/main";
  if (!fs::exists(ref)) throw InputError("{}: no {}, which says what snapshot to take", name, ref.string());
  const fs::path snapshot = model / "snapshots" / commit_of(ref);
  if (!fs::is_directory(snapshot)) {
    throw InputError("{}: {} names a snapshot that is not there: no {}", name, ref.string(),
                     snapshot.string());
  }
  return snapshot;
}

}  // namespace hrt
