#include "hrt/experiment/run_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <set>

#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/log.h"
#include "hrt/base/temporary_name.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

constexpr const char* kManifest = "manifest.json";
constexpr const char* kLock = ".lock";

bool is_fingerprint(const Json& value) {
  constexpr std::size_t kDigits = 64;  // of SHA-256
  if (!value.is_string()) return false;
  const std::string text = value;
  return text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string first_difference(const Json& before, const Json& now, const std::string& pointer = "") {
  if (before == now) return "";
  if (!before.is_object() || !now.is_object()) {
    if (is_fingerprint(before) && is_fingerprint(now))
      return fmt::format("{} is another one, by its fingerprint (was {:.8}..., now {:.8}...)", pointer,
                         before.get<std::string>(), now.get<std::string>());
    return fmt::format("{} was {}, now {}", pointer, to_line(before), to_line(now));
  }
  for (const auto& [key, value] : now.items()) {
    const std::string inner = first_difference(before.value(key, Json()), value, pointer + "/" + key);
    if (!inner.empty()) return inner;
  }
  for (const auto& [key, value] : before.items()) {
    if (!now.contains(key)) return fmt::format("{}/{} was {}, now absent", pointer, key, to_line(value));
  }
  return "";
}

// The status of a folder that is being cleared for a new run: of what it holds, nothing counts any more.
constexpr const char* kCleared = "cleared";

bool is_ours(const fs::path& folder) { return fs::is_regular_file(folder / kManifest); }

// Holds nothing, or no more than a run that was killed before its first manifest leaves.
bool is_blank(const fs::path& folder) {
  return fs::is_directory(folder) &&
         std::ranges::all_of(fs::directory_iterator(folder), [](const fs::directory_entry& entry) {
           const std::string name = entry.path().filename();
           return name == kLock || target_of_temporary(name) == kManifest ||
                  (name == "work" && entry.is_directory() && fs::is_empty(entry));
         });
}

using Names = std::set<std::string>;

// What a manifest notes as the run's own, whatever somebody wrote into it: names in the folder itself.
Names noted(const Json& manifest) {
  Names names;
  const Json files = manifest.value("files", Json());
  for (const Json& file : files.is_array() ? files : Json::array()) {
    const std::string name = file.is_string() ? file.get<std::string>() : "";
    if (!name.empty() && name != "." && name != ".." && fs::path(name).filename() == name) names.insert(name);
  }
  return names;
}

// A run in a run goes as that run does.
void remove_own(const fs::path& path) {
  if (is_ours(path)) {
    remove_run(path);
  } else {
    fs::remove_all(path);
  }
}

// Removes the run that is there, and what `hrt report` wrote into it. A kill in the middle of it leaves
// neither half a run that looks whole nor one that can be resumed.
void clear(const fs::path& folder) {
  Names own;
  if (is_ours(folder)) {
    own = noted(read_manifest(folder));
    const Json cleared{{"status", kCleared}, {"identity", Json::object()}, {"files", own}};
    write_file(folder / kManifest, cleared.dump() + "\n");
    own.insert({"report.html", "report.md", "figures"});
  }
  own.insert("work");
  std::vector<fs::path> ours;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string whole = target_of_temporary(entry.path());
    if (own.contains(entry.path().filename()) || own.contains(whole) || whole == kManifest)
      ours.push_back(entry.path());
  }
  for (const fs::path& path : ours) remove_own(path);
}

void check_writable(const fs::path& path) {
  const fs::path folder = existing_part(path);
  if (!fs::is_directory(folder))
    throw InputError("{}: cannot be created: {} is no folder", path.string(), folder.string());
  if (access(folder.c_str(), W_OK | X_OK) != 0)
    throw InputError("{}: cannot be written: {}: {}", path.string(), folder.string(), std::strerror(errno));
}

}  // namespace

Json read_manifest(const fs::path& run) {
  const fs::path file = run / kManifest;
  Json manifest = read_json(file);
  const JsonObject checked(manifest, file.string());
  if (!checked.has("status") || !checked.has("identity")) {
    throw InputError("{}: no manifest of hrt's: /status and /identity are missing", file.string());
  }
  static_cast<void>(checked.string("status"));
  static_cast<void>(checked.object("identity"));
  static_cast<void>(checked.string("command", ""));
  if (checked.has("config")) static_cast<void>(checked.object("config"));
  return manifest;
}

std::string now_utc() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[sizeof "2026-01-31T12:00:00Z"];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

InputError another_run(const fs::path& path, const std::string& difference) {
  return InputError("{}: cannot be resumed: {}; --overwrite replaces it", path.string(), difference);
}

void check_apart(const fs::path& out, const fs::path& input) {
  const fs::path inner = fs::weakly_canonical(input);
  const fs::path outer = fs::weakly_canonical(out);
  const bool inside =
      std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
  if (inside) throw InputError("{}: holds the run that is read ({})", out.string(), input.string());
}

void remove_run(const fs::path& path) {
  clear(path);
  fs::remove(path / kManifest);
  fs::remove(path / kLock);
  if (fs::is_empty(path)) fs::remove(path);
}

fs::path existing_part(fs::path path) {
  while (!fs::exists(path) && path.has_relative_path()) path = path.parent_path();
  return path.empty() ? "." : path;
}

Found RunDirectory::look(const fs::path& path, IfExists if_exists) {
  bool exists = fs::exists(path) && !is_blank(path);
  if (exists && !is_ours(path)) {
    throw InputError("{}: exists and holds no run of hrt; nothing was changed", path.string());
  }
  const Json status = exists ? read_manifest(path).at("status") : Json();
  exists = exists && status != kCleared;
  if (exists && if_exists == IfExists::kRefuse) {
    throw InputError("{}: a run is there already: --resume continues it, --overwrite replaces it",
                     path.string());
  }
  check_writable(path);
  if (!exists) return Found::kNothing;
  return status == "complete" ? Found::kComplete : Found::kRunning;
}

std::string RunDirectory::difference(const fs::path& path, const Json& identity) {
  return first_difference(read_manifest(path).at("identity"), identity);
}

RunDirectory::RunDirectory(const fs::path& path, IfExists if_exists, const Json& identity) : path_(path) {
  const Found found = look(path, if_exists);
  if (found != Found::kNothing && if_exists == IfExists::kResume) {
    resume(identity);
  } else {
    create(identity);
  }
}

RunDirectory::~RunDirectory() {
  if (lock_ >= 0) close(lock_);
}

void RunDirectory::create(const Json& identity) {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) throw InputError("{}: cannot be created: {}", path_.string(), error.message());
  lock();
  clear(path_);
  fs::create_directories(work());
  manifest_["status"] = "running";
  manifest_["started"] = now_utc();
  manifest_["identity"] = identity;
  manifest_["warnings"] = Json::array();
  manifest_["files"] = Json::array();
  save();
}

void RunDirectory::resume(const Json& identity) {
  lock();
  manifest_ = read_manifest(path_);
  const std::string changed = first_difference(manifest_.at("identity"), identity);
  if (!changed.empty()) throw another_run(path_, changed);
  resumed_ = true;
  if (complete()) return;
  drop_temporaries();
  fs::create_directories(work());
}

void RunDirectory::lock() {
  const fs::path file = path_ / kLock;
  lock_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock_ < 0) throw InputError("{}: cannot be written: {}", path_.string(), std::strerror(errno));
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0)
    throw InputError("{}: another process is at work on this run", path_.string());
}

// Of files that a process was writing when it was killed.
void RunDirectory::drop_temporaries() const {
  Names own = noted(manifest_);
  own.insert(kManifest);
  std::vector<fs::path> left;
  for (const fs::directory_entry& entry : fs::directory_iterator(path_)) {
    if (own.contains(target_of_temporary(entry.path()))) left.push_back(entry.path());
  }
  if (fs::is_directory(work())) {
    for (const fs::directory_entry& entry : fs::directory_iterator(work())) {
      if (!target_of_temporary(entry.path()).empty()) left.push_back(entry.path());
    }
  }
  for (const fs::path& path : left) fs::remove(path);
}

fs::path RunDirectory::file(const std::string& name) {
  Json& files = manifest_["files"];
  if (!files.is_array()) files = Json::array();
  if (std::find(files.begin(), files.end(), name) == files.end()) {
    files.push_back(name);
    save();
  }
  return path_ / name;
}

void RunDirectory::save() const { write_file(path_ / kManifest, manifest_.dump(2) + "\n"); }

void RunDirectory::warn(const std::string& message) {
  spdlog::warn("warning: {}", message);
  Json& warnings = manifest_["warnings"];
  if (std::find(warnings.begin(), warnings.end(), message) == warnings.end()) warnings.push_back(message);
}

void RunDirectory::finish(int exit_code) {
  manifest_["status"] = "complete";
  manifest_["finished"] = now_utc();
  manifest_["exit_code"] = exit_code;
  save();
  std::error_code ignored;
  fs::remove_all(work(), ignored);
}

}  // namespace hrt
