#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hrt/model/decoder.h"
#include "hrt/model/hooks.h"

namespace hrt {

// Makes a job go on from another one of the same call, its stem, which has the same tokens: hooks change
// nothing of it before block `layer` and before token `token`. So only what lies behind both is computed,
// from the stem's residual stream and keys and values.
struct Branch {
  std::size_t stem = 0;  // a job before this one, without a branch of its own
  std::int64_t layer = 0;
  std::int64_t token = 0;
  // Branches of one family are changed in the same way in what their prompts have in common at their
  // beginning, which is then computed once. All of them have the same layer and token, as far as token is in
  // there.
  std::int64_t family = 0;
};

// One prompt's work: prefill, capture rows of the residual stream, and, when asked, a reply.
struct Job {
  std::vector<std::int64_t> tokens = {};  // at least one
  // Token indices whose rows are wanted, ascending, distinct. Those from tokens.size() on are of the reply,
  // which may turn out to be shorter (not of branches).
  std::vector<std::int64_t> capture = {};
  std::int64_t max_new_tokens = 0;  // 0: no reply
  std::optional<Branch> branch = {};
  std::uint64_t seed = 0;  // of its reply, where that is sampled
};

// kDecided: EngineEvents::decided ended the reply.
enum class StopReason { kNone, kEos, kLength, kDecided };

struct JobResult {
  // [captured, EngineOptions::rows.size(), hidden], run dtype, CPU; undefined without. As many as there are
  // tokens in Job::capture, but for those that the reply did not reach.
  at::Tensor rows;
  at::Tensor logits;  // [vocabulary] float32, CPU, at the last prompt token; undefined unless asked for
  std::vector<std::int64_t> reply;  // new tokens, without the stop token
  StopReason stop = StopReason::kNone;
  double first_margin = 0;  // best minus second-best logit at the first new token
};

// How new tokens are chosen. Temperature 0: greedily.
struct Sampling {
  double temperature = 0;
  double top_p = 1;
};

struct EngineOptions {
  std::vector<std::int64_t> rows;  // which rows 0..L are captured
  bool logits = false;
  std::int64_t batch_size = 0;  // prompts in a batch; 0: chosen from sizes (never from free memory)
  std::vector<std::int64_t> stop_tokens;
  bool share_prefix = true;
  Sampling sampling = {};
};

// Called as work proceeds, from the calling thread.
struct EngineEvents {
  std::function<void(std::size_t job, const JobResult&)> finished = {};  // rows, logits and reply complete
  std::function<void(std::int64_t tokens)> tokens = {};  // tokens computed since the last call
  // Logits at a job's last prompt token, [vocabulary], on the decoder's device, before the reply begins.
  std::function<void(std::size_t job, const at::Tensor& logits)> next_logits = {};
  // Asked once for every branch when the prompts of all stems are computed, with the stem's captured rows:
  // true where its hooks change nothing. The branch then gets its stem's result without being computed.
  std::function<bool(std::size_t job, const at::Tensor& stem_rows)> unchanged = {};
  // Asked after every new token: true ends the reply.
  std::function<bool(std::size_t job, const std::vector<std::int64_t>& reply)> decided = {};
};

// Where the time went. A pass that holds prompts and tokens being decoded is divided by their share of its
// tokens.
struct EngineStats {
  double prefill_s = 0;
  double decode_s = 0;
  std::int64_t prefill_tokens = 0;  // prompt tokens computed, a shared prefix once
  std::int64_t decode_tokens = 0;   // new tokens put through the decoder (the last one of a reply only where
                                    // its rows are captured)
  std::int64_t decode_passes = 0;   // passes that held such tokens
  double spared_tokens = 0;  // prompt tokens that were not computed, or in some blocks only, since a stem or
                             // a shared prefix had them; in tokens through all blocks
  std::int64_t batch_size = 0;  // prompts worked on at the same time
  std::int64_t kv_bytes = 0;    // of the KV cache
};

// Why a prompt of `length` tokens may not get a reply of `new_tokens`: longrope would rotate the end
// otherwise than what was computed before, and transformers computes all of it anew at that point. Empty: it
// may.
std::string rotation_switch(const DecoderSpec& spec, std::int64_t length, std::int64_t new_tokens);

// Runs one group of jobs: prompts are packed without padding, their common prefix is computed once (up to the
// first captured token), branches start where they part from their stems, replies are decoded in one queue in
// which finished sequences make room for waiting ones, drained at the end. Computes no more than is asked:
// stops after the deepest row wanted, where neither replies nor logits are.
//
// Results are in the order of `jobs`, and do not depend on batch size or order beyond rounding. `hooks` run
// at every block input, attention and MLP output, TokenMap::sequence being the job's index. They see each
// token once: those of a shared prefix as sequence kSharedPrefix (set share_prefix to false where a hook
// depends on the job and is not told by `branch`), and in the last block that is run, from its attention on,
// only those whose output is used. Branches are shown only from their layer and token on; what a family
// shares, under the number of one of its members. Rows are captured after the hooks.
//
// Throws InputError (a token outside the vocabulary, an empty prompt, a position or row that does not exist,
// a branch that does not fit its stem), RunError (NaN or infinity in a captured row or in the logits).
std::vector<JobResult> run_jobs(const Decoder& decoder, std::span<const Job> jobs,
                                const EngineOptions& options, const EngineEvents& events = {},
                                std::span<const Hook> hooks = {}, EngineStats* stats = nullptr);

}  // namespace hrt
