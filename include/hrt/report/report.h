#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hrt/base/error.h"

namespace hrt {

struct ReportRequest {
  std::vector<std::filesystem::path> runs;        // run directories, or one of `hrt reproduce`
  std::optional<std::filesystem::path> out = {};  // default: the run itself, where there is one
  std::vector<std::string> formats = {"html", "svg", "pdf", "png", "csv"};  // and md
  bool json = false;
};

// `hrt report`: figures (OUT/figures/NAME.svg, .pdf, .png, with their points in NAME.csv), one page that
// holds all (report.html), and on the terminal each run's main curve. Reads files only: no model is opened.
// What a run lacks is said in the report. Throws InputError for a folder that is no run; RunError where
// gnuplot fails.
ExitCode write_report(const ReportRequest& request);

}  // namespace hrt
