#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "hrt/base/error.h"
#include "hrt/base/json.h"

namespace hrt {

// What to do when the output folder is there already.
enum class IfExists { kRefuse, kResume, kOverwrite };

// What is in an output folder.
enum class Found { kNothing, kRunning, kComplete };

// A run directory (docs/formats.md): locked by this process for as long as the object lives, its manifest
// written atomically at every change. A run that stopped half-way keeps "status": "running". What else
// somebody keeps in the folder stays there.
class RunDirectory {
 public:
  // Creates the folder, or takes an existing one over. `identity` is what decides the run's numbers: resuming
  // needs the same, and names what differs. Throws InputError; nothing is removed but what a run of ours
  // wrote (kOverwrite).
  RunDirectory(const std::filesystem::path& path, IfExists if_exists, const Json& identity);
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;
  ~RunDirectory();

  // What the constructor would find, without touching it. Throws InputError where that would: another kind of
  // folder, a run and no word of what to do with it, a place where nothing can be written.
  static Found look(const std::filesystem::path& path, IfExists if_exists);
  // The first place where the run in `path` has another identity: "/config/judge was "zhao2025", now
  // "union"". Empty when there is none.
  static std::string difference(const std::filesystem::path& path, const Json& identity);

  const std::filesystem::path& path() const { return path_; }
  // Where the run writes a file or a folder of this name; the manifest notes it as the run's own.
  std::filesystem::path file(const std::string& name);
  // Scratch of this run, removed by `complete`.
  std::filesystem::path work() const { return path_ / "work"; }
  // An earlier process has begun (or ended) this run.
  bool resumed() const { return resumed_; }
  bool complete() const { return manifest_.value("status", "") == "complete"; }

  // The manifest in memory; `save` writes it.
  Json& manifest() { return manifest_; }
  void save() const;
  // A warning that stands in the manifest and is logged.
  void warn(const std::string& message);
  // Marks the run as complete with the code it ended with, and drops the scratch.
  void finish(int exit_code);

 private:
  void create(const Json& identity);
  void resume(const Json& identity);
  void lock();
  void drop_temporaries() const;

  std::filesystem::path path_;
  Json manifest_ = Json::object();
  bool resumed_ = false;
  int lock_ = -1;
};

// What refuses to resume the run in `path`, whose identity has this `difference`.
InputError another_run(const std::filesystem::path& path, const std::string& difference);

// Throws InputError where `out` is the run `input`, or holds it: overwriting the output must not take the
// input along.
void check_apart(const std::filesystem::path& out, const std::filesystem::path& input);

// Removes what the run in `path` wrote, and the folder when that leaves it empty.
void remove_run(const std::filesystem::path& path);

// The nearest folder above `path`, or itself, that is there.
std::filesystem::path existing_part(std::filesystem::path path);

// The manifest of a run directory. Throws InputError when the folder's manifest.json is none of hrt's.
Json read_manifest(const std::filesystem::path& run);

// "2026-01-31T12:00:00Z"
std::string now_utc();

}  // namespace hrt
