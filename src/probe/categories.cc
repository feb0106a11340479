#include "hrt/analysis/categories.h"

#include <ATen/ops/index_select.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "analyses.h"
#include "format.h"
#include "hrt/base/csv.h"
#include "hrt/base/error.h"
#include "hrt/base/page.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

// A kind of direction, and what a category's is made of.
struct Kind {
  const char* name;
  const char* position;
  const char* base;
  bool refused_only;
};
constexpr std::array kKinds{Kind{"harmfulness", "t_inst", "harmless", false},
                            Kind{"refusal", "t_post_inst", "accepted_harmless", true}};

// The harmful prompts of a kind, by category.
struct Members {
  std::vector<std::string> names;        // of the categories, in order of their first prompts
  std::vector<std::int64_t> categories;  // by prompt
  at::Tensor rows;                       // [prompts, rows, hidden]
};

struct CategoryTable {
  std::string kind;
  std::string missing;  // why there is none
  std::vector<std::string> names;
  std::vector<std::int64_t> counts;  // prompts; empty where directions come as such
  std::vector<CosineMatrix> by_row;
  CosineMatrix mean{0};  // without row 0
  std::vector<std::optional<double>> with_others;
  std::vector<std::optional<Interval>> intervals;  // of these
  std::vector<std::optional<double>> halves;       // cosine of two halves, mean over rows without row 0
  std::vector<std::int64_t> order;                 // clustered
};

Members members_of(const ProbeSource& source, const Kind& kind) {
  Members members;
  std::vector<std::int64_t> places;
  const PositionRows rows = source.rows_at(kind.position);
  for (std::size_t i = 0; i < rows.prompts.size(); ++i) {
    const ProbePrompt& prompt = source.prompts()[rows.prompts[i]];
    const Json category = prompt.fields.value("category", Json());
    if (prompt.label != Label::kHarmful || !category.is_string()) continue;
    if (kind.refused_only && prompt.outcome != Outcome::kRefused) continue;
    const auto found = std::ranges::find(members.names, category.get<std::string>());
    members.categories.push_back(found - members.names.begin());
    if (found == members.names.end()) members.names.push_back(category);
    places.push_back(static_cast<std::int64_t>(i));
  }
  members.rows = rows.rows.index_select(0, at::tensor(at::ArrayRef<std::int64_t>(places), at::kLong));
  return members;
}

at::Tensor of_category(const Members& members, std::int64_t category) {
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i < members.categories.size(); ++i) {
    if (members.categories[i] == category) places.push_back(static_cast<std::int64_t>(i));
  }
  return members.rows.index_select(0, at::tensor(at::ArrayRef<std::int64_t>(places), at::kLong));
}

void compare(CategoryTable& table, const at::Tensor& directions, const std::vector<std::int64_t>& rows) {
  table.by_row = cosine_matrices(directions);
  table.mean = mean_matrix(table.by_row, rows);
  table.with_others = mean_with_others(table.mean);
  table.order = hierarchical_order(table.mean);
}

// Out of prompts: with counts, intervals, and the noise of each direction.
void measure(CategoryTable& table, const ProbeSource& source, const Kind& kind, std::uint64_t seed) {
  const auto base = source.centroid(kind.base, kind.position);
  const Members members = members_of(source, kind);
  const auto count = std::ssize(members.names);
  if (!base || count < 2) {
    table.missing =
        !base ? fmt::format("no centroid {}.{}", kind.base, kind.position)
              : fmt::format("{} of harmful{} prompts there", counted(members.names.size(), "category"),
                            kind.refused_only ? ", refused" : "");
    return;
  }
  table.names = members.names;
  compare(table, category_directions(members.rows, members.categories, count, base->mean), source.rows());
  table.intervals =
      mean_with_others_intervals(members.rows, members.categories, count, base->mean, source.rows(), seed);
  for (std::int64_t c = 0; c < count; ++c) {
    const at::Tensor rows = of_category(members, c);
    table.counts.push_back(rows.size(0));
    table.halves.push_back(row_mean(split_half_cosines(rows, base->mean, seed), source.rows()).without_row_0);
  }
}

CategoryTable table_of(const ProbeSource& source, const Kind& kind, std::uint64_t seed) {
  CategoryTable table;
  table.kind = kind.name;
  const auto given = source.category_directions(kind.name);
  if (!given.empty()) {
    std::vector<at::Tensor> directions;
    for (const auto& [name, direction] : given) {
      table.names.push_back(name);
      directions.push_back(direction);
    }
    compare(table, at::stack(directions), source.rows());
  } else if (source.has(kind.position)) {
    measure(table, source, kind, seed);
  } else {
    table.missing = fmt::format("no rows at {}", kind.position);
  }
  return table;
}

template <typename Value>
std::optional<Value> at(const std::vector<std::optional<Value>>& values, std::size_t index) {
  return index < values.size() ? values[index] : std::nullopt;
}

std::optional<double> ceiling_of(const CategoryTable& table, std::size_t category) {
  const auto half = at(table.halves, category);
  return half ? whole_from_halves(*half) : std::nullopt;
}

Json matrix_json(const CosineMatrix& matrix) {
  Json rows = Json::array();
  for (std::int64_t i = 0; i < matrix.size(); ++i) {
    Json row = Json::array();
    for (std::int64_t j = 0; j < matrix.size(); ++j) row.push_back(number_or_null(matrix.at(i, j)));
    rows.push_back(std::move(row));
  }
  return rows;
}

Json category_json(const CategoryTable& table, std::size_t c) {
  const auto interval = at(table.intervals, c);
  return {{"name", table.names[c]},
          {"n", c < table.counts.size() ? Json(table.counts[c]) : Json()},
          {"mean_with_others", number_or_null(table.with_others[c])},
          {"low", number_or_null(low_of(interval))},
          {"high", number_or_null(high_of(interval))},
          {"split_half", number_or_null(at(table.halves, c))},
          {"ceiling", number_or_null(ceiling_of(table, c))}};
}

std::optional<double> overall_mean(const CategoryTable& table) {
  double sum = 0;
  std::int64_t count = 0;
  for (const auto& value : table.with_others) {
    if (!value) continue;
    sum += *value;
    ++count;
  }
  return count > 0 ? std::optional(sum / static_cast<double>(count)) : std::nullopt;
}

Json table_json(const CategoryTable& table) {
  if (!table.missing.empty()) return {{"missing", table.missing}};
  Json json{{"mean", number_or_null(overall_mean(table))}, {"categories", Json::array()}};
  for (std::size_t c = 0; c < table.names.size(); ++c) json["categories"].push_back(category_json(table, c));
  for (const std::int64_t c : table.order) json["order"].push_back(table.names[static_cast<std::size_t>(c)]);
  json["cosines"] = matrix_json(table.mean);
  for (const CosineMatrix& matrix : table.by_row) json["by_row"].push_back(matrix_json(matrix));
  return json;
}

void add_cosines(Csv& csv, const CategoryTable& table, const std::string& row, const CosineMatrix& matrix) {
  for (const std::int64_t i : table.order) {
    for (const std::int64_t j : table.order)
      csv.row({table.kind, row, table.names[static_cast<std::size_t>(i)],
               table.names[static_cast<std::size_t>(j)], matrix.at(i, j)});
  }
}

std::string cosines_csv(const std::vector<CategoryTable>& tables, const std::vector<std::int64_t>& rows) {
  Csv csv({"direction", "row", "category", "other", "cosine"});
  for (const CategoryTable& table : tables) {
    add_cosines(csv, table, "mean", table.mean);
    for (std::size_t r = 0; r < table.by_row.size(); ++r)
      add_cosines(csv, table, std::to_string(rows[r]), table.by_row[r]);
  }
  return csv.text();
}

std::string categories_csv(const std::vector<CategoryTable>& tables) {
  Csv csv({"direction", "category", "n", "mean_with_others", "low", "high", "split_half", "ceiling"});
  for (const CategoryTable& table : tables) {
    for (const std::int64_t o : table.order) {
      const auto c = static_cast<std::size_t>(o);
      csv.row({table.kind, table.names[c],
               c < table.counts.size() ? std::optional(table.counts[c]) : std::nullopt, table.with_others[c],
               low_of(at(table.intervals, c)), high_of(at(table.intervals, c)), at(table.halves, c),
               ceiling_of(table, c)});
    }
  }
  return csv.text();
}

std::string table_page(const CategoryTable& table) {
  std::string page =
      fmt::format("\n{} by category: mean cosine with the other categories', without row 0\n\n", table.kind);
  if (!table.missing.empty()) return page + fmt::format("  not there: {}\n", table.missing);
  using enum Table::Align;
  Table lines({{"category"}, {"n", kRight}, {"cosine", kRight}, {"two halves", kRight}, {"ceiling", kRight}});
  for (const std::int64_t o : table.order) {
    const auto c = static_cast<std::size_t>(o);
    const auto interval = at(table.intervals, c);
    lines.add({table.names[c], c < table.counts.size() ? std::to_string(table.counts[c]) : "-",
               signed_text(table.with_others[c]) +
                   (interval ? fmt::format(" [{:+.3f}, {:+.3f}]", interval->low, interval->high) : ""),
               signed_text(at(table.halves, c)), signed_text(ceiling_of(table, c))});
  }
  return page + lines.text() + fmt::format("\nmean {}\n", signed_text(overall_mean(table)));
}

}  // namespace

ProbeReport probe_categories(const ProbeSource& source, const Json& config) {
  std::vector<CategoryTable> tables;
  for (const Kind& kind : kKinds) tables.push_back(table_of(source, kind, config.at("seed")));
  if (std::ranges::all_of(tables, [](const CategoryTable& t) { return !t.missing.empty(); }))
    throw InputError("no directions by category: {}", tables.front().missing);
  ProbeReport report;
  report.results["rows"] = source.rows();
  for (const CategoryTable& table : tables) {
    report.results[table.kind] = table_json(table);
    report.page += table_page(table);
  }
  report.page +=
      "\nCategories that are alike stand together. [low, high]: basic bootstrap, prompts drawn anew; two "
      "halves: "
      "cosine of\ndirections from random halves of a category; ceiling: what two directions of one whole "
      "category "
      "would reach if\nnothing but noise parted them. Two categories differ where their cosine lies below "
      "that.\n";
  report.tables = {{"cosines.csv", cosines_csv(tables, source.rows())},
                   {"categories.csv", categories_csv(tables)}};
  return report;
}

}  // namespace hrt
