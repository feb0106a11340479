#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ranges>
#include <set>

#include "hrt/base/error.h"
#include "hrt/base/paths.h"
#include "hrt/base/strings.h"
#include "numbers.h"
#include "sections.h"

namespace hrt {
namespace {

struct Kind {
  const char* kind;
  const char* title;
  std::vector<Block> (*blocks)(RunFolder& run);
};
constexpr std::array kKinds{
    Kind{"extract", "Activations and directions", extract_blocks},
    Kind{"steer", "Steering", sweep_blocks},
    Kind{"steer select", "Choosing a refusal direction", select_blocks},
    Kind{"probe layers", "Scores by row", layers_blocks},
    Kind{"probe beliefs", "Beliefs of harmfulness and refusal", beliefs_blocks},
    Kind{"probe categories", "Risk categories", categories_blocks},
    Kind{"probe positions", "Token positions", positions_blocks},
    Kind{"probe plane", "The plane of the two beliefs", plane_blocks},
    Kind{"probe linear", "Linear probes", linear_blocks},
    Kind{"probe compare", "Models compared", compare_blocks},
    Kind{"guard eval", "Guards", guard_blocks},
};

const Kind& kind_of_run(const RunFolder& run) {
  const auto* kind = std::ranges::find_if(kKinds, [&](const Kind& k) { return k.kind == run.kind(); });
  if (kind == kKinds.end())
    throw InputError("{}: a run of `hrt {}`, of which there is no report", run.path.string(), run.kind());
  return *kind;
}

std::string identity_text(const Json& manifest) {
  if (!manifest.contains("row_identity") || !manifest.at("row_identity").is_object()) return "not checked";
  const Json& identity = manifest.at("row_identity");
  return fmt::format(
      "{}: {} prompts computed again, each alone; worst relative difference {:.1e}, tolerance {:.0e}",
      identity.value("holds", false) ? "holds" : "DOES NOT HOLD", text_at(identity, "/prompts"),
      number_at(identity, "/worst_relative_difference").value_or(0),
      number_at(identity, "/tolerance").value_or(0));
}

std::vector<TokenStrip::Token> proof_tokens(const Json& proof) {
  std::vector<TokenStrip::Token> tokens;
  if (!proof.contains("texts")) return tokens;
  for (std::size_t i = 0; i < proof.at("texts").size(); ++i) {
    const Json& text = proof.at("texts").at(i);
    tokens.push_back({text.is_string() ? text.get<std::string>() : proof.at("tokens").at(i).dump(),
                      proof.at("parts").at(i).get<std::string>(), ""});
  }
  for (const auto& [name, position] : proof.at("positions").items()) {
    if (!position.is_object() || !position.contains("index")) continue;
    const auto index = position.at("index").get<std::size_t>();
    if (index >= tokens.size()) continue;
    std::string& mark = tokens[index].position;
    mark += (mark.empty() ? "" : ", ") + name;
  }
  return tokens;
}

std::set<std::string> names_of_controls(const Json& results) {
  std::set<std::string> names;
  if (!results.is_object() || !results.contains("cells")) return names;
  for (const Json& cell : results.at("cells")) {
    if (cell.value("control", false)) names.insert(cell.value("name", ""));
  }
  return names;
}

// Up to `most` replies, evenly over the file, without those of random controls.
DataTable reply_sample(RunFolder& run, std::size_t most) {
  DataTable table{"A sample of the replies", {"id", "cell", "verdict", "rule", "reply"}};
  std::vector<Json> replies = records(run, "replies.jsonl");
  const std::set<std::string> controls = names_of_controls(run.results);
  std::erase_if(replies, [&](const Json& reply) { return controls.contains(reply.value("cell", "")); });
  const std::size_t step = std::max<std::size_t>(1, replies.size() / most);
  for (std::size_t i = 0; i < replies.size() && table.rows.size() < most; i += step) {
    const Json& reply = replies[i];
    std::string text = reply.value("text", "");
    if (text.size() > 400) text = text.substr(0, text.find(' ', 400)) + " ...";
    table.rows.push_back({reply.value("id", ""), reply.value("cell", ""), reply.value("verdict", ""),
                          reply.value("rule", ""), text});
  }
  table.caption += fmt::format(" ({} of {})", table.rows.size(), replies.size());
  return table;
}

DataTable receipts(const Json& results) {
  DataTable table{"Receipts: what each cell touched",
                  {"cell", "tokens", "changes", "mean relative norm change"}};
  for (const Json& cell : results.at("cells")) {
    if (!cell.contains("receipt")) continue;
    const Json& receipt = cell.at("receipt");
    const auto change = number_at(receipt, "/mean_norm_change");
    table.rows.push_back({cell.at("name").get<std::string>(), text_at(receipt, "/tokens"),
                          fmt::format("{:.0f}", number_at(receipt, "/changes").value_or(0)),
                          change ? fmt::format("{:.3g}", *change) : "-"});
  }
  return table;
}

// What the tensors or runs that were looked at cannot show.
std::vector<std::string> source_warnings(const Json& results) {
  std::vector<std::string> warnings;
  for (const char* pointer : {"/source/limits", "/source/overlap"}) {
    if (std::string said = text_at(results, pointer); !said.empty()) warnings.push_back(std::move(said));
  }
  if (text_at(results, "/source/position_check/holds") == "false")
    warnings.push_back(
        fmt::format("Position check: the rows called {} are not of one token, though all prompts end in the "
                    "same one (smallest cosine at row 0: {:.3f}).",
                    text_at(results, "/source/position_check/position"),
                    number_at(results, "/source/position_check/smallest_cosine").value_or(0)));
  return warnings;
}

// A row of "what was run": what it says of a model, out of that model's manifest.
struct ProvenanceRow {
  const char* name;
  std::string (*of_model)(const Json& manifest);
};
constexpr std::array kOfModel{
    ProvenanceRow{"model", [](const Json& m) { return path_from_here(text_at(m, "/model/path")); }},
    ProvenanceRow{"adapter", [](const Json& m) { return path_from_here(text_at(m, "/model/adapter/path")); }},
    ProvenanceRow{"",
                  [](const Json& m) {
                    return fmt::format("{}, {} parameters, {} blocks x {}, stored in {}",
                                       text_at(m, "/model/family"), text_at(m, "/model/parameters"),
                                       text_at(m, "/model/layers"), text_at(m, "/model/hidden"),
                                       text_at(m, "/model/stored_dtype"));
                  }},
    ProvenanceRow{
        "template",
        [](const Json& m) { return text_at(m, "/template/name") + ": " + text_at(m, "/template/reason"); }},
    ProvenanceRow{"judge", [](const Json& m) { return text_at(m, "/judge"); }},
    ProvenanceRow{"device, dtype",
                  [](const Json& m) { return text_at(m, "/device") + ", " + text_at(m, "/dtype"); }},
    ProvenanceRow{"row identity", identity_text},
};

// What was run, on what, and how it was checked: a column each model.
DataTable provenance_table(const RunFolder& run, const std::vector<std::pair<std::string, Json>>& models) {
  DataTable table{"What was run, on what", {""}};
  const auto add = [&](const std::string& name, const std::string& value) {
    if (value.empty()) return;
    table.rows.push_back({name, value});
    table.rows.back().resize(table.columns.size());
  };
  for (const auto& [name, manifest] : models) table.columns.push_back(name);
  if (models.empty()) table.columns.emplace_back();
  add("command", "hrt " + run.kind());
  for (const ProvenanceRow& row : kOfModel) {
    std::vector<std::string> cells{row.name};
    for (const auto& [name, manifest] : models) cells.push_back(row.of_model(manifest));
    if (std::ranges::any_of(cells | std::views::drop(1), [](const std::string& c) { return !c.empty(); }))
      table.rows.push_back(std::move(cells));
  }
  add("data", path_from_here(text_at(run.manifest, "/config/data")));
  add("new tokens, at most", text_at(run.manifest, "/config/max_new_tokens"));
  add("held out", text_at(run.results, "/source/held_out"));
  add("hrt, torch", text_at(run.manifest, "/versions/hrt") + ", " + text_at(run.manifest, "/versions/torch"));
  add("finished", text_at(run.manifest, "/finished"));
  return table;
}

std::vector<Block> provenance_blocks(const RunFolder& run) {
  const auto models = run.model_manifests();
  std::vector<Block> blocks{provenance_table(run, models)};
  const Json::json_pointer place("/template/proof");
  for (const auto& [name, manifest] : models) {
    if (!manifest.contains(place) || !manifest.at(place).is_object()) continue;
    TokenStrip strip{proof_tokens(manifest.at(place))};
    if (strip.tokens.empty()) continue;
    blocks.push_back(Paragraph{fmt::format("Proof of positions: prompt {}, token by token{}.",
                                           text_at(manifest, "/template/proof/id"),
                                           name.empty() ? "" : " (" + name + ")")});
    blocks.push_back(std::move(strip));
  }
  return blocks;
}

// Replies of a run, the receipts of its cells, its manifest: shown when asked for.
std::vector<Block> appendix_blocks(RunFolder& run) {
  std::vector<Block> blocks;
  if (std::filesystem::exists(run.path / "replies.jsonl"))
    blocks.push_back(collapsed("Replies", {reply_sample(run, 12)}));
  if (run.results.is_object() && run.results.contains("cells")) {
    DataTable table = receipts(run.results);
    if (!table.rows.empty()) blocks.push_back(collapsed("Receipts", {std::move(table)}));
  }
  blocks.push_back(collapsed("Manifest", {Verbatim{run.manifest.dump(2)}}));
  return blocks;
}

}  // namespace

Section run_section(RunFolder run) {
  const Kind& kind = kind_of_run(run);
  Section section{kind.title, run.path.string(), {}};
  std::vector<Block> found;
  if (run.kind() == "extract" || run.results.is_object()) {
    try {
      found = kind.blocks(run);
    } catch (const Json::exception& error) {
      run.remarks.push_back(
          fmt::format("results.json is not as this version writes it: {}.", reason_of(error)));
    } catch (const InputError& error) {
      run.remarks.push_back(fmt::format("{}.", error.what()));
    }
  }
  const std::vector<Block> appendix = appendix_blocks(run);
  for (const std::string& remark : run.remarks) section.blocks.push_back(Paragraph{remark, true});
  for (const Json& warning : run.manifest.value("warnings", Json::array()))
    section.blocks.push_back(Paragraph{"Warning of the run: " + plain_number(warning), true});
  for (std::string& said : source_warnings(run.results))
    section.blocks.push_back(Paragraph{std::move(said), true});
  std::ranges::move(found, std::back_inserter(section.blocks));
  section.blocks.push_back(
      collapsed("What was run, on what, and the proof of its positions", provenance_blocks(run)));
  std::ranges::copy(appendix, std::back_inserter(section.blocks));
  return section;
}

}  // namespace hrt
