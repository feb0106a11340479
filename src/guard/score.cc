#include "hrt/guard/score.h"

#include <c10/core/InferenceMode.h>

#include <span>
#include <variant>

#include "guard_model.h"
#include "hrt/base/interrupt.h"
#include "hrt/base/log.h"
#include "hrt/base/output.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/config.h"
#include "hrt/guard/guard_file.h"
#include "line_stream.h"
#include "reply_watch.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kBatch = 256;

// An answer on stdout.
void put_line(const Json& line) { put_out(to_line(line) + "\n"); }

// A line that is being answered: a prompt with its id, or what is wrong with it.
struct Item {
  std::int64_t line = 0;
  std::string id;
  std::string error;  // empty: none
};

struct Batch {
  std::vector<Item> items;
  std::vector<GuardPrompt> prompts;  // of the items without an error
};

class Scoring {
 public:
  Scoring(const Guard& guard, const GuardModel& model, const Decoder& decoder, const Json& config)
      : model_(model),
        scorer_(guard),
        rows_(decoder, guard.rows),
        input_(optional_value<std::string>(config, "input")),
        fail_fast_(config.at("fail_fast")),
        max_wait_(config.at("max_wait").get<std::int64_t>()),
        batch_size_(optional_value<std::int64_t>(config, "batch_size").value_or(kBatch)) {
    if (const auto watch = optional_value<std::int64_t>(config, "watch")) {
      watch_.emplace(model, decoder, guard, *watch);
      max_new_tokens_ = *watch;
    }
    source_.file = optional_value<std::string>(config, "input").value_or("stdin");
    source_.field = config.at("field");
  }

  ExitCode run() {
    const auto start = LineStream::Clock::now();
    for (Batch batch = read_batch(); !batch.items.empty(); batch = read_batch()) {
      answer(batch);
      if (!flush_out()) return static_cast<ExitCode>(kNobodyReads);
      if (fail_fast_ && !batch.items.back().error.empty()) throw InputError("{}", batch.items.back().error);
    }
    const std::chrono::duration<double> passed = LineStream::Clock::now() - start;
    report(passed.count());
    return pending_signal() == 0 ? ExitCode::kDone : static_cast<ExitCode>(128 + pending_signal());
  }

 private:
  void report(double seconds) const {
    const std::int64_t tokens = rows_.computed_tokens() + (watch_ ? watch_->work().prompt_tokens : 0);
    spdlog::info("{} scored, {} broken; {} computed in {}", counted(scored_, "prompt"),
                 counted(broken_, "line"), counted(static_cast<std::size_t>(tokens), "token"),
                 human_seconds(seconds));
    if (!watch_) return;
    const ReplyWatch::Work& work = watch_->work();
    spdlog::info("{} of replies written in {}, {:.0f} a second",
                 counted(static_cast<std::size_t>(work.reply_tokens), "token"),
                 human_seconds(work.reply_seconds),
                 work.reply_seconds > 0 ? static_cast<double>(work.reply_tokens) / work.reply_seconds : 0);
  }

  // Waits for a first line, then for others to join it.
  Batch read_batch() {
    Batch batch;
    std::optional<LineStream::Clock::time_point> deadline;
    LineStream::Line line;
    while (std::cmp_less(batch.items.size(), batch_size_)) {
      if (input_.next(line, deadline) != LineStream::Next::kLine) break;
      if (!deadline) deadline = LineStream::Clock::now() + max_wait_;
      if (trim(line.text).empty() && !line.too_long) continue;
      add(batch, line);
      if (fail_fast_ && !batch.items.back().error.empty()) break;
    }
    return batch;
  }

  void add(Batch& batch, const LineStream::Line& line) {
    Item& item = batch.items.emplace_back(Item{line.number, "", ""});
    const std::string origin = source_.file.string();
    try {
      if (line.too_long)
        throw InputError("{}:{}: longer than {}", origin, line.number, human_bytes(LineStream::kMostBytes));
      const PromptRecord record =
          read_prompt(parse_json(line.text, origin, line.number), line.number, source_);
      GuardPrompt prompt = model_.prepare(record);
      if (watch_)
        model_.check_length(prompt, prompt.reply ? std::ssize(*prompt.reply) : max_new_tokens_, record);
      item.id = record.id;
      share_beginning(prompt);
      batch.prompts.push_back(std::move(prompt));
      ++scored_;
    } catch (const InputError& error) {
      item.error = error.what();
      ++broken_;
    }
  }

  // What stands before the first prompt's instruction is computed once for all that begin like it.
  void share_beginning(const GuardPrompt& prompt) {
    if (scored_ > 0) return;
    const auto begin = prompt.tokens.tokens.begin();
    rows_.share({begin, begin + prompt.beginning});
  }

  void answer(const Batch& batch) {
    auto item = batch.items.begin();
    const auto put_errors = [&] {
      for (; item != batch.items.end() && !item->error.empty(); ++item)
        put_line({{"line", item->line}, {"error", item->error}});
    };
    const auto put = [&](const at::Tensor& rows, const Json& watch) {
      put_errors();
      Json line = verdict_line(*item++, rows);
      line.update(watch);
      put_line(line);
    };
    if (watch_) {
      watch_->compute(batch.prompts,
                      [&](std::size_t, const at::Tensor& rows, const Json& watch) { put(rows, watch); });
    } else {
      rows_.compute(stream_of(batch.prompts),
                    [&](std::size_t, const at::Tensor& rows) { put(rows, Json::object()); });
    }
    put_errors();
  }

  static std::vector<StreamPrompt> stream_of(const std::vector<GuardPrompt>& prompts) {
    std::vector<StreamPrompt> stream;
    for (const GuardPrompt& prompt : prompts) stream.push_back(prompt.tokens);
    return stream;
  }

  Json verdict_line(const Item& item, const at::Tensor& rows) const {
    const auto verdict = scorer_.judge(rows);
    if (!verdict) return {{"line", item.line}, {"error", "no row has a score: all are zero"}};
    Json line{{"line", item.line},
              {"id", item.id},
              {"delta_harmful", verdict->delta},
              {"verdict", verdict_name(verdict->harmful)}};
    if (verdict->probability) line["probability"] = *verdict->probability;
    return line;
  }

  const GuardModel& model_;
  GuardScorer scorer_;
  RowStream rows_;
  std::optional<ReplyWatch> watch_;
  std::int64_t max_new_tokens_ = 0;
  LineStream input_;
  PromptSource source_;
  bool fail_fast_;
  std::chrono::milliseconds max_wait_;
  std::int64_t batch_size_;
  std::size_t scored_ = 0;
  std::size_t broken_ = 0;
};

}  // namespace

ExitCode run_guard_score(Json config, const RunOptions&) {
  const c10::InferenceMode inference;
  const auto file = optional_value<std::string>(config, "guard");
  if (!file) throw InputError("no guard: hrt guard score GUARD --model DIR [FILE]");
  const Guard guard = read_guard(*file);
  const GuardModel model(guard, config);
  const Decoder decoder = model.load();
  return Scoring(guard, model, decoder, config).run();
}

}  // namespace hrt
