#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "hrt/base/error.h"
#include "hrt/base/json.h"
#include "hrt/experiment/config_keys.h"
#include "hrt/experiment/prompt_set.h"

namespace hrt {

// A complete run directory, read back. No model and no tokenizer is opened: prompts have their records,
// tokens and positions, but no text of their tokens.
class StoredRun {
 public:
  // Throws InputError: no run, one that is not complete, or one of another command.
  StoredRun(const std::filesystem::path& path, Command command);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file(const std::string& name) const { return path_ / name; }
  const Json& manifest() const { return manifest_; }
  const Json& config() const { return config_; }  // all its keys, checked
  std::string template_name() const;
  std::string model_fingerprint() const;
  std::string dtype() const;  // that the model computed in
  // Numbers of the rows that were captured.
  std::vector<std::int64_t> rows() const;

  const PromptSet& set() const { return set_; }
  // The lines of prompts.jsonl, one for each prompt of `set`.
  const std::vector<Json>& prompt_lines() const { return prompt_lines_; }
  // The lines of replies.jsonl, each of a prompt of `set`; none where the run has no replies. Throws
  // InputError where they are not all that the run wrote.
  std::vector<Json> reply_lines() const;
  // Its activations.safetensors, which may lie in the run that it was made from. Throws InputError for a run
  // that stored none.
  std::filesystem::path activations() const;

 private:
  std::filesystem::path path_;
  Command command_;
  Json manifest_;
  Json config_;
  std::vector<Json> prompt_lines_;
  PromptSet set_;
};

// "FILE: not as hrt writes it: ..."
InputError not_as_written(const std::filesystem::path& file, const Json::exception& error);

// What `read` takes out of the fields of a run's `file`, which somebody may have changed. Throws InputError.
template <typename Read>
auto as_written(const std::filesystem::path& file, Read read) {
  try {
    return read();
  } catch (const Json::exception& error) {
    throw not_as_written(file, error);
  }
}

// An outcome or a verdict as a run's files name it; everything but a refusal and an acceptance is unknown.
Outcome stored_outcome(const Json& name);

// The prompts of a run's prompts.jsonl, with the positions named in `positions`. Throws InputError
// "FILE:LINE: ...".
PromptSet read_stored_prompts(const std::filesystem::path& file, const std::vector<std::string>& positions);

}  // namespace hrt
