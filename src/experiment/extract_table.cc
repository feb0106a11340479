#include "hrt/experiment/extract_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "hrt/base/json.h"
#include "hrt/base/strings.h"
#include "interval_json.h"

namespace hrt {
namespace {

const Direction* find(const ExtractSummary& summary, std::string_view name) {
  for (const Direction& direction : summary.directions) {
    if (direction.name == name && direction.is_there()) return &direction;
  }
  return nullptr;
}

Json summary_json(const ExtractSummary& summary, const std::filesystem::path& run) {
  Json result{{"run", run.string()},
              {"quadrants", summary.quadrants},
              {"unknown_outcomes", summary.unknown},
              {"rows", summary.rows},
              {"directions", Json::object()}};
  for (const Direction& direction : summary.directions) {
    Json& entry = result["directions"][direction.name];
    if (!direction.is_there()) {
      entry = {{"absent", direction.absent}};
      continue;
    }
    entry = {{"plus", direction.plus_name()},
             {"plus_count", direction.plus_count},
             {"minus", direction.minus_name()},
             {"minus_count", direction.minus_count},
             {"norms", row_norms(direction.value)},
             {"agreement", scores_json(direction.agreement)},
             {"agreement_of_noise", agreement_of_noise(direction.plus_count, direction.minus_count)}};
  }
  const Direction* harmfulness = find(summary, "harmfulness");
  const Direction* refusal = find(summary, "refusal");
  if (harmfulness != nullptr && refusal != nullptr) {
    result["cosine"] = scores_json(row_cosines(harmfulness->value, refusal->value));
  }
  return result;
}

void print_quadrants(const ExtractSummary& summary) {
  const auto count = [&](const char* name) { return summary.quadrants.at(name); };
  fmt::print("\nPrompts by label and outcome\n\n");
  fmt::print("              refused   accepted\n");
  fmt::print("  harmful   {:>9} {:>10}\n", count("refused_harmful"), count("accepted_harmful"));
  fmt::print("  harmless  {:>9} {:>10}\n", count("refused_harmless"), count("accepted_harmless"));
  if (summary.unknown > 0) fmt::print("  {} replies could not be judged\n", summary.unknown);
}

std::size_t name_width(const ExtractSummary& summary) {
  std::size_t width = 9;
  for (const Direction& d : summary.directions) width = std::max(width, escape_for_terminal(d.name).size());
  return width;
}

void print_definitions(const ExtractSummary& summary) {
  const std::size_t width = name_width(summary);
  fmt::print(
      "\nDirections (raw differences of means). Agreement: the mean cosine of single differences with it,\n"
      "over rows but row 0; noise: what unrelated rows would give\n\n"
      "  {:<{}}  agreement  noise  definition\n",
      "direction", width);
  for (const Direction& d : summary.directions) {
    const auto agreement = row_mean(d.agreement, summary.rows).without_row_0;
    fmt::print(
        "  {:<{}}  {:>9}  {:>5}  {}\n", escape_for_terminal(d.name), width,
        agreement ? fmt::format("{:.2f}", *agreement) : "-",
        d.is_there() ? fmt::format("{:.2f}", agreement_of_noise(d.plus_count, d.minus_count)) : "-",
        d.is_there() ? escape_for_terminal(d.definition()) : "absent: " + escape_for_terminal(d.absent));
  }
}

std::string cell(const std::vector<double>& values, std::size_t row) {
  return values.empty() ? "-" : fmt::format("{:.3f}", values[row]);
}

// A bar for -1..1 around a middle mark, so that the curve over layers shows at a glance.
std::string bar(double value) {
  constexpr int kHalf = 10;
  const int length = static_cast<int>(std::abs(value) * kHalf + 0.5);
  std::string left(kHalf, ' ');
  std::string right(kHalf, ' ');
  for (int i = 0; i < length; ++i) (value < 0 ? left[kHalf - 1 - i] : right[i]) = '=';
  return left + "|" + right;
}

void print_rows(const ExtractSummary& summary) {
  const Direction* harmfulness = find(summary, "harmfulness");
  const Direction* refusal = find(summary, "refusal");
  const auto norms = [](const Direction* d) {
    return d == nullptr ? std::vector<double>{} : row_norms(d->value);
  };
  const std::vector<double> harm = norms(harmfulness);
  const std::vector<double> refuse = norms(refusal);
  std::vector<std::optional<double>> cosines(summary.rows.size());
  if (harmfulness != nullptr && refusal != nullptr) cosines = row_cosines(harmfulness->value, refusal->value);
  fmt::print("\n  row  |harmfulness|  |refusal|  cosine  -1         0         1\n");
  for (std::size_t i = 0; i < summary.rows.size(); ++i) {
    fmt::print("  {:>3} {:>14} {:>10} {:>7}  {}\n", summary.rows[i], cell(harm, i), cell(refuse, i),
               cosines[i] ? fmt::format("{:.3f}", *cosines[i]) : "-", cosines[i] ? bar(*cosines[i]) : "");
  }
}

}  // namespace

void print_summary(const ExtractSummary& summary, const std::filesystem::path& run, bool json) {
  if (json) {
    fmt::print("{}\n", to_line(summary_json(summary, run)));
    return;
  }
  print_quadrants(summary);
  if (!summary.directions.empty()) {
    print_definitions(summary);
    print_rows(summary);
  }
  fmt::print("\nWritten to {}\n", run.string());
}

}  // namespace hrt
