#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "temporary_folder.h"

namespace hrt::testing {

struct ProcessResult {
  int code = 0;  // exit code, or 128 + signal when a signal ended it
  std::string out;
  std::string err;
};

// Runs the hrt binary to its end. `env` are further NAME=VALUE settings.
ProcessResult run_hrt(const std::vector<std::string>& arguments, const std::vector<std::string>& env = {});

// The same by a shell that runs `script`, in which "$@" is the command: `exec "$@" >&-`.
ProcessResult run_hrt_in_shell(const std::string& script, const std::vector<std::string>& arguments);

// Starts the binary, waits until `ready` says so (or it ended), sends it `signal`, and waits for its end.
ProcessResult interrupt_hrt(const std::vector<std::string>& arguments, const std::function<bool()>& ready,
                            int signal);

// What a run that is not complete keeps of its finished group of this number.
std::filesystem::path group_file(const std::filesystem::path& run, int group);

std::string read_text(const std::filesystem::path& file);

// The folder of a tiny checkpoint that is committed with the tests.
std::string tiny_checkpoint(const std::string& name);

// `count` prompts as token ids, of lengths 1..longest, without a common beginning; ids below `vocabulary`.
std::string token_prompts(int count, int longest, int vocabulary, bool labels = true);

}  // namespace hrt::testing
