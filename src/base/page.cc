#include "hrt/base/page.h"

#include <fmt/format.h>

#include <algorithm>

#include "hrt/base/strings.h"

namespace hrt {
namespace {

constexpr std::size_t kLabelWidth = 13;
constexpr std::string_view kCut = "…";

// At most `width` columns, the last of which says that there were more.
std::string cut(const std::string& text, std::size_t width) {
  if (terminal_width(text) <= width) return text;
  std::string_view rest = text;
  std::size_t used = 0;
  while (true) {
    const std::string_view character = rest.substr(0, utf8_length(rest));
    used += terminal_width(character);
    if (used + terminal_width(kCut) > width) break;
    rest.remove_prefix(character.size());
  }
  return text.substr(0, text.size() - rest.size()) + std::string(kCut);
}

std::string pad(const std::string& text, std::size_t width, Table::Align align) {
  const std::string space(width - std::min(width, terminal_width(text)), ' ');
  return align == Table::Align::kLeft ? text + space : space + text;
}

}  // namespace

Page::Page(std::string_view title) : title_(escape_for_terminal(title)) {}

void Page::add(std::string_view label, std::string_view value) {
  std::string line = fmt::format("  {:<{}}", label, kLabelWidth);
  const std::string indent(line.size(), ' ');
  std::size_t used = line.size();
  for (const std::string& word : split(escape_for_terminal(value), ' ')) {
    if (used > indent.size() && used + terminal_width(word) > kPageWidth) {
      lines_ += std::string(line, 0, line.find_last_not_of(' ') + 1) + "\n";
      line = indent;
      used = indent.size();
    }
    line += word + " ";
    used += terminal_width(word) + 1;
  }
  lines_ += std::string(line, 0, line.find_last_not_of(' ') + 1) + "\n";
}

void Table::add(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = escape_for_terminal(cell);
  for (std::size_t i = 0; i + 1 < cells.size(); ++i) cells[i] = cut(cells[i], columns_[i].most);
  rows_.push_back(std::move(cells));
}

std::string Table::line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) const {
  std::string result;
  std::size_t used = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const bool last = i + 1 == columns_.size();
    const std::size_t left = page_width_ - std::min(page_width_ - 1, used + 2);
    result += "  " + pad(last ? cut(cells[i], left) : cells[i], last ? 0 : widths[i], columns_[i].align);
    used += 2 + widths[i];
  }
  return result.substr(0, result.find_last_not_of(' ') + 1) + "\n";
}

std::string Table::text() const {
  std::vector<std::string> headings;
  for (const Column& column : columns_) headings.push_back(column.heading);
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    widths.push_back(terminal_width(headings[i]));
    for (const auto& row : rows_) widths[i] = std::max(widths[i], terminal_width(row[i]));
  }
  std::string result = line(headings, widths);
  for (const auto& row : rows_) result += line(row, widths);
  return result;
}

std::string grouped(std::int64_t number) {
  std::string digits = fmt::format("{}", number);
  const std::ptrdiff_t first = number < 0 ? 1 : 0;
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > first; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

std::string plain(const Json& value) { return value.is_string() ? value.get<std::string>() : to_line(value); }

std::string in_quotes(std::string_view text) { return fmt::format("\"{}\"", text); }

}  // namespace hrt
