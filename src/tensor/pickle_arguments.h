#pragma once

#include <string>
#include <string_view>

#include "hrt/base/strings.h"
#include "malformed.h"
#include "pickle_value.h"
#include "strided_view.h"

namespace hrt::pickle {

// The value as one of the kinds that Value can hold. Throws Malformed, naming `what` was expected.
template <typename Kind>
const Kind& as(const Value& value, std::string_view what) {
  const auto* found = std::get_if<Kind>(&value.content);
  if (found == nullptr) throw Malformed("{} is not what it should be", what);
  return *found;
}

// arguments[index], and Malformed when there are too few.
template <typename Kind>
const Kind& argument(const Items& arguments, std::size_t index, std::string_view what) {
  if (index >= arguments.size()) throw Malformed("{} is missing", what);
  return as<Kind>(*arguments[index], what);
}

// A shape or strides.
inline std::vector<std::int64_t> dimensions(const Tuple& tuple, std::string_view what) {
  if (tuple.items.size() > kMaxDimensions) throw Malformed("{} dimensions", tuple.items.size());
  std::vector<std::int64_t> result;
  for (const Value* item : tuple.items) result.push_back(as<std::int64_t>(*item, what));
  return result;
}

// Names out of a pickle, for messages of one line.
inline std::string shown(std::string_view name) {
  constexpr std::size_t kMaxShown = 100;
  return escape_for_terminal(name.substr(0, kMaxShown)) + (name.size() > kMaxShown ? "..." : "");
}

}  // namespace hrt::pickle
