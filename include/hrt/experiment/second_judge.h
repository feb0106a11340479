#pragma once

#include <string>
#include <variant>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/data/judge.h"
#include "hrt/data/verdict_file.h"

namespace hrt {

// Judges replies that are stored already: by the config's judge, or by the verdicts of another one.
class SecondJudge {
 public:
  // Throws InputError: an unknown judge, a broken file.
  explicit SecondJudge(const Json& config);

  // As the manifest calls it: "arditi2024", "verdicts of FILE".
  std::string name() const;
  // What decides the verdicts, beside the replies.
  Json identity() const;
  // The judge, for parts of replies; nullptr where verdicts were given, which are about whole ones.
  const Judge* judge() const { return std::get_if<Judge>(&judge_); }

  // Puts verdict and rule into lines of replies.jsonl. Throws InputError listing the replies without a given
  // verdict. Returns a warning about given verdicts that no reply took, or nothing.
  std::string judge_again(std::vector<Json>& lines) const;

 private:
  std::variant<Judge, VerdictFile> judge_;
};

}  // namespace hrt
