#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/experiment/shard.h"
#include "hrt/experiment/stored_run.h"

namespace hrt {

// A complete shard, and what a merge takes out of its manifest.
struct StoredShard {
  // Of the manifest's `template`, which count prompts.
  static constexpr std::array kTemplateCounts{"takes_leading_space", "kept_straddles", "skipped_straddles"};
  // Of its `row_identity`, which are sums over what was checked.
  static constexpr std::array kIdentityCounts{"prompts", "replies", "beyond_rounding", "other_first_tokens"};

  // Throws InputError: none of a run in shards, one that ended badly, or one whose manifest is not as
  // written.
  explicit StoredShard(const std::filesystem::path& path);

  StoredRun run;
  Shard shard;
  Json identity;  // without what differs between the shards of a run
  std::vector<std::string> warnings;
  Json row_identity;  // null: not checked
  std::int64_t replies = 0;
  std::int64_t unknown_replies = 0;  // by verdict
};

}  // namespace hrt
