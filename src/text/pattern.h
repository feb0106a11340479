#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hrt/base/strings.h"
#include "step_json.h"

namespace hrt {

// What a step looks for in text. Immutable; safe to use from several threads.
class Pattern {
 public:
  virtual ~Pattern() = default;

  // The non-empty matches inside the `pieces` (ascending, disjoint ranges of `text`), ascending. Each piece
  // is searched as if nothing stood before or behind it.
  virtual std::vector<ByteSpan> find(std::string_view text, const std::vector<ByteSpan>& pieces) const = 0;
};

std::unique_ptr<Pattern> string_pattern(std::string wanted);  // not empty

// A regular expression in ICU's syntax; `where` names it in the InputError when it is broken.
std::unique_ptr<Pattern> regex_pattern(std::string_view expression, const std::string& where);

// {"Regex": ...} or {"String": ...} under `key`.
std::unique_ptr<Pattern> read_pattern(const StepJson& step, const std::string& key);

}  // namespace hrt
