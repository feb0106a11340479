#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace hrt {

struct CsvRow {
  std::vector<std::string> cells;
  std::int64_t line = 0;  // 1-based, where it begins
};

// Comma-separated text with quoted cells (RFC 4180), which may hold newlines. Spaces are kept; blank lines
// are left out. Calls `take` for each row until it returns false. Throws InputError "ORIGIN:LINE: ..." for
// stray quotes.
void for_each_csv_row(std::string_view text, const std::string& origin,
                      const std::function<bool(CsvRow)>& take);

}  // namespace hrt
