// How fast text becomes tokens: 1 MB of English (the licences that every Debian carries), and 1 MB each of
// what makes tokenizers slow. One line a tokenizer and text; the tokenizers are those of HRT_TEST_DATA, and
// smollm2 where `tools/fetch` put it.

#include <benchmark/benchmark.h>

#include <filesystem>
#include <map>

#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/paths.h"
#include "hrt/text/tokenizer.h"
#include "test_data.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kTextBytes = 1'000'000;

std::string repeated(const std::string& unit) {
  std::string text;
  while (text.size() + unit.size() <= kTextBytes) text += unit;
  return text;
}

std::string english() {
  std::string text;
  for (const char* name : {"GPL-3", "LGPL-2.1", "Apache-2.0", "GFDL-1.3", "MPL-1.1", "Artistic"}) {
    text += read_file(fs::path("/usr/share/common-licenses") / name);
  }
  return repeated(text) + text.substr(0, kTextBytes % text.size());
}

std::map<std::string, std::string> texts() {
  return {{"english", english()},
          {"a", repeated("a")},
          {"spaces", repeated(" ")},
          {"spaces+x", repeated(" ").substr(1) + "x"},
          {"newlines", repeated("\n")},
          {"emoji", repeated("\U0001F600")},
          {"digits", repeated("0123456789")},
          {"capitals", repeated("ABCDEFGHIJ")},
          {"brackets", repeated("<|im_<|im_")}};
}

void encode(benchmark::State& state, const Tokenizer& tokenizer, const std::string& text) {
  std::size_t tokens = 0;
  for (auto _ : state) tokens = tokenizer.encode(text).ids.size();
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
  state.counters["tokens"] = static_cast<double>(tokens);
}

void open(benchmark::State& state, const fs::path& path) {
  for (auto _ : state) benchmark::DoNotOptimize(open_tokenizer(path));
}

void register_tokenizer(const std::string& name, const fs::path& path) {
  if (!fs::exists(path)) return;
  benchmark::RegisterBenchmark(("open/" + name).c_str(), open, path)->Unit(benchmark::kMillisecond);
  const std::shared_ptr<Tokenizer> tokenizer = open_tokenizer(path);
  for (const auto& [kind, text] : texts()) {
    benchmark::RegisterBenchmark(("encode/" + name + "/" + kind).c_str(), [tokenizer, input = text](
                                                                              benchmark::State& state) {
      encode(state, *tokenizer, input);
    })->Unit(benchmark::kMillisecond);
  }
}

}  // namespace
}  // namespace hrt

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const auto folder = hrt::large_test_data() / "tokenizers";
  for (const char* name :
       {"llama3", "qwen2", "llama2", "llama2-metaspace", "gemma-like", "llama2.tokenizer.model"}) {
    hrt::register_tokenizer(name, folder / name);
  }
  for (const char* name : {"smollm2", "gptoss", "deepseek_v3", "gemma3"}) {
    hrt::register_tokenizer(name, hrt::cache_dir() / name);
  }
  benchmark::RunSpecifiedBenchmarks();
}
