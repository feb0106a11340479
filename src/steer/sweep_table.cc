#include <fmt/format.h>

#include "hrt/base/output.h"
#include "hrt/base/strings.h"
#include "hrt/steer/sweep_results.h"

namespace hrt {
namespace {

constexpr const char* kLegend = R"(
random: lowest and highest rate of the random controls; degen.: replies that are empty or end in a loop, in
brackets of all random controls; KL: nats from the unsteered model at the first new token, harmless prompts;
change: of a changed token, in norms of h
)";

std::string percent(const std::optional<double>& share) {
  return share ? fmt::format("{:.0f}", 100 * *share) : "-";
}

std::string rate_text(const Proportion& rate) {
  const auto interval = rate.interval();
  if (!interval) return "-";
  return fmt::format("{:>3} [{:>3}, {:>3}]", percent(rate.rate()), percent(interval->low),
                     percent(interval->high));
}

std::string band_text(const std::optional<ControlBand>& band) {
  if (!band) return "";
  return band->low() == band->high() ? percent(band->low())
                                     : fmt::format("{}-{}", percent(band->low()), percent(band->high()));
}

std::string counts_text(const CellResult& result) {
  std::string text;
  for (const auto& [name, count] : result.counts)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, count);
  return text;
}

std::string degenerate_text(const CellResult& result, const std::optional<ControlBand>& band) {
  const std::int64_t own = result.empty + result.looping;
  const std::int64_t controls = band ? band->empty + band->looping : 0;
  if (controls > 0) return fmt::format("{} ({})", own, controls);
  return own == 0 ? "" : std::to_string(own);
}

std::string coefficient_text(const Intervention& swept) {
  const bool counts = swept.op == Op::kAdd || swept.op == Op::kClamp;
  return counts ? fmt::format("{:+g}", swept.coefficient) : "-";
}

// A cell's line: what varies within its sweep, and what came of it.
void print_line(const SweepResults& results, const Cell& cell, const CellResult& result) {
  const Intervention& swept = cell.interventions.front();
  const CellReceipt& receipt = results.receipt(result.cell);
  const std::string layer =
      cell.layer() ? std::to_string(*cell.layer()) : fmt::format("{} layers", swept.layers.size());
  const auto band = results.has_rates() ? results.band(result.cell, result.set) : std::nullopt;
  print_out("  {:<16} {:>6} {:>6}  {:<20} {:>16} {:>8} {:>8} {:>6} {:>7}\n", scope_name(swept.scope), layer,
            coefficient_text(swept), escape_for_terminal(result.set),
            results.has_rates() ? rate_text(result.rate) : counts_text(result), band_text(band),
            degenerate_text(result, band), result.kl ? fmt::format("{:.2g}", result.kl->value) : "",
            receipt.changes > 0 ? fmt::format("{:.2g}", receipt.norm_change / receipt.changes) : "0");
}

void print_baseline(const SweepResults& results, const std::vector<Cell>& cells) {
  print_out("\nUnsteered\n");
  for (const CellResult& result : results.results()) {
    if (!cells[result.cell].is_baseline()) continue;
    print_out("  {:<32} {:>4} prompts  {:>16} %  {}{}\n", escape_for_terminal(result.set), result.n,
              results.has_rates() ? rate_text(result.rate) : "-", counts_text(result),
              result.empty + result.looping > 0
                  ? fmt::format(", {} degenerate", result.empty + result.looping)
                  : "");
  }
}

}  // namespace

void print_sweep(const SweepResults& results, const std::vector<Cell>& cells) {
  print_baseline(results, cells);
  std::string sweep;
  for (const CellResult& result : results.results()) {
    const Cell& cell = cells[result.cell];
    if (cell.is_baseline() || cell.control_of) continue;
    if (cell.sweep != sweep) {
      sweep = cell.sweep;
      print_out("\n{}\n  {:<16} {:>6} {:>6}  {:<20} {:>16} {:>8} {:>8} {:>6} {:>7}\n",
                escape_for_terminal(sweep), "scope", "layer", "coef", "prompts",
                results.separation() ? "no, % [95 %]" : "refused, % [95 %]", "random", "degen.", "KL",
                "change");
    }
    print_line(results, cell, result);
  }
  if (!sweep.empty()) print_out("{}", kLegend);
  if (results.separation())
    print_out("\n{}{}\n", results.has_rates() ? "" : "Not applicable: ", results.separation()->reason);
  if (results.left_out() > 0)
    print_out("{} left out, since steering would show nothing\n",
              counted(results.left_out(), "steered cell"));
}

}  // namespace hrt
