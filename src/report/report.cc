#include "hrt/report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "draw.h"
#include "figure_csv.h"
#include "hrt/base/file.h"
#include "hrt/base/log.h"
#include "hrt/base/output.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/stored_run.h"
#include "html.h"
#include "markdown.h"
#include "numbers.h"
#include "scoreboard.h"
#include "sections.h"
#include "text_plot.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostCurves = 6;  // on the terminal; of more, the page is the place

bool wants(const ReportRequest& request, const char* format) {
  return std::ranges::find(request.formats, format) != request.formats.end();
}

// What the catalog says of the data and the model, so that nobody takes one for another.
std::string about_data(const Json& manifest) {
  const Json::json_pointer place("/config/data");
  if (!manifest.contains(place) || !manifest.at(place).is_string()) return "";
  const fs::path file = manifest.at(place).get<std::string>();
  if (!fs::exists(file)) return file.string();
  try {
    const Json catalog = read_json(file);
    const std::string name = text_at(catalog, "/name");
    return fmt::format("{}: {}", name.empty() ? file.stem().string() : name,
                       text_at(catalog, "/description"));
  } catch (const InputError&) {
    return file.string();
  }
}

// Behind the section's first figure.
void insert_after_figures(Section& section, Figure figure) {
  const auto first = std::ranges::find_if(
      section.blocks, [](const Block& block) { return std::holds_alternative<Figure>(block); });
  section.blocks.insert(first == section.blocks.end() ? first : first + 1, std::move(figure));
}

Section nothing_to_show(const std::string& title, const std::string& source, const std::string& reason) {
  return {title, source, {Paragraph{fmt::format("Nothing to show: {}.", reason), true}}};
}

Section experiment_section(const Json& experiment, const fs::path& folder) {
  const std::string title = fmt::format("{}: {}", text_at(experiment, "/id"), text_at(experiment, "/title"));
  const std::string source = text_at(experiment, "/source");
  if (!fs::exists(folder)) return nothing_to_show(title, source, "its folder is not there any more");
  try {
    Section section = as_written(folder, [&] { return run_section(open_run(folder)); });
    section.title = title;
    section.run = source + ". " + section.run;
    if (auto figure = published_figure(experiment)) insert_after_figures(section, std::move(*figure));
    return section;
  } catch (const InputError& error) {  // the others can be shown all the same
    return nothing_to_show(title, source, error.what());
  }
}

void add_reproduction(Document& document, const RunFolder& run) {
  document.sections.push_back(scoreboard_section(run));
  if (!run.results.is_object()) return;
  for (const Json& experiment : run.results.at("experiments")) {
    const Json folder = experiment.value("run", Json());
    document.sections.push_back(
        folder.is_string() ? experiment_section(experiment, run.path / folder.get<std::string>())
                           : nothing_to_show(fmt::format("{}: {}", text_at(experiment, "/id"),
                                                         text_at(experiment, "/title")),
                                             text_at(experiment, "/source"), text_at(experiment, "/why")));
  }
}

std::string title_of(const RunFolder& run) {
  const Json::json_pointer catalog("/catalog/name");
  if (run.kind() != "reproduce" || !run.results.is_object() || !run.results.contains(catalog))
    return run.name();
  return fmt::format("Harmfulness and refusal: {}", run.results.at(catalog).get<std::string>());
}

void add_run(Document& document, std::vector<std::string>& about, RunFolder run) {
  document.title += (document.title.empty() ? "" : ", ") + title_of(run);
  const std::string data = about_data(run.manifest);
  if (!data.empty() && std::ranges::find(about, data) == about.end()) about.push_back(data);
  if (run.kind() == "reproduce") {
    add_reproduction(document, run);
  } else {
    document.sections.push_back(run_section(std::move(run)));
  }
}

Document document_of(const ReportRequest& request) {
  Document document;
  std::vector<std::string> about;
  for (const fs::path& path : request.runs)
    as_written(path, [&] { add_run(document, about, open_run(path)); });
  document.lead = join(about, " ");
  return document;
}

void collect(std::vector<Block>& blocks, std::vector<Figure*>& figures) {
  for (Block& block : blocks) {
    if (auto* figure = std::get_if<Figure>(&block)) figures.push_back(figure);
    if (auto* hidden = std::get_if<std::shared_ptr<Collapsed>>(&block)) collect((*hidden)->blocks, figures);
  }
}

// All figures of the document, each with a name of its own.
std::vector<Figure*> name_figures(Document& document) {
  std::vector<Figure*> figures;
  for (Section& section : document.sections) collect(section.blocks, figures);
  std::set<std::string> names;
  for (Figure* figure : figures) {
    const std::string name = figure->name;
    for (int i = 2; !names.insert(figure->name).second; ++i) figure->name = fmt::format("{}_{}", name, i);
  }
  return figures;
}

void write_figures(const ReportRequest& request, const std::vector<Figure*>& found, const fs::path& folder) {
  std::vector<Figure> figures;
  for (const Figure* figure : found) figures.push_back(*figure);
  std::vector<std::string> formats;
  for (const char* format : {"svg", "pdf", "png"}) {
    const bool page_needs = format == std::string("svg") && (wants(request, "html") || wants(request, "md"));
    if (wants(request, format) || page_needs) formats.emplace_back(format);
  }
  if (wants(request, "csv")) {
    for (const Figure& figure : figures) write_file(folder / (figure.name + ".csv"), figure_csv(figure));
  }
  if (formats.empty() || figures.empty()) return;
  if (!have_gnuplot()) {
    spdlog::warn("gnuplot is not there: figures are not drawn (tools/setup installs it)");
    return;
  }
  spdlog::info("drawing {}", counted(figures.size(), "figure"));
  draw(figures, formats, folder);
}

void print_curves(const Document& document) {
  for (const Section& section : document.sections) {
    print_out("\n{}  {}\n", escape_for_terminal(section.title), escape_for_terminal(section.run));
    for (const Block& block : section.blocks) {
      const auto* paragraph = std::get_if<Paragraph>(&block);
      if (paragraph != nullptr && paragraph->warning)
        print_out("  {}\n", escape_for_terminal(paragraph->text));
    }
    const auto figure = std::ranges::find_if(section.blocks, [](const Block& block) {
      const auto* f = std::get_if<Figure>(&block);
      return f != nullptr && !f->panels.empty() && !text_plot(f->panels.front()).empty();
    });
    if (figure != section.blocks.end())
      print_out("\n{}", text_plot(std::get<Figure>(*figure).panels.front()));
  }
}

}  // namespace

ExitCode write_report(const ReportRequest& request) {
  if (request.runs.size() > 1 && !request.out)
    throw InputError("several runs: --out DIR says where their report goes");
  const fs::path out = request.out.value_or(request.runs.front());
  Document document = document_of(request);
  const std::vector<Figure*> figures = name_figures(document);
  const fs::path folder = out / "figures";
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw InputError("{}: cannot be made: {}", folder.string(), error.message());
  write_figures(request, figures, folder);
  std::vector<std::string> written;
  if (wants(request, "html")) {
    write_file(out / "report.html", html_page(document, folder));
    written.push_back((out / "report.html").string());
  }
  if (wants(request, "md")) {
    write_file(out / "report.md", markdown_page(document));
    written.push_back((out / "report.md").string());
  }
  if (request.json) {
    Json names = Json::array();
    for (const Figure* figure : figures) names.push_back(figure->name);
    print_out("{}\n", to_line({{"written", written}, {"figures", names}, {"folder", folder.string()}}));
    return ExitCode::kDone;
  }
  if (document.sections.size() <= kMostCurves) print_curves(document);
  print_out("\n");
  for (const std::string& file : written) print_out("Written: {}\n", file);
  if (!figures.empty()) print_out("Figures: {} in {}\n", figures.size(), folder.string());
  return ExitCode::kDone;
}

}  // namespace hrt
