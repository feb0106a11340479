#include <algorithm>
#include <memory>

#include "hrt/base/log.h"
#include "hrt/base/strings.h"
#include "hrt/cli/commands.h"
#include "hrt/report/report.h"

namespace hrt {
namespace {

constexpr const char* kFooter = R"(Examples:
  hrt report RUN                                             RUN/report.html and RUN/figures
  hrt report BASE TUNED --out COMPARED                       several runs side by side
  hrt report RUN --formats svg,csv                           figures alone
  hrt report runs/reproduce                                  the scoreboard and all experiments)";

const std::vector<std::string> kFormats{"html", "md", "svg", "pdf", "png", "csv"};

struct ReportOptions {
  std::vector<std::string> runs;
  std::string out;
  std::string formats = "html,svg,pdf,png,csv";
  bool json = false;
  bool quiet = false;
};

ExitCode run(const ReportOptions& options) {
  if (options.quiet) setup_logging(Verbosity::kQuiet);
  ReportRequest request;
  request.runs.assign(options.runs.begin(), options.runs.end());
  if (!options.out.empty()) request.out = options.out;
  request.formats = split_list(options.formats);
  for (const std::string& format : request.formats) {
    if (std::find(kFormats.begin(), kFormats.end(), format) == kFormats.end())
      throw InputError("--formats: no format \"{}\"{} (formats: {})", format, did_you_mean(format, kFormats),
                       join(kFormats, ", "));
  }
  request.json = options.json;
  return write_report(request);
}

}  // namespace

void add_report(CLI::App& app, Action& action) {
  CLI::App* sub = app.add_subcommand("report", "Figures, csv and one self-contained page out of runs.");
  sub->footer(kFooter);
  const auto options = std::make_shared<ReportOptions>();
  sub->add_option("RUN", options->runs, "run directories, or one of `hrt reproduce`")->required();
  sub->add_option("--out", options->out, "where to write (default: into RUN)")->type_name("DIR");
  sub->add_option("--formats", options->formats,
                  "what to write, of html, md, svg, pdf, png, csv; html and md bring svg")
      ->type_name("LIST")
      ->capture_default_str();
  sub->add_flag("--json", options->json, "what was written, as JSON on stdout");
  sub->add_flag("--quiet", options->quiet, "no progress and no log on stderr, errors only");
  sub->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace hrt
