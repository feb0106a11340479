#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "hrt/data/judge.h"
#include "hrt/experiment/groups.h"
#include "hrt/text/tokenizer.h"

namespace hrt {

// A reply as text, judged. Without a tokenizer there is no text, and the outcome is unknown.
struct JudgedReply {
  Reply reply;
  std::optional<std::string> text;
  Verdict verdict;
};

JudgedReply judge_reply(const Reply& reply, const Tokenizer* tokenizer, const Judge& judge);

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

}  // namespace hrt
