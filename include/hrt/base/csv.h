#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hrt {

// One field of a csv file. Numbers have as many digits as they need to be read back as they were; what is
// not there is an empty field.
class CsvField {
 public:
  CsvField(std::string_view text);
  CsvField(const char* text) : CsvField(std::string_view(text)) {}
  CsvField(const std::string& text) : CsvField(std::string_view(text)) {}
  template <typename Number>
  requires std::is_arithmetic_v<Number> CsvField(Number number) : text_(fmt::format("{}", number)) {}
  template <typename Value>
  CsvField(const std::optional<Value>& value) : text_(value ? CsvField(*value).text_ : "") {}

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// A csv file (RFC 4180, "\n" at line ends) being written down.
class Csv {
 public:
  explicit Csv(const std::vector<std::string>& header);
  // As many fields as the header has.
  void row(const std::vector<CsvField>& fields);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace hrt
