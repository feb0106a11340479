#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrt/base/strings.h"

namespace hrt {

class Tokenizer;

// One turn of an exchange. `role` is system, user or assistant.
struct Message {
  std::string role;
  std::string content;
  bool operator==(const Message&) const = default;
};

// What a piece of a templated prompt is. The instruction is the last user turn's text; `history` are the
// texts of the turns before it; `template` is what the template itself writes before the instruction,
// `post_instruction` what it writes after it; `prefill` is the text of an assistant turn that the model is to
// continue. In a frame (below) the text before the instruction is `template`, too.
enum class Part { kBos, kTemplate, kSystem, kHistory, kInstruction, kQuestion, kPostInstruction, kPrefill };
std::string_view part_name(Part part);

// What the last user turn says around the instruction, as in reply inversion: `User wants to {x}` and, on a
// line of its own, a question.
struct Frame {
  std::string before;
  std::string between;
  std::string question;
  bool operator==(const Frame&) const = default;
};

struct TemplateOptions {
  // System text for exchanges that bring none of their own; without it the template's default, if it has one.
  std::optional<std::string> system = {};
  // The model is to write next: the generation prompt is appended, or, where the exchange ends in an
  // assistant turn, that turn is left open (a prefill). Otherwise every turn is closed and nothing follows.
  bool generation_prompt = true;
  // False: the text ends with the instruction (table 1 of the paper).
  bool post_instruction = true;
  // False: the BOS that opens the text is left out.
  bool bos = true;
  std::optional<Frame> frame = {};
  // What the template takes, such as date_string.
  std::map<std::string, std::string> args = {};
};

struct Piece {
  ByteSpan span;
  Part part = Part::kTemplate;
};

struct RenderedPrompt {
  std::string text;
  std::vector<Piece> pieces;       // in order, without gaps; only the instruction may be empty
  std::vector<ByteSpan> contents;  // where the messages' own texts are: markers in there are plain text
  ByteSpan instruction;            // after the template's trimming
  ByteSpan user;  // the last user turn's text: the instruction, with its frame if there is one
};

// A turn of one role: what stands around its text, and whether the text is stripped as Python's str.strip
// does.
struct TurnFormat {
  std::string before;
  std::string after;
  bool strip = false;
};

enum class SystemPlace {
  kOwnTurn,
  // Inside the first user turn. user.strip then works on system block and text together.
  kFirstUserTurn,
};

// A chat template as data. `{NAME}` in `preamble` is replaced by the argument of that name.
struct TemplateSpec {
  std::string name;
  std::string bos = {};         // text of the BOS that opens the prompt, or empty
  bool bos_every_turn = false;  // it opens every user turn
  TurnFormat system = {};
  TurnFormat user = {};
  TurnFormat assistant = {};
  std::string generation_prompt = {};
  std::optional<std::string> default_system = {};  // the system text when the caller gives none
  std::string preamble = {};  // stands before the text of a system turn that opens the exchange
  SystemPlace system_place = SystemPlace::kOwnTurn;
  bool alternate = false;                        // user and assistant turns must alternate
  std::map<std::string, std::string> args = {};  // what it takes, with the defaults
  std::vector<std::string> markers = {};         // tokens that it writes, its BOS included
  std::vector<std::string> end_of_turn = {};     // the model ends its reply with one of these
};

// Renders exchanges as text, with the place of every part. Immutable.
class ChatTemplate {
 public:
  explicit ChatTemplate(TemplateSpec spec) : spec_(std::move(spec)) {}

  const std::string& name() const { return spec_.name; }
  // The whole text is the instruction, nothing is added.
  bool raw() const { return spec_.name == "raw"; }
  const TemplateSpec& spec() const { return spec_; }
  const std::vector<std::string>& markers() const { return spec_.markers; }
  const std::vector<std::string>& end_of_turn() const { return spec_.end_of_turn; }

  // Throws InputError: no user turn, an unknown role, an exchange that the template refuses, an unknown
  // argument.
  RenderedPrompt render(const std::vector<Message>& messages, const TemplateOptions& options = {}) const;

 private:
  TemplateSpec spec_;
};

std::vector<std::string> template_names();

// A built-in template. Throws InputError with the nearest name and the list of names.
ChatTemplate template_by_name(std::string_view name);

struct TemplateChoice {
  std::string name;
  std::string reason;  // one line for people
};

// `--template auto`: the template whose text stands in the checkpoint's tokenizer_config.json (or
// chat_template.jinja), if the vocabulary has its markers. Throws InputError when that does not decide.
TemplateChoice choose_template(const std::filesystem::path& folder, const Tokenizer& tokenizer);

}  // namespace hrt
