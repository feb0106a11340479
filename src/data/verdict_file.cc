#include "hrt/data/verdict_file.h"

#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "hrt/data/record_file.h"

namespace hrt {
namespace {

Outcome outcome_of(const JsonObject& line) {
  const std::string text = line.string("verdict");
  for (const Outcome outcome : {Outcome::kRefused, Outcome::kAccepted, Outcome::kUnknown}) {
    if (text == outcome_name(outcome)) return outcome;
  }
  throw InputError("{}: expected refused, accepted or unknown, found \"{}\"", line.where("verdict"),
                   escape_for_terminal(text));
}

// Prompt files may number their prompts.
std::string id_of(const JsonObject& line) {
  const Json* id = line.find("id");
  return id != nullptr && id->is_number_integer() ? id->dump() : line.string("id");
}

}  // namespace

VerdictFile::VerdictFile(const std::filesystem::path& file) : file_(file) {
  if (file.extension() != ".jsonl") throw InputError("{}: verdicts are a .jsonl file", file.string());
  for_each_record(file, [&](const RawRecord& raw) {
    const JsonObject line(raw.value, fmt::format("{}:{}", file.string(), raw.line));
    const std::string rule = fmt::format("{}:{}", file.filename().string(), raw.line);
    const auto [known, is_new] = verdicts_.try_emplace(std::pair(id_of(line), line.string("cell", "")),
                                                       Verdict{outcome_of(line), rule});
    if (!is_new) {
      throw InputError("{}: a verdict on this reply stands already at {}", line.where("id"),
                       known->second.rule);
    }
    return true;
  });
  if (verdicts_.empty()) throw InputError("{}: no verdicts in it", file.string());
}

const Verdict* VerdictFile::find(const std::string& id, const std::string& cell) const {
  const auto found = verdicts_.find({id, cell});
  return found == verdicts_.end() ? nullptr : &found->second;
}

}  // namespace hrt
