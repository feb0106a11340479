#include "csv_rows.h"

#include <csv.h>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

// libcsv calls back from C, where exceptions must not pass: rows are collected here and taken between calls.
struct Rows {
  CsvRow open;
  std::vector<CsvRow> complete;
  std::int64_t line = 0;       // being read
  std::int64_t cell_line = 0;  // where the open cell begins
};

void end_cell(void* data, std::size_t size, void* opaque) {
  Rows& rows = *static_cast<Rows*>(opaque);
  rows.open.cells.emplace_back(static_cast<const char*>(data), size);
  rows.cell_line = rows.line;
}

void end_row(int /*terminator*/, void* opaque) {
  Rows& rows = *static_cast<Rows*>(opaque);
  rows.complete.push_back(std::move(rows.open));
  rows.open = {};
}

class Parser {
 public:
  explicit Parser(const std::string& origin) : origin_(origin) {
    if (csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI) != 0) throw RunError("libcsv cannot be started");
    csv_set_space_func(&parser_, [](unsigned char) { return 0; });
  }
  ~Parser() { csv_free(&parser_); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  // Feeds one line with its end, so that rows know where they begin.
  std::vector<CsvRow> feed(std::string_view line, std::int64_t number) {
    if (rows_.open.line == 0 && !trim(line).empty()) rows_.open.line = rows_.cell_line = number;
    rows_.line = number;
    if (csv_parse(&parser_, line.data(), line.size(), end_cell, end_row, &rows_) != line.size())
      refuse_quote();
    return std::exchange(rows_.complete, {});
  }

  std::vector<CsvRow> finish() {
    if (csv_fini(&parser_, end_cell, end_row, &rows_) != 0) refuse_open_quote();
    return std::exchange(rows_.complete, {});
  }

 private:
  [[noreturn]] void refuse_quote() {
    if (csv_error(&parser_) != CSV_EPARSE)
      throw RunError("{}: {}", origin_, csv_strerror(csv_error(&parser_)));
    throw InputError(
        "{}:{}: broken csv: a stray quote in the cell that begins in line {} (a cell with quotes "
        "stands in quotes, and each quote inside is written twice)",
        origin_, rows_.line, rows_.cell_line);
  }

  [[noreturn]] void refuse_open_quote() const {
    throw InputError("{}:{}: broken csv: the cell that begins here is in quotes that never end", origin_,
                     rows_.cell_line);
  }

  const std::string& origin_;
  csv_parser parser_ = {};
  Rows rows_;
};

bool take_all(std::vector<CsvRow> rows, const std::function<bool(CsvRow)>& take) {
  for (CsvRow& row : rows) {
    if (!take(std::move(row))) return false;
  }
  return true;
}

}  // namespace

void for_each_csv_row(std::string_view text, const std::string& origin,
                      const std::function<bool(CsvRow)>& take) {
  Parser parser(origin);
  for (std::int64_t number = 1; !text.empty(); ++number) {
    const std::size_t newline = text.find('\n');
    const std::size_t size = newline == std::string_view::npos ? text.size() : newline + 1;
    if (!take_all(parser.feed(text.substr(0, size), number), take)) return;
    text.remove_prefix(size);
  }
  take_all(parser.finish(), take);
}

}  // namespace hrt
