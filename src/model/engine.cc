#include "hrt/model/engine.h"

#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <utility>

#include "hrt/base/error.h"
#include "hrt/model/capture.h"
#include "hrt/model/memory.h"

namespace hrt {

namespace {

void check_job(const Job& job, std::size_t index, const DecoderSpec& spec) {
  const auto length = static_cast<std::int64_t>(job.tokens.size());
  if (length == 0) throw InputError("prompt {} has no tokens", index);
  for (const std::int64_t token : job.tokens) {
    if (token < 0 || token >= spec.vocabulary) {
      throw InputError("prompt {}: token {} is outside the vocabulary of {}", index, token, spec.vocabulary);
    }
  }
  for (const std::int64_t position : job.capture) {
    if (position < 0 || position >= length) {
      throw InputError("prompt {}: position {} is outside its {} tokens", index, position, length);
    }
  }
}

void check(std::span<const Job> jobs, const EngineOptions& options, const DecoderSpec& spec) {
  for (std::size_t i = 0; i < jobs.size(); ++i) check_job(jobs[i], i, spec);
  for (const std::int64_t row : options.rows) {
    if (row < 0 || row > spec.layers) throw InputError("row {} is outside 0..{}", row, spec.layers);
  }
}

// One prompt, or the shared prefix, on its way through the decoder.
struct Sequence {
  std::int64_t number = 0;  // the job's index, or kSharedPrefix
  std::span<const std::int64_t> prompt;
  KvSequence kv;  // length: tokens put into a batch so far
  std::int64_t next_token = 0;

  bool in_prompt() const { return kv.length < static_cast<std::int64_t>(prompt.size()); }
  // What is next to be computed, at most `limit` prompt tokens.
  std::span<const std::int64_t> next(std::int64_t limit) const {
    if (!in_prompt()) return {&next_token, 1};
    const auto rest = prompt.subspan(static_cast<std::size_t>(kv.length));
    return rest.first(std::min(rest.size(), static_cast<std::size_t>(limit)));
  }
  // RoPE `dynamic` scales a prompt for its whole length, then for each new token anew, as transformers does.
  std::int64_t rope_length() const {
    return std::max(static_cast<std::int64_t>(prompt.size()), kv.length + 1);
  }
};

class Engine {
 public:
  Engine(const Decoder& decoder, std::span<const Job> jobs, const EngineOptions& options,
         const EngineEvents& events, std::span<const Hook> hooks)
      : decoder_(decoder),
        jobs_(jobs),
        options_(options),
        events_(events),
        sizes_(engine_sizes(decoder.spec(), decoder.compute_dtype(), jobs, options)),
        cache_(decoder.make_cache(sizes_.kv_pages)),
        capture_(options.rows, decoder.spec().hidden, decoder.dtype()),
        hooks_(hooks.begin(), hooks.end()),
        results_(jobs.size()) {
    hooks_.push_back(capture_.hook());
    const bool whole = options.logits || !hooks.empty() || options.rows.empty() ||
                       std::ranges::any_of(jobs, [](const Job& job) { return job.max_new_tokens > 0; });
    depth_ = whole ? decoder.spec().layers : std::ranges::max(options.rows);
    stats_.batch_size = sizes_.batch_size;
    stats_.kv_bytes = sizes_.kv_bytes;
  }

  std::vector<JobResult> run() {
    if (sizes_.prefix > 0) {
      prefix_.number = kSharedPrefix;
      prefix_.prompt = std::span(jobs_.front().tokens).first(static_cast<std::size_t>(sizes_.prefix));
    }
    while (next_job_ < jobs_.size() || !active_.empty()) step();
    return std::move(results_);
  }

  const EngineStats& stats() const { return stats_; }

 private:
  // --- one pass over the decoder: a token of every reply, and as many prompt tokens as fit ---

  void step() {
    const auto start = std::chrono::steady_clock::now();
    Batch batch;
    std::int64_t decoded = 0;
    for (const auto& sequence : active_) {
      if (!sequence->in_prompt()) decoded += add(batch, *sequence, 1);
    }
    const std::int64_t prefilled = add_prompts(batch);
    forward(batch);
    finish_sequences();
    account(start, prefilled, decoded);
  }

  std::int64_t add(Batch& batch, Sequence& sequence, std::int64_t limit) {
    const auto tokens = sequence.next(limit);
    const std::int64_t rope_length = sequence.rope_length();
    batch.add(cache_, sequence.kv, sequence.number, tokens, rope_length);
    return static_cast<std::int64_t>(tokens.size());
  }

  std::int64_t add_prompts(Batch& batch) {
    std::int64_t left = sizes_.chunk_tokens;
    if (prefix_.in_prompt()) left -= add(batch, prefix_, left);
    for (const auto& sequence : active_) {
      if (left > 0 && sequence->in_prompt()) left -= add(batch, *sequence, left);
    }
    while (left > 0 && !prefix_.in_prompt() && next_job_ < jobs_.size() &&
           std::cmp_less(active_.size(), sizes_.batch_size)) {
      left -= add(batch, admit(), left);
    }
    return sizes_.chunk_tokens - left;
  }

  Sequence& admit() {
    const Job& job = jobs_[next_job_];
    auto sequence = std::make_unique<Sequence>();
    sequence->number = static_cast<std::int64_t>(next_job_++);
    sequence->prompt = job.tokens;
    sequence->kv = cache_.fork(prefix_.kv);
    if (!job.capture.empty()) capture_.want(sequence->number, job.capture);
    return *active_.emplace_back(std::move(sequence));
  }

  bool wants_next(const Sequence& sequence) const {
    if (sequence.number == kSharedPrefix || sequence.in_prompt()) return false;
    return options_.logits || job_of(sequence).max_new_tokens > 0;
  }

  void forward(Batch& batch) {
    batch.set_outputs(outputs(batch));
    at::Tensor residual = decoder_.embed(batch);
    decoder_.run({0, depth_}, batch, cache_, residual, hooks_);
    run_hooks(hooks_, {depth_, Site::kBlockInput}, batch.map(), residual);
    choose(batch, residual);
  }

  // Rows of the batch whose output is used: captured ones, and those that a next token is wanted of.
  std::vector<std::int64_t> outputs(const Batch& batch) const {
    const bool captured = std::ranges::find(options_.rows, depth_) != options_.rows.end();
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      const std::int64_t number = batch.map().sequence[static_cast<std::size_t>(i)];
      if (number == kSharedPrefix) continue;
      const std::int64_t position = batch.map().position[static_cast<std::size_t>(i)];
      const Job& job = jobs_[static_cast<std::size_t>(number)];
      const bool last = position + 1 >= static_cast<std::int64_t>(job.tokens.size());
      const bool next = last && (options_.logits || job.max_new_tokens > 0);
      if (next || (captured && std::ranges::binary_search(job.capture, position))) rows.push_back(i);
    }
    return rows;
  }

  void choose(const Batch& batch, const at::Tensor& residual) {
    std::vector<Sequence*> asking;
    std::vector<std::int64_t> rows;
    for (const auto& sequence : active_) {
      if (!wants_next(*sequence)) continue;
      asking.push_back(sequence.get());
      rows.push_back(last_row(batch, *sequence));
    }
    if (rows.empty()) return;
    const at::Tensor last = residual.index_select(0, at::tensor(rows).to(residual.device()));
    const std::vector<Choice> choices =
        decoder_.best(last, [&](std::int64_t first, const at::Tensor& logits) {
          if (options_.logits) keep_logits(asking, first, logits);
        });
    for (std::size_t i = 0; i < asking.size(); ++i) take(*asking[i], choices[i]);
  }

  static std::int64_t last_row(const Batch& batch, const Sequence& sequence) {
    const auto part = std::ranges::find(batch.parts(), &sequence.kv, &Batch::Part::kv);
    return part->first_row + part->rows - 1;
  }

  // `logits` belong to the sequences from `first` on. Those at the last prompt token come first and are kept.
  void keep_logits(const std::vector<Sequence*>& asking, std::int64_t first, const at::Tensor& logits) {
    for (std::int64_t i = 0; i < logits.size(0); ++i) {
      JobResult& result = result_of(*asking[static_cast<std::size_t>(first + i)]);
      if (!result.logits.defined()) result.logits = logits.select(0, i).to(at::kCPU, at::kFloat, false, true);
    }
  }

  // --- replies ---

  void take(Sequence& sequence, const Choice& choice) {
    if (!choice.finite) throw RunError("the logits of prompt {} are NaN or infinite", sequence.number);
    const Job& job = job_of(sequence);
    if (job.max_new_tokens == 0) return;
    JobResult& result = result_of(sequence);
    if (result.reply.empty()) result.first_margin = choice.margin;
    if (std::ranges::find(options_.stop_tokens, choice.token) != options_.stop_tokens.end()) {
      result.stop = StopReason::kEos;
      return;
    }
    result.reply.push_back(choice.token);
    sequence.next_token = choice.token;
    if (std::cmp_equal(result.reply.size(), job.max_new_tokens)) result.stop = StopReason::kLength;
  }

  bool is_finished(const Sequence& sequence) const {
    if (sequence.in_prompt()) return false;
    return job_of(sequence).max_new_tokens == 0 || result_of(sequence).stop != StopReason::kNone;
  }

  void finish_sequences() {
    std::erase_if(active_, [this](const auto& sequence) {
      if (!is_finished(*sequence)) return false;
      finish(*sequence);
      return true;
    });
  }

  void finish(Sequence& sequence) {
    JobResult& result = result_of(sequence);
    if (!job_of(sequence).capture.empty()) result.rows = capture_.take(sequence.number);
    cache_.release(sequence.kv);
    if (events_.finished) events_.finished(static_cast<std::size_t>(sequence.number), result);
  }

  void account(std::chrono::steady_clock::time_point start, std::int64_t prefilled, std::int64_t decoded) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const double share = static_cast<double>(decoded) / static_cast<double>(prefilled + decoded);
    stats_.prefill_s += seconds * (1 - share);
    stats_.decode_s += seconds * share;
    stats_.prefill_tokens += prefilled;
    stats_.decode_tokens += decoded;
    if (events_.tokens) events_.tokens(prefilled + decoded);
  }

  const Job& job_of(const Sequence& sequence) const {
    return jobs_[static_cast<std::size_t>(sequence.number)];
  }
  JobResult& result_of(const Sequence& sequence) {
    return results_[static_cast<std::size_t>(sequence.number)];
  }
  const JobResult& result_of(const Sequence& sequence) const {
    return results_[static_cast<std::size_t>(sequence.number)];
  }

  const Decoder& decoder_;
  std::span<const Job> jobs_;
  const EngineOptions& options_;
  const EngineEvents& events_;
  EngineSizes sizes_;
  KvCache cache_;
  RowCapture capture_;
  std::vector<Hook> hooks_;
  std::vector<JobResult> results_;
  EngineStats stats_;
  std::int64_t depth_ = 0;  // blocks to run
  Sequence prefix_;
  std::vector<std::unique_ptr<Sequence>> active_;
  std::size_t next_job_ = 0;
};

}  // namespace

std::vector<JobResult> run_jobs(const Decoder& decoder, std::span<const Job> jobs,
                                const EngineOptions& options, const EngineEvents& events,
                                std::span<const Hook> hooks, EngineStats* stats) {
  const c10::InferenceMode inference;
  check(jobs, options, decoder.spec());
  if (jobs.empty()) return {};
  Engine engine(decoder, jobs, options, events, hooks);
  std::vector<JobResult> results = engine.run();
  if (stats != nullptr) *stats = engine.stats();
  return results;
}

}  // namespace hrt
