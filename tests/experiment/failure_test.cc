#include "hrt/experiment/failure.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <new>

#include "hrt/base/json.h"

namespace hrt {
namespace {

Failure of_file(int number) {
  return failure_of(std::filesystem::filesystem_error("status", "/a/file",
                                                      std::error_code(number, std::generic_category())));
}

TEST(Failure, OwnErrorsKeepTheirCodeAndWords) {
  const Failure failure = failure_of(CheckError("{} does not hold", "it"));
  EXPECT_EQ(failure.code, ExitCode::kCheckFailed);
  EXPECT_EQ(failure.line, "it does not hold");
}

TEST(Failure, AFileThatCannotBeLookedAtIsBadInput) {
  EXPECT_EQ(of_file(ELOOP).code, ExitCode::kBadInput);
  EXPECT_EQ(of_file(ELOOP).line, "/a/file: Too many levels of symbolic links");
}

TEST(Failure, ADiskThatIsFullOrFailsIsNoBadInput) {
  for (const int number : {ENOSPC, EDQUOT, EFBIG, EIO, ESTALE}) {
    EXPECT_EQ(of_file(number).code, ExitCode::kFailure);
    EXPECT_TRUE(of_file(number).line.starts_with("/a/file: "));
  }
}

TEST(Failure, WhatTheJsonLibrarySaysIsWordedAsOurs) {
  try {
    Json::object().at("a");
    FAIL();
  } catch (const std::exception& error) {
    EXPECT_EQ(failure_of(error).code, ExitCode::kFailure);
    EXPECT_EQ(failure_of(error).line, "a JSON value is not as expected: key 'a' not found");
  }
}

TEST(Failure, OfOthersTheFirstLineCounts) {
  EXPECT_EQ(failure_of(std::runtime_error("what happened\nframe #0")).line, "what happened");
  EXPECT_EQ(failure_of(std::bad_alloc()).line, "out of memory");
}

}  // namespace
}  // namespace hrt
