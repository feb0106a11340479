#include "document.h"

#include <cctype>

namespace hrt {

std::vector<bool> text_columns(const DataTable& table) {
  std::vector<bool> texts(table.columns.size(), false);
  for (const auto& row : table.rows) {
    for (std::size_t c = 0; c < std::min(row.size(), texts.size()); ++c) {
      const bool word = row[c].size() > 3 && std::isalpha(static_cast<unsigned char>(row[c][0])) != 0;
      texts[c] = texts[c] || c == 0 || word || row[c].size() > 40;
    }
  }
  return texts;
}

}  // namespace hrt
