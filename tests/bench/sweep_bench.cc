// A sweep of layers x coefficients over prompts, in one call whose cells share what lies below the steered
// layer, and with one batched generation a cell: sweep_bench MODEL [ROUNDS [PROMPTS]]. Prompts are 40 random
// tokens, each cell adds a vector to all prompt tokens at one block input, replies are 32 tokens. Rounds are
// interleaved, medians are the last line, as JSON.

#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "hrt/base/error.h"
#include "hrt/base/json.h"
#include "hrt/base/random.h"
#include "hrt/model/decoder.h"
#include "hrt/model/engine.h"
#include "hrt/model/steering.h"

namespace hrt {
namespace {

constexpr std::int64_t kPromptTokens = 40;
constexpr std::int64_t kNewTokens = 32;
constexpr double kCoefficients[] = {-1.0, 1.0};

std::vector<Job> random_prompts(std::int64_t count, std::int64_t vocabulary) {
  Random random(0);
  std::vector<Job> jobs(static_cast<std::size_t>(count));
  for (Job& job : jobs) {
    job.max_new_tokens = kNewTokens;
    for (std::int64_t i = 0; i < kPromptTokens; ++i) {
      job.tokens.push_back(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(vocabulary))));
    }
  }
  return jobs;
}

std::vector<Edit> cells_of(const DecoderSpec& spec) {
  Random random(1);
  std::vector<float> values;
  for (std::int64_t i = 0; i < spec.hidden; ++i) values.push_back(static_cast<float>(0.02 * random.normal()));
  const at::Tensor vector = at::tensor(values);
  std::vector<Edit> cells;
  for (std::int64_t layer = 0; layer < spec.layers; ++layer) {
    for (const double amount : kCoefficients) {
      cells.push_back({{layer, Site::kBlockInput}, Edit::Kind::kAdd, vector, amount});
    }
  }
  return cells;
}

struct Outcome {
  std::vector<std::vector<std::int64_t>> replies;  // cell by cell
  EngineStats stats;
};

void add(EngineStats& sum, const EngineStats& some) {
  sum.prefill_s += some.prefill_s;
  sum.decode_s += some.decode_s;
  sum.prefill_tokens += some.prefill_tokens;
  sum.decode_tokens += some.decode_tokens;
  sum.decode_passes += some.decode_passes;
  sum.spared_tokens += some.spared_tokens;
  sum.batch_size = some.batch_size;
  sum.kv_bytes = some.kv_bytes;
}

void run_and_add(const Decoder& decoder, const std::vector<Job>& jobs, Steering& steering, std::size_t stems,
                 Outcome& outcome) {
  const Hook hook = steering.hook();
  EngineStats stats;
  const auto results = run_jobs(decoder, jobs, {}, {}, {&hook, 1}, &stats);
  for (std::size_t i = stems; i < results.size(); ++i) outcome.replies.push_back(results[i].reply);
  add(outcome.stats, stats);
}

// All cells in one call, as branches of prompts that get no reply.
Outcome in_one_call(const Decoder& decoder, const std::vector<Job>& prompts, const std::vector<Edit>& cells) {
  Steering steering(cells, decoder.spec().hidden);
  std::vector<Job> jobs = prompts;
  for (Job& stem : jobs) stem.max_new_tokens = 0;
  for (std::size_t cell = 0; cell < cells.size(); ++cell) {
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      steering.assign(static_cast<std::int64_t>(jobs.size()), cell, {0, kPromptTokens});
      jobs.push_back(prompts[i]);
      jobs.back().branch =
          Branch{.stem = i, .layer = cells[cell].point.layer, .family = static_cast<std::int64_t>(cell)};
    }
  }
  Outcome outcome;
  run_and_add(decoder, jobs, steering, prompts.size(), outcome);
  return outcome;
}

// Every cell on its own, all its prompts in one batch.
Outcome cell_by_cell(const Decoder& decoder, const std::vector<Job>& prompts,
                     const std::vector<Edit>& cells) {
  Outcome outcome;
  for (const Edit& cell : cells) {
    Steering steering({cell}, decoder.spec().hidden);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      steering.assign(static_cast<std::int64_t>(i), 0, {0, kPromptTokens});
    }
    run_and_add(decoder, prompts, steering, 0, outcome);
  }
  return outcome;
}

// One way to run the sweep, and how long it took in each round.
struct Way {
  const char* name;
  std::function<Outcome()> run;
  std::vector<double> seconds = {};
  Outcome last = {};

  void measure() {
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t cpu = std::clock();
    last = run();
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    const EngineStats& stats = last.stats;
    fmt::print("{:12} {:6.2f} s ({:.2f} s of all cores), KV {} MB\n", name, seconds.back(),
               static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC, stats.kv_bytes >> 20);
    fmt::print("  prefill {:6.2f} s of {} tokens, less the work of {:.0f}, spared\n", stats.prefill_s,
               stats.prefill_tokens, stats.spared_tokens);
    fmt::print("  decode  {:6.2f} s of {} tokens, {:.1f} a pass\n", stats.decode_s, stats.decode_tokens,
               static_cast<double>(stats.decode_tokens) / static_cast<double>(stats.decode_passes));
    std::fflush(stdout);
  }
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

int bench(const std::vector<std::string>& args) {
  if (args.empty()) {
    fmt::print(stderr, "usage: sweep_bench MODEL [ROUNDS [PROMPTS]]\n");
    return 2;
  }
  const Decoder decoder(Checkpoint(args[0]), {});
  const int rounds = args.size() > 1 ? std::stoi(args[1]) : 3;
  const auto prompts = random_prompts(args.size() > 2 ? std::stoll(args[2]) : 32, decoder.spec().vocabulary);
  const std::vector<Edit> cells = cells_of(decoder.spec());
  Way shared{"in one call", [&] { return in_one_call(decoder, prompts, cells); }};
  Way apart{"cell by cell", [&] { return cell_by_cell(decoder, prompts, cells); }};
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    shared.measure();
    apart.measure();
    ratios.push_back(apart.seconds.back() / shared.seconds.back());
  }
  std::size_t equal = 0;
  for (std::size_t i = 0; i < shared.last.replies.size(); ++i)
    equal += shared.last.replies[i] == apart.last.replies[i];
  fmt::print("one call is {:.2f} times as fast; {} of {} replies are equal\n", median(ratios), equal,
             shared.last.replies.size());
  fmt::print("{}\n", to_line({{"cells", cells.size()},
                              {"prompts", prompts.size()},
                              {"in_one_call_s", median(shared.seconds)},
                              {"cell_by_cell_s", median(apart.seconds)}}));
  return 0;
}

}  // namespace
}  // namespace hrt

int main(int argc, char** argv) {
  try {
    return hrt::bench({argv + 1, argv + argc});
  } catch (const hrt::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return static_cast<int>(error.code());
  }
}
