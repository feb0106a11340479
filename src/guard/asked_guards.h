#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/probe/source.h"

namespace hrt {

// Generative guards that are checkpoints (key `ask`): each is asked its question about every prompt, in a run
// of `hrt steer`.
class AskedGuards {
 public:
  // Throws InputError: no such question or model.
  explicit AskedGuards(const Json& config);

  // A question file's name without its ending, or the question's.
  std::vector<std::string> names() const;
  // What `ask` writes into its folder.
  std::vector<std::string> files() const;
  // Asks about the requests of `prompts`, in a run FOLDER/NAME for each guard, taken up where it was left.
  // Returns the runs, by name. Throws InputError for a prompt without a text.
  std::vector<std::pair<std::string, std::filesystem::path>> ask(
      const std::filesystem::path& folder, const std::vector<ProbePrompt>& prompts) const;

 private:
  struct Asked {
    std::string name;
    Json config;  // of `hrt steer`
  };
  std::vector<Asked> guards_;
};

}  // namespace hrt
