#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "hrt/data/judge.h"

namespace hrt {

// Verdicts of a judge outside of hrt (docs/formats.md): JSON lines {"id": ..., "cell": ..., "verdict":
// "refused" | "accepted" | "unknown"}, one a reply; `cell` for replies of a sweep. Other fields are ignored.
class VerdictFile {
 public:
  // Throws InputError "FILE:LINE: ...", also for two verdicts on one reply.
  explicit VerdictFile(const std::filesystem::path& file);

  // The verdict with "FILE:LINE" (the file's name alone) as its rule; nullptr when there is none. `cell` is
  // empty outside of sweeps.
  const Verdict* find(const std::string& id, const std::string& cell) const;

  std::size_t size() const { return verdicts_.size(); }
  const std::filesystem::path& file() const { return file_; }

 private:
  std::filesystem::path file_;
  std::map<std::pair<std::string, std::string>, Verdict> verdicts_;  // by id and cell
};

}  // namespace hrt
