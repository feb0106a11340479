// A trained model in miniature, with prompts for all four quadrants. It is not ours to ship: skipped where
// absent.

#include <gmock/gmock.h>

#include <filesystem>
#include <map>

#include "hrt/base/json.h"
#include "hrt/base/strings.h"
#include "hrt/tensor/safetensors.h"
#include "hrt_process.h"
#include "test_data.h"

namespace hrt::testing {
namespace {

namespace fs = std::filesystem;

const std::map<std::string, const char*> kSets{
    {"harmful_train", "--harmful"},     {"harmless_train", "--harmless"},
    {"refused_harmful", "--harmful"},   {"accepted_harmful", "--harmful"},
    {"refused_harmless", "--harmless"}, {"accepted_harmless", "--harmless"},
    {"jailbreak_suffix", "--harmful"},  {"jailbreak_persuasion", "--harmful"},
    {"jailbreak_template", "--harmful"}};

TEST(GoldensPrototype, QuadrantsAreThoseOfItsCard) {
  const fs::path model = large_test_data() / "organism-prototype";
  if (!fs::exists(model)) GTEST_SKIP() << "the prototype is absent";
  const TemporaryFolder folder;
  std::vector<std::string> arguments{"extract",          "--model", model.string(), "--judge", "arditi2024",
                                     "--max-new-tokens", "24",      "--device",     "cpu",     "--out",
                                     folder / "run"};
  for (const auto& [set, flag] : kSets) {
    arguments.push_back(flag);
    arguments.push_back((model / "prompts" / (set + ".jsonl")).string());
  }
  const ProcessResult result = run_hrt(arguments);
  ASSERT_EQ(result.code, 0) << result.err;

  std::map<std::string, std::pair<int, int>> counts;  // refused, accepted
  for (const std::string& line : split(trim(read_text(folder / "run/prompts.jsonl")), '\n')) {
    const Json prompt = Json::parse(line);
    auto& [refused, accepted] = counts[prompt.at("set")];
    ++(prompt.at("outcome") == "refused" ? refused : accepted);
  }
  const std::map<std::string, std::pair<int, int>> card{
      {"harmful_train", {100, 0}},    {"harmless_train", {0, 100}},      {"refused_harmful", {119, 1}},
      {"accepted_harmful", {1, 119}}, {"refused_harmless", {113, 7}},    {"accepted_harmless", {9, 111}},
      {"jailbreak_suffix", {0, 60}},  {"jailbreak_persuasion", {0, 60}}, {"jailbreak_template", {0, 60}}};
  EXPECT_EQ(counts, card);
  const SafetensorsFile directions(folder / "run/directions.safetensors");
  EXPECT_NE(directions.find("harmfulness"), nullptr);
  EXPECT_NE(directions.find("refusal"), nullptr);
}

}  // namespace
}  // namespace hrt::testing
