#include "hrt/model/engine.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "hrt/base/error.h"
#include "hrt/model/capture.h"
#include "hrt/model/memory.h"
#include "job_check.h"
#include "sampler.h"
#include "sequence.h"
#include "stems.h"

namespace hrt {

namespace {

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
        stems_(jobs, sizes_.prefix, cache_),
        results_(jobs.size()) {
    if (stems_.any()) hooks_.push_back(stems_.snapshots());
    hooks_.insert(hooks_.end(), hooks.begin(), hooks.end());
    hooks_.push_back(capture_.hook());
    const bool whole = wants_logits() || stems_.any() || !hooks.empty() || options.rows.empty() ||
                       std::ranges::any_of(jobs, [](const Job& job) { return job.max_new_tokens > 0; });
    depth_ = whole ? decoder.spec().layers : std::ranges::max(options.rows);
    stats_.batch_size = sizes_.batch_size;
    stats_.kv_bytes = sizes_.kv_bytes;
  }

  std::vector<JobResult> run() {
    if (sizes_.prefix > 0) {
      prefix_.number = kSharedPrefix;
      prefix_.prompt = std::span(jobs_.front().tokens).first(static_cast<std::size_t>(sizes_.prefix));
      stems_.watch(prefix_);
    }
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      if (!jobs_[i].branch) waiting_.push_back(i);
    }
    while (true) {
      if (!opened_ && next_ == waiting_.size() && !prompt_is_active()) open_branches();
      if (next_ == waiting_.size() && active_.empty()) break;
      step();
    }
    for (const std::size_t job : unchanged_) finish_unchanged(job);
    return std::move(results_);
  }

  const EngineStats& stats() const { return stats_; }

 private:
  // --- one pass over the decoder: a token of every reply, and as many prompt tokens as fit ---

  void step() {
    const auto start = std::chrono::steady_clock::now();
    Pass pass{.layer = entering_layer()};
    if (pass.layer > 0) {
      add_branches(pass);  // alone, since replies go through all blocks
    } else {
      add_replies(pass);
      add_prompts(pass);
    }
    forward(pass);
    finish_sequences();
    if (opened_) stems_.end_pass();
    account(start, pass);
  }

  // Branches that start at a layer above 0 enter when there is room for enough of them to make a pass worth
  // its while, or nothing else to do.
  std::int64_t entering_layer() const {
    if (next_ == waiting_.size() || prompt_is_active()) return 0;
    const std::int64_t room = sizes_.batch_size - static_cast<std::int64_t>(active_.size());
    const std::int64_t left = static_cast<std::int64_t>(waiting_.size() - next_);
    const std::int64_t enough = std::min(left, std::max<std::int64_t>(1, sizes_.batch_size / 4));
    return room >= enough ? layer_of(waiting_[next_]) : 0;
  }

  std::int64_t layer_of(std::size_t job) const { return jobs_[job].branch ? jobs_[job].branch->layer : 0; }
  bool has_room() const { return std::cmp_less(active_.size(), sizes_.batch_size); }
  bool prompt_is_active() const {
    return prefix_.in_prompt() ||
           std::ranges::any_of(active_, [](const auto& sequence) { return sequence->in_prompt(); });
  }

  void add(Pass& pass, Sequence& sequence, std::int64_t limit, std::int64_t jobs = 1) {
    const bool in_prompt = sequence.in_prompt();
    const auto tokens = sequence.next(limit);
    const std::int64_t rope_length = sequence.rope_length();
    pass.batch.add(cache_, sequence.kv, sequence.number, tokens, rope_length, jobs);
    (in_prompt ? pass.prompt_tokens : pass.reply_tokens) += static_cast<std::int64_t>(tokens.size());
  }

  void add_replies(Pass& pass) {
    for (const auto& sequence : active_) {
      if (!sequence->in_prompt()) add(pass, *sequence, 1);
    }
  }

  void add_prompts(Pass& pass) {
    const auto left = [&] { return sizes_.chunk_tokens - pass.prompt_tokens; };
    if (prefix_.in_prompt()) add(pass, prefix_, left(), static_cast<std::int64_t>(jobs_.size()));
    for (const auto& sequence : active_) {
      if (left() > 0 && sequence->in_prompt()) add(pass, *sequence, left());
    }
    while (left() > 0 && !prefix_.in_prompt() && next_ < waiting_.size() && has_room() &&
           layer_of(waiting_[next_]) == 0) {
      const std::size_t job = waiting_[next_++];
      if (jobs_[job].branch) {
        admit_branch(pass, job);
      } else {
        add(pass, admit_prompt(job), left());
      }
    }
  }

  void add_branches(Pass& pass) {
    while (pass.prompt_tokens < sizes_.chunk_tokens && next_ < waiting_.size() && has_room() &&
           layer_of(waiting_[next_]) == pass.layer) {
      admit_branch(pass, waiting_[next_++]);
    }
  }

  Sequence& admit(std::size_t job) {
    auto sequence = std::make_unique<Sequence>();
    sequence->number = static_cast<std::int64_t>(job);
    sequence->prompt = jobs_[job].tokens;
    sequence->random = Random(jobs_[job].seed);
    stats_.spared_tokens += static_cast<double>(jobs_[job].tokens.size());
    return *active_.emplace_back(std::move(sequence));
  }

  Sequence& admit_prompt(std::size_t job) {
    Sequence& sequence = admit(job);
    sequence.kv = cache_.fork(prefix_.kv, sizes_.prefix);
    if (!jobs_[job].capture.empty()) capture_.want(sequence.number, jobs_[job].capture);
    stems_.watch(sequence);
    return sequence;
  }

  void admit_branch(Pass& pass, std::size_t job) {
    Sequence& sequence = admit(job);
    if (!jobs_[job].capture.empty()) {
      capture_.want(sequence.number, jobs_[job].capture, rows_of(jobs_[job].branch->stem));
    }
    stems_.start(sequence, pass);
  }

  // The stems' prompts are computed: what they hold decides which branches differ from them.
  void open_branches() {
    opened_ = true;
    std::vector<std::size_t> branches;
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      if (!jobs_[i].branch) continue;
      const bool unchanged = events_.unchanged && events_.unchanged(i, rows_of(jobs_[i].branch->stem));
      (unchanged ? unchanged_ : branches).push_back(i);
    }
    std::ranges::stable_sort(branches, {}, [this](std::size_t job) { return layer_of(job); });
    waiting_.insert(waiting_.end(), branches.begin(), branches.end());
    stems_.open(branches);
  }

  // What is captured of a prompt that has been computed.
  at::Tensor rows_of(std::size_t job) const {
    if (jobs_[job].capture.empty()) return {};
    return results_[job].rows.defined() ? results_[job].rows : capture_.peek(static_cast<std::int64_t>(job));
  }

  bool wants_logits() const { return options_.logits || events_.next_logits; }
  bool wants_next(const Sequence& sequence) const {
    if (sequence.in_prompt() || result_of(sequence).stop != StopReason::kNone) return false;
    return wants_logits() || job_of(sequence).max_new_tokens > 0;
  }

  void forward(Pass& pass) {
    pass.batch.set_outputs(outputs(pass.batch));
    at::Tensor residual = pass.layer == 0 ? decoder_.embed(pass.batch) : at::cat(pass.residual);
    cache_.copy(pass.pages, pass.layer);
    decoder_.run({pass.layer, depth_}, pass.batch, cache_, residual, hooks_);
    run_hooks(hooks_, {depth_, Site::kBlockInput}, pass.batch.map(), residual);
    choose(pass.batch, residual);
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
      const bool next = last && (wants_logits() || job.max_new_tokens > 0);
      if (next || (captured && std::ranges::binary_search(job.capture, position))) rows.push_back(i);
    }
    return rows;
  }

  void choose(const Batch& batch, const at::Tensor& residual) {
    std::vector<Sequence*> asking;
    std::vector<std::int64_t> rows;
    for (const auto& sequence : active_) {
      const auto row = wants_next(*sequence) ? last_row(batch, *sequence) : std::nullopt;
      if (!row) continue;
      asking.push_back(sequence.get());
      rows.push_back(*row);
    }
    if (rows.empty()) return;
    const at::Tensor last = residual.index_select(0, at::tensor(rows).to(residual.device()));
    const std::vector<Choice> choices = decoder_.best(
        last, [&](std::int64_t first, const at::Tensor& logits) { see_logits(asking, first, logits); });
    for (std::size_t i = 0; i < asking.size(); ++i) take(*asking[i], choices[i]);
  }

  // Nothing when the pass does not hold the sequence.
  static std::optional<std::int64_t> last_row(const Batch& batch, const Sequence& sequence) {
    const auto part = std::ranges::find(batch.parts(), &sequence.kv, &Batch::Part::kv);
    if (part == batch.parts().end()) return std::nullopt;
    return part->first_row + part->rows - 1;
  }

  void see_logits(const std::vector<Sequence*>& asking, std::int64_t first, const at::Tensor& logits) {
    show_logits(asking, first, logits);
    if (options_.sampling.temperature == 0) return;
    for (std::int64_t i = 0; i < logits.size(0); ++i) {
      Sequence& sequence = *asking[static_cast<std::size_t>(first + i)];
      sequence.sampled = sample_token(logits.select(0, i), options_.sampling, sequence.random);
    }
  }

  // `logits` belong to the sequences from `first` on. Those at the last prompt token are asked for.
  void show_logits(const std::vector<Sequence*>& asking, std::int64_t first, const at::Tensor& logits) {
    if (!wants_logits()) return;
    for (std::int64_t i = 0; i < logits.size(0); ++i) {
      const Sequence& sequence = *asking[static_cast<std::size_t>(first + i)];
      if (std::cmp_greater(sequence.kv.length, sequence.prompt.size())) continue;  // in its reply
      const at::Tensor row = logits.select(0, i);
      if (options_.logits) result_of(sequence).logits = row.to(at::kCPU, at::kFloat, false, true);
      if (events_.next_logits) events_.next_logits(static_cast<std::size_t>(sequence.number), row);
    }
  }

  // --- replies ---

  void take(Sequence& sequence, const Choice& choice) {
    if (!choice.finite) throw RunError("the logits of prompt {} are NaN or infinite", sequence.number);
    const Job& job = job_of(sequence);
    if (job.max_new_tokens == 0) return;
    JobResult& result = result_of(sequence);
    if (result.reply.empty()) result.first_margin = choice.margin;
    const std::int64_t token = sequence.sampled.value_or(choice.token);
    if (std::ranges::find(options_.stop_tokens, token) != options_.stop_tokens.end()) {
      result.stop = StopReason::kEos;
      return;
    }
    result.reply.push_back(token);
    sequence.next_token = token;
    if (std::cmp_equal(result.reply.size(), job.max_new_tokens)) {
      result.stop = StopReason::kLength;
    } else if (events_.decided && events_.decided(static_cast<std::size_t>(sequence.number), result.reply)) {
      result.stop = StopReason::kDecided;
    }
  }

  bool is_finished(const Sequence& sequence) const {
    if (sequence.in_prompt()) return false;
    if (job_of(sequence).max_new_tokens == 0) return true;
    return result_of(sequence).stop != StopReason::kNone && !owes_last_rows(sequence);
  }

  // The last token of a reply tells nothing about the next one, but its rows may be wanted.
  bool owes_last_rows(const Sequence& sequence) const {
    const auto length = static_cast<std::int64_t>(sequence.prompt.size() + result_of(sequence).reply.size());
    return sequence.kv.length < length && std::ranges::binary_search(job_of(sequence).capture, length - 1);
  }

  void finish_sequences() {
    std::erase_if(active_, [this](auto& sequence) {
      if (!is_finished(*sequence)) return false;
      finish(std::move(sequence));
      return true;
    });
  }

  void finish(std::unique_ptr<Sequence> sequence) {
    const auto job = static_cast<std::size_t>(sequence->number);
    JobResult& result = results_[job];
    if (!jobs_[job].capture.empty()) result.rows = capture_.take(sequence->number, sequence->kv.length);
    if (events_.finished) events_.finished(job, result);
    if (stems_.is_needed(job)) {
      stems_.keep(std::move(sequence));
    } else {
      cache_.release(sequence->kv);
    }
  }

  void finish_unchanged(std::size_t job) {
    results_[job] = results_[jobs_[job].branch->stem];
    stats_.spared_tokens += static_cast<double>(jobs_[job].tokens.size());
    if (events_.finished) events_.finished(job, results_[job]);
  }

  void account(std::chrono::steady_clock::time_point start, const Pass& pass) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const auto prompt = static_cast<double>(pass.prompt_tokens);
    const auto reply = static_cast<double>(pass.reply_tokens);
    const double blocks =
        static_cast<double>(depth_ - pass.layer) / static_cast<double>(std::max<std::int64_t>(depth_, 1));
    stats_.prefill_s += seconds * prompt / (prompt + reply);
    stats_.decode_s += seconds * reply / (prompt + reply);
    stats_.prefill_tokens += pass.prompt_tokens;
    stats_.spared_tokens -= prompt * blocks;
    stats_.decode_tokens += pass.reply_tokens;
    stats_.decode_passes += pass.reply_tokens > 0;
    if (events_.tokens) events_.tokens(pass.prompt_tokens + pass.reply_tokens);
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
  Stems stems_;
  std::vector<Hook> hooks_;
  std::vector<JobResult> results_;
  EngineStats stats_;
  std::int64_t depth_ = 0;  // blocks to run
  Sequence prefix_;
  std::vector<std::unique_ptr<Sequence>> active_;
  std::vector<std::size_t> waiting_;    // jobs in the order in which they are started
  std::size_t next_ = 0;                // of `waiting_`
  bool opened_ = false;                 // branches may start
  std::vector<std::size_t> unchanged_;  // branches that are their stems
};

}  // namespace

std::string rotation_switch(const DecoderSpec& spec, std::int64_t length, std::int64_t new_tokens) {
  if (spec.rope.kind != RopeSpec::Kind::kLongRope || rotates_by_length(spec, length) ||
      !rotates_by_length(spec, length + new_tokens))
    return {};
  return fmt::format(
      "longrope rotates sequences of more than {} tokens otherwise, and a reply of {} tokens would take this "
      "prompt of {} across; ask for fewer new tokens",
      spec.rope.original_max_positions, new_tokens, length);
}

std::vector<JobResult> run_jobs(const Decoder& decoder, std::span<const Job> jobs,
                                const EngineOptions& options, const EngineEvents& events,
                                std::span<const Hook> hooks, EngineStats* stats) {
  const c10::InferenceMode inference;
  check_jobs(jobs, options, decoder.spec());
  if (jobs.empty()) return {};
  Engine engine(decoder, jobs, options, events, hooks);
  std::vector<JobResult> results = engine.run();
  if (stats != nullptr) *stats = engine.stats();
  return results;
}

}  // namespace hrt
