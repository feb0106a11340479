#pragma once

#include <filesystem>
#include <string>

#include "hrt/experiment/prompt_run.h"
#include "hrt/experiment/run_directory.h"

namespace hrt {

// All that can be said of a run's output folder before anything is written there: whether it may be used,
// whether it can be resumed with this identity (of changed prompts it says which), whether the disk has room.
// Throws InputError, and RunError for the disk. Changes nothing.
Found check_output(const std::filesystem::path& out, IfExists if_exists, const PromptRun& prompts,
                   const Json& identity);

// What a run would do with what it finds: "new", "replaces the run that is there", ...
std::string in_words(Found found, IfExists if_exists);

}  // namespace hrt
