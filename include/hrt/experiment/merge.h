#pragma once

#include <filesystem>
#include <vector>

#include "hrt/experiment/execute.h"

namespace hrt {

// `hrt merge`: one run out of all shards of it (`hrt extract --shard I/N`), which lie in `paths`, in any order.
// Opens no model. Counts, centroids and directions are those of the whole run. Throws InputError before
// anything is written where a shard is missing, given twice, not complete, of another run, or not as it was
// written, or where its rows were not its prompts' own. `options.out` says where to.
ExitCode run_merge(const std::vector<std::filesystem::path>& paths, const RunOptions& options);

}  // namespace hrt
