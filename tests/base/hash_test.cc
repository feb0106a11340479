#include "hrt/base/hash.h"

#include <gtest/gtest.h>

#include "data/scratch_folder.h"

namespace hrt {
namespace {

// FIPS 180-2, appendix B.
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

class Hash : public ScratchFolder {};

TEST_F(Hash, EqualsTheStandardsExamples) {
  EXPECT_EQ(sha256_of("abc"), kAbc);
  EXPECT_EQ(sha256_of(""), kEmpty);
  EXPECT_EQ(sha256_of_file(write("abc", "abc")), kAbc);
  EXPECT_EQ(sha256_of_file(write("empty", "")), kEmpty);
}

TEST_F(Hash, TakesPieces) {
  Sha256 hash;
  hash.update("a");
  hash.update("");
  hash.update("bc");
  EXPECT_EQ(hash.hex(), kAbc);
}

}  // namespace
}  // namespace hrt
