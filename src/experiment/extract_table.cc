#include "hrt/experiment/extract_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "hrt/base/output.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/interval_json.h"

namespace hrt {
namespace {

const Direction* find(const ExtractSummary& summary, std::string_view name) {
  for (const Direction& direction : summary.directions) {
    if (direction.name == name && direction.is_there()) return &direction;
  }
  return nullptr;
}

std::string number(std::int64_t count, const char* noun) {
  return counted(static_cast<std::size_t>(count), noun);
}

// A row a label, a column an outcome, of those that occur.
void print_counts(const PromptCounts& counts) {
  const std::vector<std::pair<Label, const char*>> rows{
      {Label::kHarmful, "harmful"}, {Label::kHarmless, "harmless"}, {Label::kNone, "no label"}};
  std::vector<std::pair<Outcome, const char*>> columns{{Outcome::kRefused, "refused"},
                                                       {Outcome::kAccepted, "accepted"}};
  if (counts.of(Outcome::kUnknown) > 0) columns.emplace_back(Outcome::kUnknown, "unknown");
  print_out("\nPrompts by label and outcome\n\n  {:<8}", "");
  for (const auto& [outcome, name] : columns) print_out(" {:>10}", name);
  for (const auto& [label, name] : rows) {
    if (counts.of(label) == 0) continue;
    print_out("\n  {:<8}", name);
    for (const auto& column : columns) print_out(" {:>10}", counts.of(label, column.first));
  }
  print_out("\n");
}

void print_prompts(const ExtractSummary& summary) {
  const PromptCounts& counts = summary.counts;
  if (counts.any_outcome()) {
    print_counts(counts);
  } else if (counts.any_label()) {
    print_out("\n{}: {} harmful, {} harmless\n", number(counts.all(), "prompt"), counts.of(Label::kHarmful),
              counts.of(Label::kHarmless));
  } else {
    print_out("\n{}\n", number(counts.all(), "prompt"));
  }
  if (summary.unknown > 0) print_out("  {} could not be judged\n", number(summary.unknown, "reply"));
}

std::size_t name_width(const ExtractSummary& summary) {
  std::size_t width = 9;
  for (const Direction& d : summary.directions)
    if (d.asked) width = std::max(width, escape_for_terminal(d.name).size());
  return width;
}

void print_definitions(const ExtractSummary& summary) {
  const std::size_t width = name_width(summary);
  print_out(
      "\nDirections (raw differences of means). Agreement: the mean cosine of single differences with it,\n"
      "over rows but row 0; noise: what unrelated rows would give\n\n"
      "  {:<{}}  agreement  noise  definition\n",
      "direction", width);
  for (const Direction& d : summary.directions) {
    if (!d.asked) continue;
    const auto agreement = row_mean(d.agreement, summary.rows).without_row_0;
    print_out(
        "  {:<{}}  {:>9}  {:>5}  {}\n", escape_for_terminal(d.name), width,
        agreement ? fmt::format("{:.2f}", *agreement) : "-",
        d.is_there() ? fmt::format("{:.2f}", agreement_of_noise(d.plus_count, d.minus_count)) : "-",
        d.is_there() ? escape_for_terminal(d.definition()) : "absent: " + escape_for_terminal(d.absent));
  }
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
  std::vector<std::pair<std::string, std::vector<double>>> columns;
  for (const char* name : {"harmfulness", "refusal"}) {
    const Direction* direction = find(summary, name);
    if (direction != nullptr) columns.emplace_back(fmt::format("|{}|", name), row_norms(direction->value));
  }
  if (columns.empty()) return;
  const bool both = columns.size() == 2;
  RowScores cosines(summary.rows.size());
  if (both) cosines = row_cosines(find(summary, "harmfulness")->value, find(summary, "refusal")->value);
  print_out("\n  row");
  for (const auto& column : columns) print_out("  {:>13}", column.first);
  print_out("{}\n", both ? "  cosine  -1         0         1" : "");
  for (std::size_t i = 0; i < summary.rows.size(); ++i) {
    print_out("  {:>3}", summary.rows[i]);
    for (const auto& column : columns) print_out("  {:>13.3f}", column.second[i]);
    if (both) print_out(" {:>7}", cosines[i] ? fmt::format("{:.3f}", *cosines[i]) : "-");
    print_out("{}\n", cosines[i] ? "  " + bar(*cosines[i]) : "");
  }
}

}  // namespace

Json summary_json(const ExtractSummary& summary) {
  Json result = summary.counts.to_json();
  result.update(
      {{"unknown_outcomes", summary.unknown}, {"rows", summary.rows}, {"directions", Json::object()}});
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

void print_summary(const ExtractSummary& summary, const std::filesystem::path& run) {
  print_prompts(summary);
  const bool asked = std::ranges::any_of(summary.directions, [](const Direction& d) { return d.asked; });
  if (asked) print_definitions(summary);
  print_rows(summary);
  print_out("\nWritten to {}\n", escape_for_terminal(run.string()));
}

}  // namespace hrt
