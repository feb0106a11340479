#include "hrt/analysis/plane.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numbers>

#include "analyses.h"
#include "beliefs.h"
#include "format.h"
#include "hrt/analysis/direction_band.h"
#include "hrt/analysis/directions.h"
#include "hrt/base/csv.h"
#include "hrt/base/error.h"
#include "hrt/base/page.h"
#include "hrt/experiment/centroids.h"
#include "hrt/probe/groups.h"

namespace hrt {
namespace {

struct Centre {
  std::string group;
  std::optional<PlaneCentre> centre;
};

std::vector<Centre> centres_of(const Beliefs& beliefs, const PromptGroups& groups, std::uint64_t seed) {
  std::vector<Centre> centres;
  for (const PromptGroup& group : groups.groups) {
    std::vector<double> x;
    std::vector<double> y;
    for (const std::size_t i : group.prompts) {
      const auto harmful = beliefs.harmful.means[i].all_rows;
      const auto refuse = beliefs.refuse.means[i].all_rows;
      if (!harmful || !refuse) continue;
      x.push_back(*harmful);
      y.push_back(*refuse);
    }
    centres.push_back({group.name, plane_centre(x, y, Resampler(std::ssize(x), seed))});
  }
  return centres;
}

Side side_of(const ProbePrompt& prompt, const Clusters& clusters) {
  const auto is = [&](const std::string& set) {
    return label_name(prompt.label) == set || quadrant_name(prompt.label, prompt.outcome) == set;
  };
  return is(clusters.plus) ? Side::kPlus : is(clusters.minus) ? Side::kMinus : Side::kNeither;
}

// The activations that a direction is made of, of the prompts in `common`.
Contrast contrast_of(const ProbeSource& source, const PositionRows& rows,
                     const std::vector<std::size_t>& common, const Clusters& clusters) {
  const std::vector<ProbePrompt> prompts = source.centroid_prompts();
  Contrast contrast;
  std::vector<std::int64_t> places;
  for (const std::size_t prompt : common) {
    places.push_back(std::ranges::lower_bound(rows.prompts, prompt) - rows.prompts.begin());
    contrast.sides.push_back(side_of(prompts[prompt], clusters));
  }
  contrast.activations = rows.rows.index_select(0, at::tensor(at::ArrayRef<std::int64_t>(places), at::kLong));
  return contrast;
}

// The cosine of harmfulness and refusal by row; empty where the centroids' prompts are not known.
std::vector<CosineBand> cosine_band(const ProbeSource& source, std::uint64_t seed) {
  const PositionRows first = source.centroid_rows_at("t_inst");
  const PositionRows second = source.centroid_rows_at("t_post_inst");
  std::vector<std::size_t> common;
  std::ranges::set_intersection(first.prompts, second.prompts, std::back_inserter(common));
  if (common.empty()) return {};
  return direction_cosine_band(contrast_of(source, first, common, kLabelClusters),
                               contrast_of(source, second, common, kOutcomeClusters),
                               Resampler(std::ssize(common), seed));
}

// A way to take one vector from an instruction.
struct Protocol {
  const char* name;
  const char* position;
  SpanValue value;
};
constexpr std::array kProtocols{Protocol{"last token", "t_inst", SpanValue::kMean},
                                Protocol{"mean of the instruction", "instruction", SpanValue::kMean},
                                Protocol{"maximum over the instruction", "instruction", SpanValue::kMaximum}};

struct ProtocolAngle {
  std::string first;
  std::string second;
  RowScores cosines;
};

at::Tensor harm_direction(const ProbeSource& source, const Protocol& protocol) {
  const PositionRows rows = source.centroid_rows_at(protocol.position, protocol.value);
  const std::vector<ProbePrompt> prompts = source.centroid_prompts();
  Centroid harmful;
  Centroid harmless;
  for (std::size_t i = 0; i < rows.prompts.size(); ++i) {
    const Label label = prompts[rows.prompts[i]].label;
    if (label == Label::kNone) continue;
    (label == Label::kHarmful ? harmful : harmless).add(rows.rows[static_cast<std::int64_t>(i)]);
  }
  return harmful.count() > 0 && harmless.count() > 0 ? harmful.mean() - harmless.mean() : at::Tensor();
}

std::vector<ProtocolAngle> protocol_angles(const ProbeSource& source) {
  std::vector<std::pair<std::string, at::Tensor>> directions;
  for (const Protocol& protocol : kProtocols) {
    if (!source.has(protocol.position)) continue;
    if (const at::Tensor direction = harm_direction(source, protocol); direction.defined())
      directions.emplace_back(protocol.name, direction);
  }
  std::vector<ProtocolAngle> angles;
  for (std::size_t b = 1; b < directions.size(); ++b) {
    for (std::size_t a = 0; a < b; ++a)
      angles.push_back({directions[a].first, directions[b].first,
                        row_cosines(directions[a].second, directions[b].second)});
  }
  return angles;
}

Json centre_json(const Centre& centre) {
  if (!centre.centre) return {{"n", 0}};
  const PlaneCentre& c = *centre.centre;
  Json json{{"n", c.n}, {"delta_harmful", c.x}, {"delta_refuse", c.y}, {"ellipse", nullptr}};
  if (c.ellipse)
    json["ellipse"] = {{"major", c.ellipse->major}, {"minor", c.ellipse->minor}, {"angle", c.ellipse->angle}};
  return json;
}

std::optional<double> degrees(const std::optional<double>& cosine) {
  return cosine ? std::optional(angle_of(*cosine)) : std::nullopt;
}

class PlaneProbe {
 public:
  PlaneProbe(const ProbeSource& source, const Json& config) : source_(source) {
    const Beliefs beliefs = measure_beliefs(source);
    for (const Belief* belief : {&beliefs.harmful, &beliefs.refuse}) {
      if (!belief->is_there()) throw InputError("{}: {}", belief->name, belief->missing);
    }
    groups_ = group_prompts(source.prompts(), config.at("group_by").get<std::vector<std::string>>());
    const std::uint64_t seed = config.at("seed");
    centres_ = centres_of(beliefs, groups_, seed);
    band_ = cosine_band(source, seed);
    angles_ = protocol_angles(source);
  }

  Json to_json() const {
    Json json{{"rows", source_.rows()}, {"groups", Json::object()}};
    for (const Centre& centre : centres_) json["groups"][centre.group] = centre_json(centre);
    for (const CosineBand& row : band_)
      json["cosine"].push_back({{"value", number_or_null(row.cosine)},
                                {"low", number_or_null(low_of(row.interval))},
                                {"high", number_or_null(high_of(row.interval))}});
    for (const ProtocolAngle& angle : angles_) {
      Json entry{{"first", angle.first}, {"second", angle.second}, {"degrees", Json::array()}};
      for (const auto& cosine : angle.cosines) entry["degrees"].push_back(number_or_null(degrees(cosine)));
      json["protocols"].push_back(std::move(entry));
    }
    return json;
  }

  std::map<std::string, std::string> tables() const {
    Csv plane({"group", "n", "delta_harmful", "delta_refuse", "major", "minor", "angle"});
    for (const Centre& centre : centres_) {
      if (!centre.centre) continue;
      const auto& ellipse = centre.centre->ellipse;
      plane.row({centre.group, centre.centre->n, centre.centre->x, centre.centre->y,
                 ellipse ? std::optional(ellipse->major) : std::nullopt,
                 ellipse ? std::optional(ellipse->minor) : std::nullopt,
                 ellipse ? std::optional(ellipse->angle) : std::nullopt});
    }
    Csv cosine({"row", "cosine", "low", "high"});
    for (std::size_t r = 0; r < band_.size(); ++r)
      cosine.row({source_.rows()[r], band_[r].cosine, low_of(band_[r].interval), high_of(band_[r].interval)});
    Csv protocols({"row", "first", "second", "degrees"});
    for (const ProtocolAngle& angle : angles_) {
      for (std::size_t r = 0; r < angle.cosines.size(); ++r)
        protocols.row({source_.rows()[r], angle.first, angle.second, degrees(angle.cosines[r])});
    }
    return {{"plane.csv", plane.text()}, {"cosine.csv", cosine.text()}, {"protocols.csv", protocols.text()}};
  }

  std::string page() const {
    return "\nCentres in the plane of the two beliefs, with the half axes of their 95 % ellipses\n\n" +
           centres_table().text() + "\n" + describe_sizes(groups_) + directions_page();
  }

 private:
  Table centres_table() const {
    using enum Table::Align;
    Table table({{"group"},
                 {"n", kRight},
                 {"Delta_harmful", kRight},
                 {"Delta_refuse", kRight},
                 {"ellipse", kRight},
                 {"turned", kRight}});
    for (const Centre& centre : centres_) {
      if (!centre.centre) continue;
      const auto& ellipse = centre.centre->ellipse;
      table.add({centre.group, std::to_string(centre.centre->n), fmt::format("{:+.3f}", centre.centre->x),
                 fmt::format("{:+.3f}", centre.centre->y),
                 ellipse ? fmt::format("{:.3f} x {:.3f}", ellipse->major, ellipse->minor) : "-",
                 ellipse ? fmt::format("{:.0f} deg", ellipse->angle * 180 / std::numbers::pi) : "-"});
    }
    return table;
  }

  std::string directions_page() const {
    if (band_.empty() && angles_.empty()) return "";
    using enum Table::Align;
    std::vector<Table::Column> columns{{"row", kRight}, {"cosine of v_h and v_r", kRight}};
    for (const ProtocolAngle& angle : angles_)
      columns.push_back({angle.first + " / " + angle.second, kRight, 24});
    Table table(columns, kNoWidth);
    for (std::size_t r = 0; r < source_.rows().size(); ++r) {
      std::vector<std::string> cells{std::to_string(source_.rows()[r])};
      const auto interval = r < band_.size() ? band_[r].interval : std::nullopt;
      cells.push_back(r < band_.size() && interval
                          ? fmt::format("{} [{:+.2f}, {:+.2f}]", signed_text(band_[r].cosine), interval->low,
                                        interval->high)
                          : "-");
      for (const ProtocolAngle& angle : angles_) {
        const auto turned = degrees(angle.cosines[r]);
        cells.push_back(turned ? fmt::format("{:.0f} deg", *turned) : "-");
      }
      table.add(cells);
    }
    const std::string hint = angles_.empty()
                                 ? "\nAngles between ways to take the direction need the span too: "
                                   "--positions t_inst,t_post_inst,instruction\n"
                                 : "";
    return "\nDirections of the centroids' prompts: their cosine, and v_h taken in other ways\n\n" +
           table.text() + hint;
  }

  const ProbeSource& source_;
  PromptGroups groups_;
  std::vector<Centre> centres_;
  std::vector<CosineBand> band_;
  std::vector<ProtocolAngle> angles_;
};

}  // namespace

ProbeReport probe_plane(const ProbeSource& source, const Json& config) {
  const PlaneProbe probe(source, config);
  return {probe.to_json(), probe.tables(), probe.page()};
}

}  // namespace hrt
