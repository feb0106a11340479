#include "hrt/data/inversion.h"

#include <algorithm>
#include <cctype>

#include "hrt/base/error.h"
#include "hrt/base/json.h"
#include "hrt/base/known_keys.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

bool is_word_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) != 0 || byte >= 0x80;
}

// Where `word` first stands as a whole word; npos: nowhere.
std::size_t find_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const bool begins = at == 0 || !is_word_byte(text[at - 1]);
    const std::size_t end = at + word.size();
    if (begins && (end == text.size() || !is_word_byte(text[end]))) return at;
  }
  return std::string_view::npos;
}

Frame split_frame(const std::string& text, const std::string& place) {
  const std::size_t request = text.find("{x}");
  const std::size_t question = text.find("{question}");
  if (request == std::string::npos || question == std::string::npos || question < request ||
      !text.ends_with("{question}")) {
    throw InputError("{}: expected a text with {{x}} that ends in {{question}}", place);
  }
  return {text.substr(0, request), text.substr(request + 3, question - request - 3), ""};
}

Inversion frame_and_answers(const JsonObject& object) {
  Inversion inversion;
  inversion.frame = split_frame(object.string("frame"), object.where("frame"));
  const JsonObject answers = object.object("answers");
  inversion.yes = answers.string("yes");
  inversion.no = answers.string("no");
  if (trim(inversion.yes).empty() || trim(inversion.no).empty())
    throw InputError("{}: expected two words, yes and no", object.where("answers"));
  return inversion;
}

Inversion load_file(const std::filesystem::path& file) {
  const Json content = read_json(file);
  const JsonObject object(content, file.string());
  check_known_keys(object, {"source", "template", "frame", "question", "answers"});
  Inversion inversion = frame_and_answers(object);
  inversion.name = file.stem().string();
  inversion.frame.question = object.string("question");
  if (object.has("template")) inversion.chat_template = object.string("template");
  return inversion;
}

}  // namespace

bool is_question_file(std::string_view question) { return question.ends_with(".json"); }

std::string_view answer_name(Answer answer) {
  return answer == Answer::kYes ? "yes" : answer == Answer::kNo ? "no" : "other";
}

Inversion Inversion::load(const std::string& question, const std::filesystem::path& data_dir) {
  if (is_question_file(question)) return load_file(question);
  const std::filesystem::path file = data_dir / "inversion" / "questions.json";
  const Json content = read_json(file);
  const JsonObject object(content, file.string());
  Inversion inversion = frame_and_answers(object);
  const JsonObject questions = object.object("questions");
  inversion.name = question;
  inversion.frame.question = question;
  if (question.find(' ') != std::string::npos) return inversion;
  if (!questions.has(question)) {
    std::vector<std::string> names;
    for (const auto& [name, text] : questions.raw().items()) names.push_back(name);
    throw InputError("--question {}: no such question{} ({}, FILE.json or a text)",
                     escape_for_terminal(question), did_you_mean(question, names), join(names, ", "));
  }
  inversion.frame.question = questions.string(question);
  return inversion;
}

Answer Inversion::read(std::string_view reply) const {
  const std::string text = lower(reply);
  const std::size_t at_yes = find_word(text, lower(yes));
  const std::size_t at_no = find_word(text, lower(no));
  if (at_yes == at_no) return Answer::kOther;  // neither
  return at_yes < at_no ? Answer::kYes : Answer::kNo;
}

}  // namespace hrt
