#include "hrt/experiment/second_judge.h"

#include <fmt/format.h>

#include "hrt/base/error.h"
#include "hrt/base/hash.h"
#include "hrt/base/paths.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

constexpr std::size_t kNamed = 20;

std::variant<Judge, VerdictFile> open(const Json& config) {
  if (!config.at("verdicts").is_null()) return VerdictFile(config.at("verdicts").get<std::string>());
  return Judge::load(config.at("judge"), data_dir());
}

void put(const Verdict& verdict, Json& line) {
  line["verdict"] = outcome_name(verdict.outcome);
  line["rule"] = verdict.rule;
}

void judge_texts(const Judge& judge, std::vector<Json>& lines) {
  for (Json& line : lines) {
    const Json text = line.value("text", Json());
    put(text.is_string() ? judge.judge(text.get_ref<const std::string&>()) : Verdict{}, line);
  }
}

std::string reply_name(const std::string& id, const std::string& cell) {
  return escape_for_terminal(cell.empty() ? id : fmt::format("{} ({})", id, cell));
}

std::string take_verdicts(const VerdictFile& file, std::vector<Json>& lines) {
  std::vector<std::string> missing;
  for (Json& line : lines) {
    const std::string id = line.value("id", "");
    const std::string cell = line.value("cell", "");
    if (const Verdict* verdict = file.find(id, cell)) {
      put(*verdict, line);
    } else {
      missing.push_back(reply_name(id, cell));
    }
  }
  if (missing.empty() && file.size() == lines.size()) return "";
  if (missing.empty()) {
    return fmt::format("{}: no reply of the run for {}", file.file().string(),
                       counted(file.size() - lines.size(), "verdict"));
  }
  const std::size_t unnamed = missing.size() > kNamed ? missing.size() - kNamed : 0;
  const std::size_t count = missing.size();
  missing.resize(count - unnamed);
  throw InputError("{}: no verdict on {} of {} replies: {}{}", file.file().string(), count, lines.size(),
                   join(missing, ", "), unnamed == 0 ? "" : fmt::format(" and {} more", unnamed));
}

}  // namespace

SecondJudge::SecondJudge(const Json& config) : judge_(open(config)) {}

std::string SecondJudge::name() const {
  if (const Judge* by_phrases = judge()) return by_phrases->name();
  return "verdicts of " + std::get<VerdictFile>(judge_).file().string();
}

Json SecondJudge::identity() const {
  if (judge() != nullptr) return name();
  return {{"verdicts", sha256_of_file(std::get<VerdictFile>(judge_).file())}};
}

std::string SecondJudge::judge_again(std::vector<Json>& lines) const {
  if (const auto* file = std::get_if<VerdictFile>(&judge_)) return take_verdicts(*file, lines);
  judge_texts(*judge(), lines);
  return "";
}

}  // namespace hrt
