#include "field_path.h"

#include <algorithm>
#include <charconv>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

const Json* member(const Json& value, std::string_view key) {
  if (!value.is_object()) return nullptr;
  const auto found = value.find(std::string(key));
  return found == value.end() ? nullptr : &*found;
}

const Json* item(const Json& value, std::string_view index_text) {
  std::size_t index = 0;
  const char* end = index_text.data() + index_text.size();
  const auto [rest, error] = std::from_chars(index_text.data(), end, index);
  const bool good = error == std::errc() && rest == end && value.is_array() && index < value.size();
  return good ? &value[index] : nullptr;
}

// "turns[0].text" -> "turns", "[0", "text".
std::vector<std::string> steps_of(const std::string& path) {
  std::vector<std::string> steps(1);
  for (const char c : path) {
    if (c == '[') steps.emplace_back();
    if (c == '.') {
      steps.emplace_back();
    } else if (c != ']') {
      steps.back() += c;
    }
  }
  return steps;
}

}  // namespace

const Json* find_field(const Json& record, const std::string& path) {
  if (const Json* exact = member(record, path)) return exact;
  const Json* value = &record;
  for (const std::string& step : steps_of(path)) {
    value = step.starts_with('[') ? item(*value, std::string_view(step).substr(1)) : member(*value, step);
    if (value == nullptr) return nullptr;
  }
  return value;
}

FieldPath::FieldPath(const std::string& spelling) {
  for (const std::string& part : split(spelling, '+')) {
    parts_.emplace_back(trim(part));
    if (parts_.back().empty()) {
      throw InputError("field \"{}\": expected NAME, NAME[0], NAME.NAME, or several with \" + \" between",
                       spelling);
    }
  }
}

std::optional<std::string> FieldPath::text_in(const Json& record, const std::string& place,
                                              std::string& missing) const {
  std::vector<std::string> texts;
  bool all_null = true;
  for (const std::string& part : parts_) {
    const Json* value = find_field(record, part);
    if (value == nullptr) {
      missing = part;
      return std::nullopt;
    }
    if (value->is_null()) continue;
    if (!value->is_string()) {
      throw InputError("{}: field \"{}\": expected a text, found {}", place, part, value->type_name());
    }
    all_null = false;
    if (std::string text = value->get<std::string>(); !text.empty()) texts.push_back(std::move(text));
  }
  if (all_null) {
    missing = parts_.front();
    return std::nullopt;
  }
  return join(texts, "\n");
}

bool FieldPath::names(const std::string& key) const { return std::ranges::find(parts_, key) != parts_.end(); }

}  // namespace hrt
