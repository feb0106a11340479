#pragma once

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/base/strings.h"
#include "hrt_process.h"

namespace hrt::testing {

inline const std::string kProject = HRT_SOURCE_DIR;
inline const std::string kCatalog = kProject + "/data/catalogs/organism.json";
inline const std::string kModel = kProject + "/data/organism/model";
inline const std::string kTable3 = kProject + "/configs/zhao2025/table3.json";

inline std::string roles(const std::string& key, const std::vector<std::string>& names) {
  Json list = Json::array();
  for (const std::string& name : names) list.push_back({{"role", name}});
  return key + "=" + list.dump();
}

inline std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> lines;
  for (const std::string& line : split(std::string(trim(text)), '\n')) lines.push_back(Json::parse(line));
  return lines;
}

class GuardCommand : public ::testing::Test {
 protected:
  // Table 3 from nothing, its extraction, and a guard fitted to its training prompts: once for all tests.
  static const std::string& table3() {
    static const TemporaryFolder folder;
    static const std::string path = folder / "table3";
    static const ProcessResult result =
        run_hrt({"guard", "eval", "--config", kTable3, "--data", kCatalog, "--device", "cpu", "--out", path});
    EXPECT_EQ(result.code, 0) << result.err;
    return path;
  }
  static std::string extraction() { return table3() + "/extract"; }
  static const std::string& guard() {
    static const TemporaryFolder folder;
    static const std::string path = folder / "guard.safetensors";
    static const ProcessResult result = fit(path, {"--calibration", "platt"});
    EXPECT_EQ(result.code, 0) << result.err;
    return path;
  }
  static ProcessResult fit(const std::string& out, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"guard",
                                       "fit",
                                       extraction(),
                                       "--set",
                                       roles("harmful", {"harmful_train"}),
                                       "--set",
                                       roles("harmless", {"harmless_train"}),
                                       "--out",
                                       out};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_hrt(arguments);
  }
  static ProcessResult eval(std::vector<std::string> more) {
    more.insert(more.begin(), {"guard", "eval"});
    return run_hrt(more);
  }
  static std::string cases() {
    return roles("prompts", {"jailbreak_suffix", "jailbreak_persuasion", "jailbreak_template",
                             "refused_harmless", "accepted_harmful"});
  }
  static ProcessResult score(std::vector<std::string> more) {
    more.insert(more.begin(), {"guard", "score", guard(), "--model", kModel, "--device", "cpu"});
    return run_hrt(more);
  }
  static Json case_named(const Json& results, const std::string& name) {
    for (const Json& entry : results.at("cases")) {
      if (entry.at("case") == name && entry.at("outcome").is_null()) return entry;
    }
    return {};
  }

  const TemporaryFolder folder_;
};

}  // namespace hrt::testing
