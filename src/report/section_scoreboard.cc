#include <fmt/format.h>

#include "hrt/base/paths.h"
#include "hrt/base/strings.h"
#include "numbers.h"
#include "scoreboard.h"

namespace hrt {
namespace {

std::string measured(const Json& value, const std::string& unit) {
  if (!value.is_object() || value.value("value", Json()).is_null()) return "-";
  const std::string picked = text_at(value, "/picked");
  return decimal(value, unit.empty() ? 2 : 1) + (unit.empty() ? "" : " " + unit) +
         (picked.empty() ? "" : ", " + picked);
}

std::string range_text(const Json& value) {
  if (!value.is_array()) return fmt::format("{:g}", value.get<double>());
  return fmt::format("{:g} to {:g}", value.front().get<double>(), value.back().get<double>());
}

// "32 prompts"
std::string count_text(const Json& value) {
  const std::string n = count_of(value);
  return n == "-" ? n : n + " " + text_at(value, "/n_of");
}

// "yes", "no"; where the interval reaches over the limit, that is said; so is what the model's card lists.
std::string holds_text(const Json& claim) {
  const Json& holds = claim.at("holds");
  if (!holds.is_boolean()) return "-";
  std::string text = holds.get<bool>() ? "yes" : "no";
  if (claim.value("clear", Json()) == false) text += ", but chance is not ruled out";
  const std::string missed = text_at(claim, "/missed");
  return missed.empty() ? text : text + " (known: " + missed + ")";
}

// "Llama-3-8B 94; Qwen2-7B 0 to 10 %"
std::string published_text(const Json& published) {
  std::string text;
  for (const auto& [model, value] : published.at("values").items())
    text += fmt::format("{}{} {}", text.empty() ? "" : "; ", model, range_text(value));
  return text;
}

// Of which model all that follows is.
std::string model_text(const Json& model) {
  std::string text = fmt::format("Model: {} ({}, {} parameters", path_from_here(text_at(model, "/path")),
                                 text_at(model, "/family"), model.at("parameters").get<std::int64_t>());
  if (model.contains("adapter")) text += ", with the adapter " + text_at(model, "/adapter/path");
  const std::string taken_for = text_at(model, "/taken_for");
  return text +
         (taken_for.empty() ? "); the papers hold no numbers of it." : "), taken for " + taken_for + ".");
}

DataTable board(const Json& experiments) {
  DataTable table{"", {"experiment", "verdict", "claims that hold", "n", "why", "source"}};
  for (const Json& experiment : experiments) {
    std::size_t held = 0;
    std::size_t judged = 0;
    for (const Json& claim : experiment.at("claims")) {
      if (!claim.at("holds").is_boolean()) continue;
      ++judged;
      if (claim.at("holds").get<bool>()) ++held;
    }
    table.rows.push_back({fmt::format("{}: {}", text_at(experiment, "/id"), text_at(experiment, "/title")),
                          text_at(experiment, "/verdict"),
                          judged > 0 ? fmt::format("{} of {}", held, judged) : "-", count_text(experiment),
                          text_at(experiment, "/why"), text_at(experiment, "/source")});
  }
  return table;
}

DataTable claims(const Json& experiments) {
  DataTable table{"Every claim", {"experiment", "claim", "holds", "measured [95 %]", "needs", "n", "source"}};
  for (const Json& experiment : experiments) {
    for (const Json& claim : experiment.at("claims")) {
      const Json measured_here = claim.value("measured", Json::object());
      table.rows.push_back({text_at(experiment, "/id"), text_at(claim, "/says"), holds_text(claim),
                            measured(measured_here, text_at(claim, "/unit")), text_at(claim, "/needs"),
                            count_text(measured_here), text_at(claim, "/source")});
    }
  }
  return table;
}

DataTable published(const Json& experiments) {
  DataTable table{"Published values, beside ours",
                  {"experiment", "what", "published", "measured here [95 %]", "n", "verdict", "source"}};
  for (const Json& experiment : experiments) {
    for (const Json& value : experiment.value("published", Json::array()))
      table.rows.push_back({text_at(experiment, "/id"), text_at(value, "/what"),
                            published_text(value) + (text_at(value, "/unit") == "%" ? " %" : ""),
                            measured(value.value("measured", Json()), text_at(value, "/unit")),
                            count_text(value.value("measured", Json::object())), text_at(value, "/verdict"),
                            text_at(value, "/source")});
  }
  return table;
}

}  // namespace

Section scoreboard_section(const RunFolder& run) {
  Section section{"Scoreboard", run.path.string(), {}};
  for (const std::string& remark : run.remarks) section.blocks.push_back(Paragraph{remark, true});
  if (!run.results.is_object()) return section;
  for (const Json& warning : run.results.value("warnings", Json::array()))
    section.blocks.push_back(Paragraph{"Warning: " + plain_number(warning), true});
  const Json& experiments = run.results.at("experiments");
  section.blocks.push_back(Paragraph{model_text(run.results.at("model"))});
  std::vector<std::string> papers;
  const Json named = run.results.value("papers", Json::object());
  for (const auto& [name, paper] : named.items()) papers.push_back(plain_number(paper));
  if (!papers.empty()) section.blocks.push_back(Paragraph{"Sources: " + join(papers, "; ") + "."});
  section.blocks.push_back(board(experiments));
  section.blocks.push_back(claims(experiments));
  section.blocks.push_back(published(experiments));
  return section;
}

}  // namespace hrt
