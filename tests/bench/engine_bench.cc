// The engine alone, without tokenizer and files: engine_bench MODEL PROMPTS.jsonl NEW_TOKENS ROW|all [REPEATS
// [BATCH]] PROMPTS holds {"tokens": [...]} a line. Captures the last token and the fifth from the end, and
// prints seconds.

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <numeric>

#include "hrt/base/error.h"
#include "hrt/model/decoder.h"
#include "hrt/model/engine.h"

namespace hrt {
namespace {

std::vector<Job> read_jobs(const std::string& path, std::int64_t new_tokens) {
  std::vector<Job> jobs;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    Job job{.tokens = parse_json(line, path).at("tokens"), .max_new_tokens = new_tokens};
    const auto length = static_cast<std::int64_t>(job.tokens.size());
    job.capture = length > 4 ? std::vector{length - 5, length - 1} : std::vector{length - 1};
    jobs.push_back(std::move(job));
  }
  return jobs;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

int bench(const std::vector<std::string>& args) {
  if (args.size() < 4) {
    fmt::print(stderr, "usage: engine_bench MODEL PROMPTS.jsonl NEW_TOKENS ROW|all [REPEATS [BATCH]]\n");
    return 2;
  }
  const Checkpoint checkpoint(args[0]);
  const auto loading = std::chrono::steady_clock::now();
  const Decoder decoder(checkpoint, {});
  fmt::print("loaded in {:.3f} s\n", seconds_since(loading));
  const std::vector<Job> jobs = read_jobs(args[1], std::stoll(args[2]));
  EngineOptions options;
  options.rows.resize(static_cast<std::size_t>(decoder.spec().layers + 1));
  std::iota(options.rows.begin(), options.rows.end(), 0);
  if (args[3] != "all") options.rows = {std::stoll(args[3])};
  options.stop_tokens = checkpoint.stop_tokens();
  options.batch_size = args.size() > 5 ? std::stoll(args[5]) : 0;
  const int repeats = args.size() > 4 ? std::stoi(args[4]) : 1;
  for (int i = 0; i < repeats; ++i) {
    EngineStats stats;
    const auto start = std::chrono::steady_clock::now();
    run_jobs(decoder, jobs, options, {}, {}, &stats);
    fmt::print("{:.3f} s: prefill {:.3f} s of {} tokens, decode {:.3f} s of {} tokens, batch {}, KV {} MB\n",
               seconds_since(start), stats.prefill_s, stats.prefill_tokens, stats.decode_s,
               stats.decode_tokens, stats.batch_size, stats.kv_bytes >> 20);
  }
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
