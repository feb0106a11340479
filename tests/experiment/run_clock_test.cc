#include "hrt/experiment/run_clock.h"

#include <gtest/gtest.h>

#include <fstream>

#include "temporary_folder.h"

namespace hrt {
namespace {

TEST(RunClock, AResumedRunKeepsItsDate) {
  const TemporaryFolder run;
  Json config{{"out", run.path().string()}, {"template_arg", Json::object()}};
  keep_clock(config);
  EXPECT_TRUE(config.at("template_arg").empty()) << "no run is there yet";

  std::ofstream(run.path() / "manifest.json")
      << R"({"status": "running", "identity": {}, "template": {"clock": {"date_string": "09 Mar 2025"}}})";
  keep_clock(config);
  EXPECT_EQ(config.at("template_arg"), (Json{{"date_string", "09 Mar 2025"}}));

  config["template_arg"] = {{"date_string", "01 Jan 2024"}};
  keep_clock(config);
  EXPECT_EQ(config.at("template_arg").at("date_string"), "01 Jan 2024") << "what is asked for counts";
}

}  // namespace
}  // namespace hrt
