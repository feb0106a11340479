// Every input of every corpus, seeds and what fuzzing found, without the fuzzer.
#include <gtest/gtest.h>

#include <filesystem>

#include "hrt/base/file.h"
#include "targets.h"

namespace hrt::fuzz {
namespace {

namespace fs = std::filesystem;

class Corpus : public ::testing::TestWithParam<Target> {};

TEST_P(Corpus, IsReadOrRefused) {
  const fs::path folder = fs::path(HRT_SOURCE_DIR "/tests/fuzz/corpus") / GetParam().name;
  std::size_t inputs = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().string());
    EXPECT_NO_THROW(GetParam().run(read_file(entry.path())));
    ++inputs;
  }
  EXPECT_GT(inputs, 0U);
}

INSTANTIATE_TEST_SUITE_P(Readers, Corpus, ::testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace hrt::fuzz
