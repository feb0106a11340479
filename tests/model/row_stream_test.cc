#include "hrt/model/row_stream.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "golden.h"
#include "hrt/base/random.h"
#include "hrt/model/engine.h"

namespace hrt {
namespace {

using test::TinyModel;
using test::worst_difference;

constexpr double kRounding = 1e-5;  // of a row's norm

class Streams : public testing::TestWithParam<std::string> {
 protected:
  std::vector<std::int64_t> tokens(std::size_t count) {
    std::vector<std::int64_t> tokens(count);
    const auto vocabulary = static_cast<std::uint64_t>(model_.decoder.spec().vocabulary);
    std::ranges::generate(tokens, [&] { return static_cast<std::int64_t>(random_.below(vocabulary)); });
    return tokens;
  }

  // Beginning, 1 to 60 tokens, of which the wanted one is followed by up to 3.
  std::vector<StreamPrompt> prompts(const std::vector<std::int64_t>& beginning, int count) {
    std::vector<StreamPrompt> prompts;
    for (int i = 0; i < count; ++i) {
      StreamPrompt prompt{beginning, 0};
      const auto own = tokens(1 + random_.below(60));
      prompt.tokens.insert(prompt.tokens.end(), own.begin(), own.end());
      const auto behind = std::min<std::uint64_t>(random_.below(4), own.size() - 1);
      prompt.token = static_cast<std::int64_t>(prompt.tokens.size() - 1 - behind);
      prompts.push_back(std::move(prompt));
    }
    return prompts;
  }

  // The same by the engine, each prompt alone.
  at::Tensor expected(const StreamPrompt& prompt, const std::vector<std::int64_t>& rows) const {
    const Job job{.tokens = prompt.tokens, .capture = {prompt.token}};
    EngineOptions options = model_.everything();
    options.rows = rows;
    return run_jobs(model_.decoder, {&job, 1}, options)[0].rows[0];
  }

  void expect_rows(RowStream& stream, const std::vector<StreamPrompt>& prompts,
                   const std::vector<std::int64_t>& rows) {
    std::size_t seen = 0;
    stream.compute(prompts, [&](std::size_t i, const at::Tensor& found) {
      EXPECT_EQ(i, seen++);
      EXPECT_LE(worst_difference(found, expected(prompts[i], rows)), kRounding) << i;
    });
    EXPECT_EQ(seen, prompts.size());
  }

  TinyModel model_{GetParam()};
  Random random_{11};
  const std::vector<std::int64_t> all_ = model_.everything().rows;
};

TEST_P(Streams, GiveTheRowsThatTheEngineGives) {
  RowStream stream(model_.decoder, all_);
  expect_rows(stream, prompts({}, 40), all_);
  for (const std::int64_t row : all_) {
    RowStream one(model_.decoder, {row});
    expect_rows(one, prompts({}, 5), {row});
  }
}

TEST_P(Streams, ComputeWhatPromptsBeginWithOnce) {
  const std::vector<std::int64_t> beginning = tokens(21);
  RowStream stream(model_.decoder, all_);
  stream.share(beginning);
  expect_rows(stream, prompts(beginning, 20), all_);
  const std::int64_t before = stream.computed_tokens();
  const std::vector<StreamPrompt> more = prompts(beginning, 15);
  expect_rows(stream, more, all_);
  std::int64_t own = 0;
  for (const StreamPrompt& prompt : more) own += prompt.token + 1 - 21;
  EXPECT_EQ(stream.computed_tokens() - before, own);  // nothing behind the wanted token, either
}

TEST_P(Streams, TakePromptsThatBeginOtherwise) {
  const std::vector<std::int64_t> beginning = tokens(21);
  RowStream stream(model_.decoder, all_);
  stream.share(beginning);
  std::vector<StreamPrompt> mixed = prompts({beginning.begin(), beginning.begin() + 7}, 5);  // a part of it
  for (StreamPrompt& prompt : prompts({}, 5)) mixed.push_back(std::move(prompt));
  mixed.push_back({beginning, 20});  // nothing else: its last token is its own
  mixed.push_back({{beginning.front()}, 0});
  expect_rows(stream, mixed, all_);
}

TEST_P(Streams, CutPromptsThatDoNotFitAPass) {
  const std::vector<std::int64_t> beginning = tokens(5);
  RowStream stream(model_.decoder, all_);
  stream.share(beginning);
  std::vector<StreamPrompt> long_ones = prompts(beginning, 3);
  for (const std::size_t length : {1700, 40, 3300}) {
    std::vector<std::int64_t> long_one = tokens(length);
    long_ones.push_back({std::move(long_one), static_cast<std::int64_t>(length) - 2});
  }
  expect_rows(stream, long_ones, all_);  // more room than before is needed
  expect_rows(stream, prompts(beginning, 3), all_);
}

INSTANTIATE_TEST_SUITE_P(Tiny, Streams, testing::Values("llama-gqa-tied", "qwen2-window", "mixtral"),
                         [](const testing::TestParamInfo<std::string>& variant) {
                           std::string name = variant.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace hrt
