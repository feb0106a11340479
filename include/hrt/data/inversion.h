#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "hrt/text/chat_template.h"

namespace hrt {

// What a model says when it is asked about a request.
enum class Answer { kYes, kNo, kOther };
std::string_view answer_name(Answer answer);  // "yes", "no", "other"

// Whether a question is named by its file.
bool is_question_file(std::string_view question);

// Reply inversion (Zhao et al., 2507.11878, section 3.3): the request stands in a frame, and the model is
// asked whether it could do harm. `yes` and `no` are the words that it is told to answer with. A generative
// guard (Llama Guard and alike) is asked in the same way, by a frame and answers of its own.
struct Inversion {
  std::string name;  // of the question
  Frame frame;
  std::string yes;
  std::string no;
  std::optional<std::string> chat_template = {};  // the one that the frame is written for

  // `question`: a question file (it ends in .json; docs/formats.md), a name in
  // data_dir/inversion/questions.json, or the question's own text (it has a space). Throws InputError.
  static Inversion load(const std::string& question, const std::filesystem::path& data_dir);

  // By the first of the two words that stands in the reply, whole, in any case.
  Answer read(std::string_view reply) const;
};

}  // namespace hrt
