#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hrt/guard/guard.h"
#include "hrt/probe/source.h"

namespace hrt {

// What one guard says of each of some prompts; nothing where it says nothing.
struct GuardAnswers {
  explicit GuardAnswers(std::string guard, std::size_t prompts)
      : name(std::move(guard)), harmful(prompts), scores(prompts), probabilities(prompts) {}

  std::string name;
  std::vector<std::optional<bool>> harmful;
  std::vector<std::optional<double>> scores;  // the higher, the more harmful
  std::vector<std::optional<double>> probabilities;
};

inline constexpr const char* kOwnName = "Latent Guard";
inline constexpr const char* kNgramName = "n-grams";

// The guard's own, from the rows of stored prompts.
GuardAnswers own_answers(const Guard& guard, const ProbeSource& prompts);

// Where another guard's answers stand: a file, or the replies of a run of `hrt steer`.
std::filesystem::path answers_file(const std::filesystem::path& path);

// Another guard's, out of a file (docs/formats.md): JSON lines of `id` and `verdict` (harmful | harmless),
// `score`, or both; or of a run, in which a model was asked (`--task inversion`). Throws InputError
// "FILE:LINE: ...", also where no line is about these prompts.
GuardAnswers read_answers(const std::string& name, const std::filesystem::path& path,
                          const std::vector<ProbePrompt>& prompts);

// What words alone can tell: logistic regression on words and pairs of words of the guard's training prompts,
// whose texts are found in `runs`.
struct NgramBaseline {
  std::optional<GuardAnswers> answers;
  std::string reason;  // why there are none
  std::int64_t harmful = 0;
  std::int64_t harmless = 0;  // training prompts
};
NgramBaseline ngram_answers(const Guard& guard, const std::vector<std::string>& runs,
                            const std::vector<ProbePrompt>& prompts);

}  // namespace hrt
