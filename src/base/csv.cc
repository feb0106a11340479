#include "hrt/base/csv.h"

namespace hrt {

CsvField::CsvField(std::string_view text) : text_(text) {
  if (text_.find_first_of(",\"\r\n") == std::string::npos) return;
  for (std::size_t at = text_.find('"'); at != std::string::npos; at = text_.find('"', at + 2))
    text_.insert(at, "\"");
  text_ = '"' + text_ + '"';
}

Csv::Csv(const std::vector<std::string>& header) { row({header.begin(), header.end()}); }

void Csv::row(const std::vector<CsvField>& fields) {
  for (const CsvField& field : fields) text_ += field.text() + ",";
  text_.back() = '\n';
}

}  // namespace hrt
