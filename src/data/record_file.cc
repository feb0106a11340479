#include "hrt/data/record_file.h"

#include <algorithm>
#include <cctype>

#include "csv_rows.h"
#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;
using Take = std::function<bool(RawRecord)>;

std::string read_utf8(const fs::path& file) {
  std::string text = read_file(file);
  const std::size_t bad = find_invalid_utf8(text);
  if (bad != std::string::npos) {
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(bad), '\n');
    throw InputError("{}:{}: not UTF-8", file.string(), line);
  }
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  return text;
}

// Lines that are not blank, without their ends.
void for_each_line(std::string_view text, const std::function<bool(std::string_view, std::int64_t)>& take) {
  for (std::int64_t number = 1; !text.empty(); ++number) {
    const std::size_t newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!trim(line).empty() && !take(line, number)) return;
  }
}

void check_object(const Json& value, const fs::path& file, std::int64_t line) {
  if (!value.is_object()) {
    throw InputError("{}:{}: expected a JSON object, found {}", file.string(), line, value.type_name());
  }
}

void read_jsonl(const fs::path& file, const Take& take) {
  for_each_line(read_utf8(file), [&](std::string_view line, std::int64_t number) {
    Json value = parse_json(line, file.string(), number);
    check_object(value, file, number);
    return take({std::move(value), number});
  });
}

void read_array(const fs::path& file, const Take& take) {
  Json array = parse_json(read_utf8(file), file.string());
  if (!array.is_array()) throw InputError("{}: expected a JSON array of objects", file.string());
  std::int64_t number = 0;
  for (Json& value : array) {
    check_object(value, file, ++number);
    if (!take({std::move(value), number})) return;
  }
}

void read_lines(const fs::path& file, const Take& take) {
  for_each_line(read_utf8(file), [&](std::string_view line, std::int64_t number) {
    return take({Json{{"instruction", line}}, number});
  });
}

void check_header(const CsvRow& header, const fs::path& file) {
  const std::size_t separator = header.cells.front().find_first_of(";\t");
  if (header.cells.size() == 1 && separator != std::string::npos) {
    const char* name = header.cells.front()[separator] == ';' ? "semicolons" : "tabs";
    throw InputError("{}:{}: the columns are separated by {}, expected commas", file.string(), header.line,
                     name);
  }
  std::vector<std::string> names = header.cells;
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) {
    throw InputError("{}:{}: column \"{}\" stands twice in the header", file.string(), header.line, *twice);
  }
}

Json object_of(const CsvRow& row, const CsvRow& header, const fs::path& file) {
  if (row.cells.size() != header.cells.size()) {
    throw InputError("{}:{}: expected {} columns as in the header, found {}", file.string(), row.line,
                     header.cells.size(), row.cells.size());
  }
  Json value = Json::object();
  auto& fields = value.get_ref<Json::object_t&>();  // names are distinct: no look-up a column
  for (std::size_t column = 0; column < row.cells.size(); ++column) {
    const std::string& cell = row.cells[column];
    fields.push_back({header.cells[column], cell.empty() ? Json() : Json(cell)});
  }
  return value;
}

void read_csv(const fs::path& file, const Take& take) {
  CsvRow header;
  for_each_csv_row(read_utf8(file), file.string(), [&](CsvRow row) {
    if (header.cells.empty()) {
      header = std::move(row);
      check_header(header, file);
      return true;
    }
    return take({object_of(row, header, file), row.line});
  });
}

}  // namespace

std::string kind_of(const fs::path& file) {
  std::string kind = file.extension().string();
  std::ranges::transform(kind, kind.begin(), [](unsigned char c) { return std::tolower(c); });
  return kind;
}

void for_each_record(const fs::path& file, const Take& take) {
  const std::string kind = kind_of(file);
  if (kind == ".jsonl") return read_jsonl(file, take);
  if (kind == ".json") return read_array(file, take);
  if (kind == ".csv") return read_csv(file, take);
  if (kind == ".txt") return read_lines(file, take);
  throw InputError("{}: expected a prompt file that ends in .jsonl, .json, .csv or .txt", file.string());
}

}  // namespace hrt
