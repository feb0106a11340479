#include <fmt/format.h>

#include <filesystem>

#include "hrt/analysis/directions.h"
#include "hrt/base/error.h"
#include "hrt/tensor/safetensors.h"
#include "numbers.h"
#include "sections.h"

namespace hrt {
namespace {

struct Directions {
  std::vector<double> rows;
  std::vector<std::pair<std::string, at::Tensor>> tensors;  // without those of categories
  Metadata metadata;

  const at::Tensor* find(const std::string& name) const {
    for (const auto& [known, tensor] : tensors) {
      if (known == name) return &tensor;
    }
    return nullptr;
  }
};

Directions read_directions(const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  Directions directions{{}, {}, file.metadata()};
  for (const Json& row : parse_json(file.metadata().at("rows"), path.string()))
    directions.rows.push_back(row.get<double>());
  for (const TensorInfo& info : file.tensors()) {
    if (info.name.find(':') == std::string::npos)
      directions.tensors.emplace_back(info.name, file.tensor(info.name));
  }
  return directions;
}

constexpr Colour kColours[] = {Colour::kVermillion, Colour::kBlue, Colour::kSky};

Panel norm_panel(const Directions& directions) {
  Panel panel{.title = "norm of the direction",
              .x = {.title = "row", .whole = true},
              .y = {.title = "norm", .from = 0}};
  for (std::size_t d = 0; d < directions.tensors.size(); ++d) {
    const auto& [name, tensor] = directions.tensors[d];
    Series line{shown(name), Mark::kLine, kColours[d % 3], d >= 2};
    const std::vector<double> norms = row_norms(tensor);
    for (std::size_t r = 0; r < norms.size(); ++r) line.points.push_back({directions.rows[r], norms[r]});
    panel.series.push_back(std::move(line));
  }
  return panel;
}

Panel cosine_panel(const Directions& directions) {
  Panel panel{.title = "cosine of harmfulness and refusal",
              .x = {.title = "row", .whole = true},
              .y = {.title = "cosine"},
              .references = {{0, ""}}};
  const at::Tensor* harmfulness = directions.find("harmfulness");
  const at::Tensor* refusal = directions.find("refusal");
  if (harmfulness == nullptr || refusal == nullptr) return panel;
  Series line{"", Mark::kLine, Colour::kGreen};
  const RowScores cosines = row_cosines(*harmfulness, *refusal);
  for (std::size_t r = 0; r < cosines.size(); ++r) {
    if (cosines[r]) line.points.push_back({directions.rows[r], *cosines[r]});
  }
  panel.series.push_back(std::move(line));
  return panel;
}

DataTable quadrant_table(const Json& counts) {
  DataTable table{"Prompts by label and outcome", {"", "refused", "accepted"}};
  const Json quadrants = counts.value("quadrants", Json::object());
  for (const char* label : {"harmful", "harmless"}) {
    const auto n = [&](const char* outcome) {
      return plain_number(quadrants.value(fmt::format("{}_{}", outcome, label), Json(0)));
    };
    table.rows.push_back({label, n("refused"), n("accepted")});
  }
  return table;
}

}  // namespace

std::vector<Block> extract_blocks(RunFolder& run) {
  std::vector<Block> blocks;
  const Json counts = run.manifest.value("counts", Json::object());
  if (counts.contains("quadrants")) blocks.push_back(quadrant_table(counts));
  const std::filesystem::path file = run.path / "directions.safetensors";
  if (!std::filesystem::exists(file)) {
    run.remarks.push_back("There are no directions.");
    return blocks;
  }
  const Directions directions = read_directions(file);
  DataTable definitions{"Directions (raw differences of means)", {"direction", "definition"}};
  for (const auto& [name, text] : directions.metadata) {
    for (const std::string prefix : {"definition.", "absent."}) {
      if (name.starts_with(prefix) && name.find(':') == std::string::npos)
        definitions.rows.push_back(
            {shown(name.substr(prefix.size())), prefix == "absent." ? "absent: " + text : text});
    }
  }
  blocks.push_back(std::move(definitions));
  if (directions.tensors.empty()) return blocks;
  Figure figure{.name = run.name(), .title = "The directions by row", .panel_height = 4.6};
  figure.panels = {norm_panel(directions), cosine_panel(directions)};
  figure.caption =
      "Norms of the raw differences of means, and the cosine of the two; rows where a direction is zero have "
      "no cosine. n stands in the definitions.";
  blocks.emplace_back(std::move(figure));
  return blocks;
}

}  // namespace hrt
