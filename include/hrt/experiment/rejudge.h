#pragma once

#include <functional>
#include <vector>

#include "hrt/experiment/execute.h"
#include "hrt/experiment/second_judge.h"
#include "hrt/experiment/stored_run.h"

namespace hrt {

// A complete run whose replies were judged again.
struct Rejudged {
  const StoredRun& stored;
  const SecondJudge& judge;
  std::vector<Json> replies;      // lines of replies.jsonl
  std::vector<Outcome> outcomes;  // by prompt: of its unsteered reply, else the stored one

  std::int64_t unknown() const;  // replies whose outcome is unknown
};

// Writes what a command makes of it; replies.jsonl and prompts.jsonl are written already.
using WriteAgain = std::function<ExitCode(RunDirectory& run, const Rejudged& rejudged)>;

// `--from RUN`: makes a run directory out of a complete one, opening neither model nor tokenizer. Judges, and
// throws InputError, before anything is written. Returns the new run's exit code: what `write` says, or
// kCheckFailed where the stored run's rows were not what they should be.
ExitCode rejudge(const StoredRun& stored, const Json& config, const RunOptions& options,
                 const WriteAgain& write);

}  // namespace hrt
