#include "answers.h"

#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "guard_runs.h"
#include "hrt/analysis/linear_classifier.h"
#include "hrt/analysis/ngrams.h"
#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/log.h"
#include "hrt/base/strings.h"
#include "hrt/data/inversion.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

// Prompt files may number their prompts.
std::string id_of(const JsonObject& line) {
  const Json* id = line.find("id");
  return id != nullptr && id->is_number_integer() ? id->dump() : line.string("id");
}

bool is_harmful(const JsonObject& line) {
  const std::string verdict = line.string("verdict");
  for (const bool harmful : {true, false}) {
    if (verdict == verdict_name(harmful)) return harmful;
  }
  throw InputError("{}: expected harmful or harmless, found \"{}\"", line.where("verdict"),
                   escape_for_terminal(verdict));
}

// Puts a line's answer in its place.
void take(const JsonObject& line, std::size_t prompt, GuardAnswers& answers) {
  const char* score = line.has("score") ? "score" : "delta_harmful";
  if (line.has(score)) answers.scores[prompt] = line.number(score);
  if (!line.has("verdict") && !line.has(score))
    throw InputError("{}: expected a verdict or a score", line.where("verdict"));
  answers.harmful[prompt] = line.has("verdict") ? is_harmful(line) : *answers.scores[prompt] > 0;
}

// What a model said that was asked (`hrt steer --task inversion`): yes is harmful. The probabilities of its
// answers as the first token make a score.
void take_reply(const JsonObject& line, std::size_t prompt, GuardAnswers& answers) {
  if (!line.has("first_token_answer")) {
    throw InputError("{}: no answer to a question: ask with `hrt steer --task inversion --question ...`",
                     line.where("verdict"));
  }
  const std::string verdict = line.string("verdict");
  if (verdict == answer_name(Answer::kOther)) return;
  answers.harmful[prompt] = verdict == answer_name(Answer::kYes);
  if (line.string("first_token_answer") == verdict)
    answers.scores[prompt] = line.number("yes") - line.number("no");
}

// Where some replies begin otherwise (with a line break), their first tokens tell nothing: no scores then.
void keep_whole_scores(GuardAnswers& answers) {
  for (std::size_t i = 0; i < answers.harmful.size(); ++i) {
    if (answers.harmful[i] && !answers.scores[i])
      return answers.scores.assign(answers.scores.size(), std::nullopt);
  }
}

// Training prompts that have a text.
struct Texts {
  std::vector<std::string> texts;
  std::vector<bool> harmful;
};

Texts training_texts(const Guard& guard, const std::vector<std::string>& runs) {
  std::unordered_set<std::string> wanted(guard.training.begin(), guard.training.end());
  Texts texts;
  const auto source = open_prompts(runs, Json::array());
  for (const ProbePrompt& prompt : source->prompts()) {
    if (prompt.request.empty() || prompt.label == Label::kNone || wanted.erase(request_hash(prompt)) == 0)
      continue;
    texts.texts.push_back(prompt.request);
    texts.harmful.push_back(prompt.label == Label::kHarmful);
  }
  return texts;
}

}  // namespace

GuardAnswers own_answers(const Guard& guard, const ProbeSource& prompts) {
  GuardAnswers answers(kOwnName, prompts.prompts().size());
  const GuardScorer scorer(guard);
  const std::vector<std::int64_t> places = places_of_rows(guard, prompts.rows());
  const PositionRows rows = prompts.rows_at(kGuardPosition);
  for (std::size_t i = 0; i < rows.prompts.size(); ++i) {
    const at::Tensor all = rows.rows[static_cast<std::int64_t>(i)];
    const auto verdict = scorer.judge(all.index_select(0, at::tensor(places)));
    if (!verdict) continue;
    const std::size_t prompt = rows.prompts[i];
    answers.harmful[prompt] = verdict->harmful;
    answers.scores[prompt] = verdict->delta;
    answers.probabilities[prompt] = verdict->probability;
  }
  return answers;
}

fs::path answers_file(const fs::path& path) { return fs::is_directory(path) ? path / "replies.jsonl" : path; }

GuardAnswers read_answers(const std::string& name, const fs::path& path,
                          const std::vector<ProbePrompt>& prompts) {
  const fs::path file = answers_file(path);
  const bool is_run = file != path;
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < prompts.size(); ++i) places.emplace(prompts[i].id, i);
  GuardAnswers answers(name, prompts.size());
  std::int64_t number = 0;
  std::size_t found = 0;
  std::size_t others = 0;
  for (const std::string& text : split(read_file(file), '\n')) {
    ++number;
    if (trim(text).empty()) continue;
    const Json value = parse_json(text, file.string(), number);
    const JsonObject line(value, fmt::format("{}:{}", file.string(), number));
    const auto place = places.find(id_of(line));
    if (place == places.end()) {
      ++others;
      continue;
    }
    if (answers.harmful[place->second])
      throw InputError("{}: an answer to this prompt stands before it", line.where("id"));
    (is_run ? take_reply : take)(line, place->second, answers);
    ++found;
  }
  if (is_run) keep_whole_scores(answers);
  if (found == 0) throw InputError("{}: no line is about one of these prompts", file.string());
  if (others > 0) spdlog::warn("warning: {}: {} about other prompts", file.string(), counted(others, "line"));
  return answers;
}

NgramBaseline ngram_answers(const Guard& guard, const std::vector<std::string>& runs,
                            const std::vector<ProbePrompt>& prompts) {
  NgramBaseline baseline;
  for (const std::string& run : runs) {
    if (fs::exists(run)) continue;
    baseline.reason =
        fmt::format("{}, where the guard was fitted, is not there any more (--ngrams RUN)", run);
    return baseline;
  }
  const Texts training = training_texts(guard, runs);
  baseline.harmful = std::ranges::count(training.harmful, true);
  baseline.harmless = std::ranges::count(training.harmful, false);
  if (baseline.harmful == 0 || baseline.harmless == 0) {
    baseline.reason = "the texts of the training prompts are not in " + join(runs, ", ");
    return baseline;
  }
  const auto classifier =
      fit_logistic(ngram_features(training.texts), training.harmful, {.standardize = false});
  std::vector<std::string> texts;
  for (const ProbePrompt& prompt : prompts) texts.push_back(prompt.request);
  const std::vector<double> scores = classifier->scores(ngram_features(texts));
  baseline.answers.emplace(kNgramName, prompts.size());
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    if (prompts[i].request.empty()) continue;
    baseline.answers->harmful[i] = scores[i] > 0;
    baseline.answers->scores[i] = scores[i];
  }
  return baseline;
}

}  // namespace hrt
