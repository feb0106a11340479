#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "hrt/base/page.h"
#include "hrt/base/paths.h"
#include "hrt/base/strings.h"
#include "hrt/reproduce/scoreboard.h"

namespace hrt {
namespace {

constexpr std::size_t kWhatOnScreen = 44;  // letters, of what is said in a line; a file has all of it

std::string number(double value) { return fmt::format("{:.3g}", value); }

// "84.2 [76.6, 89.6] %, highest of 8, at layer 7"
std::string measured_text(const Measured& measured, const std::string& unit) {
  if (!measured.value) return "-";
  std::string text = number(*measured.value);
  if (measured.low && measured.high)
    text += fmt::format(" [{}, {}]", number(*measured.low), number(*measured.high));
  if (!unit.empty()) text += " " + unit;
  const std::string how = picked(measured);
  return how.empty() ? text : text + ", " + how;
}

std::string published_value(const Json& values, const std::string& model) {
  if (!values.contains(model)) return "-";
  const Json& value = values.at(model);
  return value.is_array() ? fmt::format("{}..{}", number(value[0]), number(value[1])) : number(value);
}

class ScorePage {
 public:
  explicit ScorePage(const Scoreboard& board) : board_(board) {}

  std::string text() const { return head() + "\n" + table() + remarks(); }

 private:
  std::string head() const {
    Page page("Scoreboard");
    page.add("model", fmt::format("{} ({}, {} layers x {})", path_from_here(plain(board_.model.at("path"))),
                                  plain(board_.model.at("family")), plain(board_.model.at("layers")),
                                  plain(board_.model.at("hidden"))));
    page.add("taken for",
             board_.taken_for.empty()
                 ? "none of the published models: the verdicts are of the claims"
                 : board_.taken_for + ", by its shape and template: published values are compared");
    page.add("data", board_.catalog);
    if (!board_.description.empty()) page.add("", board_.description);
    return page.text();
  }

  std::string letters() const {
    std::vector<std::string> letters;
    for (const KnownModel& model : board_.known) letters.push_back(model.letter);
    return join(letters, " ");
  }

  std::string published_text(const PublishedResult& result) const {
    std::vector<std::string> values;
    for (const KnownModel& model : board_.known) values.push_back(published_value(result.values, model.name));
    const bool any = std::ranges::any_of(values, [](const std::string& value) { return value != "-"; });
    return any ? join(values, " ") : published_value(result.values, result.values.begin().key());
  }

  std::string table() const {
    using Align = Table::Align;
    Table table({{"experiment"},
                 {"what", Align::kLeft, isatty(STDOUT_FILENO) == 1 ? kWhatOnScreen : kNoWidth},
                 {"published " + letters()},
                 {"measured", Align::kLeft, kNoWidth},
                 {"n", Align::kRight},
                 {"verdict"}},
                kNoWidth);
    for (const ScoreRow& row : board_.rows) add_lines(table, row);
    std::vector<std::string> names;
    for (const KnownModel& model : board_.known) names.push_back(model.letter + " " + model.name);
    return table.text() +
           fmt::format("\n[95 % interval]. Published for: {}.\n{}", join(names, ", "), papers()) +
           "* see below.\n";
  }

  // A line each published number, or one for the first claim.
  void add_lines(Table& table, const ScoreRow& row) const {
    auto add = [&, first = true](const std::string& what, const std::string& published,
                                 const std::string& unit, const Measured& measured) mutable {
      table.add({first ? row.id : "", what, published, measured_text(measured, unit),
                 measured.n ? fmt::format("{} {}", *measured.n, measured.n_of) : "",
                 first ? row.verdict() + (row.why.empty() ? "" : " *") : ""});
      first = false;
    };
    for (const PublishedResult& p : row.published) add(p.what, published_text(p), p.unit, p.measured);
    if (!row.published.empty()) return;
    if (row.claims.empty()) return table.add({row.id, row.title, "-", "-", "", row.verdict()});
    const ClaimResult& claim = row.claims.front();
    add(claim.says, "-", claim.unit, claim.measured);
  }

  std::string papers() const {
    std::string text;
    for (const auto& [name, paper] : board_.papers.items()) text += plain(paper) + "\n";
    return text;
  }

  std::string remarks() const {
    std::string text;
    for (const std::string& warning : board_.warnings) text += line("warning", warning);
    for (const ScoreRow& row : board_.rows) {
      if (!row.why.empty()) text += line(row.id, row.why);
      for (const std::string& source : row.left_out) text += line(row.id, "left out: " + source);
      for (const ClaimResult& claim : row.claims) text += claim_remark(row, claim);
    }
    return text.empty() ? "" : "\n" + text;
  }

  std::string claim_remark(const ScoreRow& row, const ClaimResult& claim) const {
    if (!claim.holds) {
      if (claim.why == row.why) return "";
      return line(row.id, fmt::format("not measured: {} ({})", claim.says, claim.why));
    }
    if (*claim.holds && claim.clear.value_or(true)) return "";
    const auto missed = board_.missed.find(row.id + "." + claim.name);
    return line(row.id, fmt::format("{}: {}: {}, needs {}{}", how_it_holds(claim), claim.says,
                                    measured_text(claim.measured, claim.unit), claim.needs,
                                    missed == board_.missed.end() ? "" : " (known: " + missed->second + ")"));
  }

  // By the value, and by the interval where that says something else.
  static std::string how_it_holds(const ClaimResult& claim) {
    if (*claim.holds) return "holds, but chance is not ruled out";
    return claim.clear.value_or(true) ? "does not hold" : "does not hold, but chance is not ruled out";
  }

  static std::string line(const std::string& id, const std::string& text) {
    return fmt::format("{:<12} {}\n", id, escape_for_terminal(text));
  }

  const Scoreboard& board_;
};

}  // namespace

std::string Scoreboard::page() const { return ScorePage(*this).text(); }

}  // namespace hrt
