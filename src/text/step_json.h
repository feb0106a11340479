#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hrt/base/json.h"

namespace hrt {

// One step of a pipeline as tokenizer.json spells it: {"type": "Digits", ...}. Refers to the parsed file.
struct StepJson {
  std::string type;
  JsonObject fields;
  std::string pointer;

  // Throws the InputError for a type that is none of `known`.
  [[noreturn]] void refuse_type(const std::vector<std::string>& known) const;
  // Throws the InputError for a value that is not supported.
  [[noreturn]] void refuse_value(std::string_view key, std::string_view supported) const;
};

// The steps under `key` of the file's top level, in order: none when it is null; "Sequence" steps are
// replaced by their members, which stand under `members`.
std::vector<StepJson> read_steps(const JsonObject& file, const std::string& key, const std::string& members);

}  // namespace hrt
