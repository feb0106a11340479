#pragma once

#include <ctime>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrt/base/json.h"
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
  // What the template takes, such as date_string. What the clock would say has to be here: see clock_args().
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
  std::optional<std::string> after_last =
      {};  // instead of `after`, at the end of an exchange that is complete
};

enum class SystemPlace {
  kOwnTurn,
  kStart,          // its own turn, and only as the first
  kFirstUserTurn,  // inside it, before the user's text
  kLastUserTurn,   // inside it, and only if the exchange ends with it; else the text is lost
  kNone,           // the template takes no system text
};

// What becomes of reasoning (`<think>...</think>`) in the texts of assistant turns.
enum class Reasoning {
  kKept,      // it is text as any other
  kDropped,   // all up to the last </think> is left out
  kFinalOnly  // likewise, but a final reply to the last query has a <think> block, if only an empty one
};

// Something that a template takes from the caller.
struct TemplateArg {
  std::string fallback = {};
  std::vector<std::string> values = {};  // which ones there are; empty: any text
  std::string clock = {};                // strftime's format: without a value it is the date of the run
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
  std::string no_thinking = {};  // follows the generation prompt if the argument enable_thinking is false
  std::string ending = {};       // follows an exchange without generation prompt or prefill
  std::optional<std::string> default_system = {};  // the system text when the caller gives none
  std::string preamble = {};  // stands before the text of a system turn that opens the exchange
  std::optional<TurnFormat> preamble_turn = {};  // the preamble is a turn of its own, in every exchange
  SystemPlace system_place = SystemPlace::kOwnTurn;
  bool skip_empty_system = false;  // no turn for an empty system text
  bool strip_with_system =
      false;  // user.strip works on the system block in the user turn and the text as one
  Reasoning reasoning = Reasoning::kKept;
  bool alternate = false;                        // user and assistant turns must alternate
  std::map<std::string, TemplateArg> args = {};  // what it takes
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

// The arguments that the clock gives: date_string of Llama-3.2 and gpt-oss, local time.
std::map<std::string, std::string> clock_args(const TemplateSpec& spec, std::time_t now);

std::vector<std::string> template_names();

// A built-in template. Throws InputError with the nearest name and the list of names.
ChatTemplate template_by_name(std::string_view name);

// Whether `--template` names a file of the user's own.
bool is_template_file(std::string_view name);

// A template of one's own (docs/formats.md, Template files), named after its file. Throws InputError.
ChatTemplate read_template(const std::filesystem::path& path);

// Out of such a file's content; `origin` names it in messages.
ChatTemplate parse_template(const Json& content, const std::string& name, const std::string& origin);

struct TemplateChoice {
  std::string name;
  std::string reason;  // one line for people
};

// `--template auto`: the template whose text stands in the checkpoint's tokenizer_config.json (or
// chat_template.jinja), if the vocabulary has its markers. Throws InputError when that does not decide.
TemplateChoice choose_template(const std::filesystem::path& folder, const Tokenizer& tokenizer);

// One line if the checkpoint has a chat template of its own that is not `chat`, by what it is told by: it is
// that of another built-in template, or does not name tokens that `chat` writes. Nothing for the raw
// template.
std::optional<std::string> template_disagreement(const std::filesystem::path& folder,
                                                 const ChatTemplate& chat);

}  // namespace hrt
