#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/data/outcome.h"
#include "hrt/text/chat_template.h"

namespace hrt {

// One line of a prompt file. Exactly one of instruction, messages and tokens is there.
struct PromptRecord {
  std::string id;                        // the file's, else SET:LINE
  std::string set;                       // the file's stem; a second equal stem is STEM~2
  std::string role;                      // what a catalog calls the file; empty without one
  bool side = false;                     // given to see the side effects of steering
  std::optional<bool> post_instruction;  // of its source
  Label label = Label::kNone;
  std::optional<Outcome> outcome;  // refused or accepted, where the file says so
  std::string category;            // empty: none
  std::optional<std::string> system;
  std::optional<std::string> instruction;
  std::vector<Message> messages;
  std::vector<std::int64_t> tokens;
  std::optional<std::string> reply;  // at most one of these two
  std::optional<std::vector<std::int64_t>> reply_tokens;
  Json extra = Json::object();  // fields that hrt does not know, as they are
  std::filesystem::path file;   // empty: a text of the command line
  std::int64_t line = 0;        // 1-based; in a .json array the number of the item
};

// The exchange to render: messages, or system and instruction as turns. Not for prompts given as tokens.
std::vector<Message> messages_of(const PromptRecord& record);

// "FILE:LINE", for errors about a record; "--prompt" for one that is in no file.
std::string place_of(const PromptRecord& record);

struct PromptSource {
  std::filesystem::path file = {};  // .jsonl, .json (an array), .csv (with a header), .txt (a line a prompt)
  // Which field holds the instruction: a name, a path into nested values (`turns[0]`, `a.b`), or several with
  // ` + ` between them (`instruction + input`; joined by a newline, empty ones left out).
  std::string field = "instruction";
  // Which field holds the risk category; at least one of the records must have it. Default: "category", which
  // need not be there.
  std::optional<std::string> category_field = {};
  Label label = Label::kNone;  // given from outside (--harmful); must not contradict the file's own
  std::map<std::string, Json> where = {};     // only records whose fields have these values
  std::int64_t skip = 0;                      // leave out the first N records (of those)
  std::optional<std::int64_t> limit = {};     // the first N records (of the rest)
  std::string role = {};                      // what a catalog calls it
  bool side = false;                          // its prompts are there to see the side effects of steering
  std::optional<bool> post_instruction = {};  // in the place of what the config says for all
};

// Reads one file after the other. Blank lines are left out. Throws InputError "FILE:LINE: ..." for: a broken
// line, invalid UTF-8, an unknown field (with the nearest one), a wrong type, an id twice, a label that
// contradicts, a text of more than 1 MiB, a file without records, the same records of a file twice.
std::vector<PromptRecord> read_prompts(std::span<const PromptSource> sources);
std::vector<PromptRecord> read_prompts(const PromptSource& source);

// A record that comes on its own, such as a line of a stream; `source.file` and `line` are its place. Throws
// alike.
PromptRecord read_prompt(Json value, std::int64_t line, const PromptSource& source);

}  // namespace hrt
