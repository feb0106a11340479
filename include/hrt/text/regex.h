#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace hrt {

// A regular expression out of somebody's file, for short texts such as the names of modules. The syntax is
// ICU's, which has nearly all of Python's `re` (named groups are (?<name>...)). Immutable; safe to use from
// several threads.
class Regex {
 public:
  // `where` names it in the InputError when it is broken, or takes too much time or memory on a text.
  Regex(std::string_view expression, std::string where);
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  // Python's re.fullmatch.
  bool matches(std::string_view text) const;
  // The first group of Python's re.match: the match begins where the text does. Nothing without a match.
  std::optional<std::string> first_group(std::string_view text) const;

 private:
  struct Compiled;
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace hrt
