#include "hrt/model/kv_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hrt/base/error.h"

namespace hrt {
namespace {

using testing::ElementsAre;

class KvCacheTest : public testing::Test {
 protected:
  static DecoderSpec spec() {
    DecoderSpec spec;
    spec.layers = 2;
    spec.kv_heads = 3;
    spec.head_dim = 16;
    return spec;
  }

  std::vector<std::int64_t> append(KvSequence& sequence, std::int64_t count) {
    std::vector<std::int64_t> slots;
    cache_.append(sequence, count, slots);
    return slots;
  }

  KvCache cache_{spec(), 4, at::TensorOptions(at::kFloat), KvLayout::kTokens};
};

TEST_F(KvCacheTest, FillsPagesInOrder) {
  KvSequence sequence;
  EXPECT_EQ(append(sequence, 15).size(), 15);
  EXPECT_THAT(append(sequence, 3), ElementsAre(15, 16, 17));
  EXPECT_EQ(sequence.length, 18);
  EXPECT_EQ(cache_.free_pages(), 2);
}

TEST_F(KvCacheTest, AForkSharesPagesAndWritesItsOwn) {
  KvSequence parent;
  append(parent, 5);
  KvSequence child = cache_.fork(parent, parent.length);
  EXPECT_THAT(append(child, 2), ElementsAre(16, 17));
  EXPECT_THAT(append(parent, 1), ElementsAre(5));
  EXPECT_EQ(child.length, 7);
  EXPECT_EQ(child.blocks.front().count, 5);
  EXPECT_EQ(child.blocks.back().first, 5);
  cache_.release(parent);
  EXPECT_EQ(cache_.free_pages(), 2);  // the child still needs the shared page
  cache_.release(child);
  EXPECT_EQ(cache_.free_pages(), 4);
}

TEST_F(KvCacheTest, SaysWhenItIsFull) {
  KvSequence sequence;
  append(sequence, 64);
  EXPECT_THROW(append(sequence, 1), RunError);
}

TEST_F(KvCacheTest, AnnouncesWhatItTakes) {
  std::int64_t bytes = 0;
  for (std::int64_t layer = 0; layer < 2; ++layer) {
    bytes += static_cast<std::int64_t>(cache_.keys(layer).nbytes() + cache_.values(layer).nbytes());
  }
  EXPECT_EQ(KvCache::bytes(spec(), 4, 4), bytes);
}

}  // namespace
}  // namespace hrt
