#include "output_check.h"

#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "prompt_change.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

// What a run that was stopped has written already is part of what it needs.
std::uint64_t written_bytes(const fs::path& run) {
  std::uint64_t bytes = 0;
  if (!fs::is_directory(run / "work")) return bytes;
  for (const fs::directory_entry& entry : fs::directory_iterator(run / "work"))
    bytes += entry.is_regular_file() ? entry.file_size() : 0;
  return bytes;
}

void check_disk(const fs::path& run, const Estimate& estimate) {
  const auto [capacity, free, available] = fs::space(existing_part(run));
  if (capacity == 0) return;  // /proc and its like, which say nothing
  if (available + written_bytes(run) >= estimate.disk_bytes) return;
  throw RunError("{}: {} are needed, {} are free", run.string(), human_bytes(estimate.disk_bytes),
                 human_bytes(available));
}

void check_resumable(const fs::path& run, const PromptRun& prompts, const Json& identity) {
  std::string changed = RunDirectory::difference(run, identity);
  if (changed.starts_with("/prompts")) changed = prompt_change(run, prompts.set());
  if (!changed.empty()) throw another_run(run, changed);
}

}  // namespace

Found check_output(const fs::path& out, IfExists if_exists, const PromptRun& prompts, const Json& identity) {
  const Found found = RunDirectory::look(out, if_exists);
  if (found != Found::kNothing && if_exists == IfExists::kResume) check_resumable(out, prompts, identity);
  if (found != Found::kComplete) check_disk(out, prompts.estimate());
  return found;
}

std::string in_words(Found found, IfExists if_exists) {
  if (found == Found::kNothing) return "new";
  if (if_exists == IfExists::kOverwrite) return "replaces the run that is there";
  return found == Found::kComplete ? "complete already" : "resumes the run that is there";
}

}  // namespace hrt
