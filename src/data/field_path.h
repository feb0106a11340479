#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrt/base/json.h"

namespace hrt {

// Which fields of a record hold its text: `goal`, `turns[0]`, `a.b`, `instruction + input`.
class FieldPath {
 public:
  // Throws InputError when `spelling` is none.
  explicit FieldPath(const std::string& spelling);

  // The text, or nothing when a field is absent, or all are null (`missing` then names it). Texts are joined
  // by a newline, empty and null ones left out. Throws InputError "PLACE: ..." for other types.
  std::optional<std::string> text_in(const Json& record, const std::string& place,
                                     std::string& missing) const;

  // Whether the record's own field of this name is one of them.
  bool names(const std::string& key) const;

 private:
  std::vector<std::string> parts_;
};

// The value that `path` leads to: the field of exactly this name, else step by step. nullptr when absent.
const Json* find_field(const Json& record, const std::string& path);

}  // namespace hrt
