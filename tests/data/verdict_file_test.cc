#include "hrt/data/verdict_file.h"

#include <gmock/gmock.h>

#include "hrt/base/error.h"
#include "scratch_folder.h"

namespace hrt {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class VerdictFileTest : public ScratchFolder {};

TEST_F(VerdictFileTest, FindsByIdAndCell) {
  const VerdictFile file(write("v.jsonl", R"({"id": "a", "verdict": "refused", "why": "it says so"})"
                                          "\n\n"
                                          R"({"id": "a", "cell": "baseline", "verdict": "accepted"})"
                                          "\n"
                                          R"({"id": 7, "cell": null, "verdict": "unknown"})"
                                          "\n"));
  ASSERT_EQ(file.size(), 3u);
  EXPECT_EQ(file.find("a", "")->outcome, Outcome::kRefused);
  EXPECT_EQ(file.find("a", "baseline")->outcome, Outcome::kAccepted);
  EXPECT_EQ(file.find("a", "baseline")->rule, "v.jsonl:3");
  EXPECT_EQ(file.find("7", "")->outcome, Outcome::kUnknown);
  EXPECT_EQ(file.find("7", "baseline"), nullptr);
  EXPECT_EQ(file.find("b", ""), nullptr);
}

TEST_F(VerdictFileTest, NamesTheLineThatIsWrong) {
  const auto reading = [&](const std::string& text) {
    return [path = write("v.jsonl", text)] { VerdictFile file(path); };
  };
  const std::string good = R"({"id": "a", "verdict": "refused"})"
                           "\n";
  EXPECT_THAT(reading(good + R"({"id": "b", "verdict": "yes"})"),
              ThrowsMessage<InputError>(
                  HasSubstr("v.jsonl:2: /verdict: expected refused, accepted or unknown, found \"yes\"")));
  EXPECT_THAT(reading(good + R"({"id": "b"})"), ThrowsMessage<InputError>(HasSubstr("v.jsonl:2: /verdict")));
  EXPECT_THAT(reading(good + R"({"verdict": "refused"})"),
              ThrowsMessage<InputError>(HasSubstr("v.jsonl:2: /id")));
  EXPECT_THAT(reading(good + good), ThrowsMessage<InputError>(HasSubstr("stands already at v.jsonl:1")));
  EXPECT_THAT([&] { VerdictFile file(write("v.csv", "id,verdict\na,refused\n")); },
              ThrowsMessage<InputError>(HasSubstr("verdicts are a .jsonl file")));
}

}  // namespace
}  // namespace hrt
