#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hrt/base/json.h"

namespace hrt {

constexpr std::size_t kPageWidth = 100;
constexpr std::size_t kNoWidth = 1000;  // for tables of numbers, which must not be cut

// What `inspect` prints for people: a title, then labelled values with a hanging indent, wrapped at
// kPageWidth. Text out of files is escaped here and nowhere else.
class Page {
 public:
  explicit Page(std::string_view title);
  void add(std::string_view label, std::string_view value);
  std::string text() const { return title_ + "\n" + (lines_.empty() ? "" : "\n" + lines_); }

 private:
  std::string title_;
  std::string lines_;
};

// Columns of text under headings, each as wide as its widest cell. Longer cells are cut at the column's
// `most` characters, those of the last column so that a line stays within the page's width. Text is escaped
// here.
class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string heading;
    Align align = Align::kLeft;
    std::size_t most = 40;
  };

  explicit Table(std::vector<Column> columns, std::size_t page_width = kPageWidth)
      : columns_(std::move(columns)), page_width_(page_width) {}
  void add(std::vector<std::string> cells);
  std::string text() const;

 private:
  std::string line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::size_t page_width_;
  std::vector<std::vector<std::string>> rows_;
};

// "1,234,567"
std::string grouped(std::int64_t number);

// A value for people: texts without quotes, everything else as JSON.
std::string plain(const Json& value);

// A text in quotes, so that its spaces show.
std::string in_quotes(std::string_view text);

}  // namespace hrt
