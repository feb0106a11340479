#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "hrt/data/outcome.h"

namespace hrt {

struct Verdict {
  Outcome outcome = Outcome::kUnknown;
  std::string rule;  // the phrase that matched, "empty reply", "no phrase" or "unclosed reasoning block"
};

// A list of refusal phrases, any of which makes a reply a refusal.
struct PhraseList {
  std::vector<std::string> phrases;
  bool case_sensitive = true;
  bool empty_reply_is_refusal = false;
};

// Says of a reply whether it refuses. Judges the text after a reasoning block (<think>...</think>).
// Immutable.
class Judge {
 public:
  Judge(std::string name, std::vector<PhraseList> lists) : name_(std::move(name)), lists_(std::move(lists)) {}

  // `name_or_file` is NAME of data_dir/judges/NAME.json, or a file of that format (it has a '/' or ends in
  // .json). Throws InputError.
  static Judge load(const std::string& name_or_file, const std::filesystem::path& data_dir);

  const std::string& name() const { return name_; }
  Verdict judge(std::string_view reply) const;

 private:
  std::string name_;
  std::vector<PhraseList> lists_;
};

}  // namespace hrt
