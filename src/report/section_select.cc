#include <fmt/format.h>

#include <map>

#include "numbers.h"
#include "sections.h"

namespace hrt {
namespace {

struct Score {
  const char* key;
  const char* title;
  const char* limit;  // in /rules; empty: none
};
constexpr std::array kScores{
    Score{"refusal_score", "refusal score, ablated (harmful prompts)", ""},
    Score{"steering_score", "refusal score, added (harmless prompts)", "min_induced_score"},
    Score{"kl_div_score", "KL, ablated (harmless prompts)", "max_kl"},
};

Figure score_figure(const RunFolder& run) {
  Figure figure{.name = run.name(), .title = "Scores of the candidates", .panel_height = 4.4};
  for (const Score& score : kScores) {
    Panel panel{.title = score.title, .x = {.title = "layer", .whole = true}};
    std::map<double, Series> lines;
    for (const Json& candidate : run.results.at("candidates")) {
      const double position = candidate.at("position").get<double>();
      const auto value = number_of(candidate.at(score.key));
      if (!value) continue;
      const auto [line, added] = lines.try_emplace(position);
      if (added)
        line->second = group_series(fmt::format("position {:.0f}", position), lines.size() - 1, Mark::kLine);
      line->second.points.push_back({candidate.at("layer").get<double>(), *value});
    }
    for (auto& [position, line] : lines) panel.series.push_back(std::move(line));
    const std::string limit = score.limit;
    if (const auto value = limit.empty() ? std::nullopt : number_at(run.results, "/rules/" + limit))
      panel.references.push_back({*value, limit == "max_kl" ? "must be below" : "must be above"});
    figure.panels.push_back(std::move(panel));
  }
  const auto n = [&](const char* label) {
    return static_cast<int>(number_at(run.results, fmt::format("/validation/{}/counted", label)).value_or(0));
  };
  figure.caption = fmt::format(
      "Candidates: difference of means at each post-instruction token (counted from the prompt's end) and "
      "layer. Scores on "
      "{} harmful and {} harmless validation prompts.",
      n("harmful"), n("harmless"));
  return figure;
}

}  // namespace

std::vector<Block> select_blocks(RunFolder& run) {
  const Json& results = run.results;
  std::vector<Block> blocks;
  if (results.at("chosen").is_null()) {
    blocks.push_back(Paragraph{"No candidate survives the rules.", true});
  } else {
    blocks.push_back(Paragraph{fmt::format(
        "Chosen: position {}, layer {}. It was chosen on these prompts: its effect is to be measured on "
        "others.",
        plain_number(results.at("chosen").at("position")), plain_number(results.at("chosen").at("layer")))});
  }
  blocks.push_back(score_figure(run));
  DataTable removed{"Removed by", {"rule", "candidates"}};
  for (const auto& [rule, count] : results.at("removed").items())
    removed.rows.push_back({shown(rule), plain_number(count)});
  removed.rows.push_back({"surviving", fmt::format("{}", results.at("surviving").size())});
  blocks.push_back(std::move(removed));
  return blocks;
}

}  // namespace hrt
