#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "hrt/data/judge.h"
#include "hrt/experiment/prompt_run.h"
#include "hrt/experiment/prompt_work.h"
#include "hrt/experiment/run_directory.h"
#include "hrt/text/tokenizer.h"

namespace hrt {

// A reply as text, judged. Without a tokenizer there is no text, and the outcome is unknown.
struct JudgedReply {
  Reply reply;
  std::optional<std::string> text;
  Verdict verdict;
};

JudgedReply judge_reply(const Reply& reply, const ReplyReader& reader);
// The reply that the file gives.
JudgedReply judge_given_reply(const PreparedPrompt& prompt, const ReplyReader& reader);

// One line of replies.jsonl.
Json reply_line(const PreparedPrompt& prompt, const JudgedReply& reply);

// `replies.jsonl.partial`: replies in the order in which they are complete, for whoever watches the run.
class ReplyStream {
 public:
  explicit ReplyStream(const std::filesystem::path& file);
  void add(const Json& line);

 private:
  std::filesystem::path file_;
  std::ofstream out_;
};

// Writes replies.jsonl, in input order, in the place of its .partial (nothing where no reply was asked for):
// those that were generated, and those of the file that were judged. Returns each prompt's verdict, or
// nothing where it has no such reply.
std::vector<std::optional<Verdict>> write_replies(RunDirectory& run, const PromptRun& prompts,
                                                  const PromptWork& work);

// Writes prompts.jsonl.
void write_prompts(RunDirectory& run, const PromptSet& set, const std::vector<Outcome>& outcomes);

}  // namespace hrt
