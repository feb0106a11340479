#include "hrt/base/json.h"

#include <cmath>
#include <limits>
#include <unordered_set>

#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

constexpr std::size_t kMaxDepth = 128;

// Builds the value itself: nlohmann's own builder looks every key up before it inserts, which is quadratic for
// ordered objects, and lets later duplicates win.
class Builder : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(std::int64_t value) override { return put(value); }
  bool number_unsigned(std::uint64_t value) override { return put(value); }
  bool number_float(double value, const std::string&) override { return put(value); }
  bool string(std::string& value) override { return put(std::move(value)); }
  bool binary(Json::binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string& value) override {
    if (!open_.back().keys.insert(value).second) {
      problem_ = fmt::format("duplicate key \"{}\"", escape_for_terminal(value));
      return false;
    }
    open_.back().key = std::move(value);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    position_ = position;
    problem_ = reason(error.what());
    return false;
  }

  Json take() { return std::move(root_); }
  const std::string& problem() const { return problem_; }
  std::size_t position() const { return position_; }  // 0 when only the problem is known

 private:
  struct Level {
    Json value;
    std::string key;
    std::unordered_set<std::string> keys;
  };

  // nlohmann: "[json.exception.parse_error.101] parse error at line 1, column 3: syntax error while ... - REASON"
  static std::string reason(const std::string& text) {
    const auto colon = text.find(": ", text.find(']'));
    return colon == std::string::npos ? text : text.substr(colon + 2);
  }

  bool open(Json value) {
    if (open_.size() >= kMaxDepth) {
      problem_ = fmt::format("nested more than {} levels deep", kMaxDepth);
      return false;
    }
    open_.push_back({std::move(value), {}, {}});
    return true;
  }

  bool close() {
    Json value = std::move(open_.back().value);
    open_.pop_back();
    return put(std::move(value));
  }

  bool put(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return true;
    }
    Level& level = open_.back();
    if (level.value.is_array()) {
      level.value.get_ref<Json::array_t&>().push_back(std::move(value));
    } else {
      // ordered_map is a vector of pairs: append without its linear look-up.
      auto& entries = static_cast<std::vector<Json::object_t::value_type>&>(level.value.get_ref<Json::object_t&>());
      entries.emplace_back(std::move(level.key), std::move(value));
    }
    return true;
  }

  Json root_;
  std::vector<Level> open_;
  std::string problem_;
  std::size_t position_ = 0;
};

struct Place {
  std::int64_t line;
  std::int64_t column;
};

Place place_of(std::string_view text, std::size_t offset, std::int64_t first_line) {
  Place place{first_line, 1};
  for (const char c : text.substr(0, offset)) {
    place.column = c == '\n' ? 1 : place.column + 1;
    place.line += c == '\n';
  }
  return place;
}

}  // namespace

Json parse_json(std::string_view text, const std::string& origin, std::int64_t first_line) {
  const std::size_t broken = find_invalid_utf8(text);
  if (broken != std::string_view::npos) {
    const Place at = place_of(text, broken, first_line);
    throw InputError("{}:{}:{}: not valid UTF-8", origin, at.line, at.column);
  }
  Builder builder;
  if (Json::sax_parse(text.begin(), text.end(), &builder)) return builder.take();
  if (builder.position() == 0) throw InputError("{}:{}: {}", origin, first_line, builder.problem());
  const Place at = place_of(text, builder.position() - 1, first_line);
  throw InputError("{}:{}:{}: not valid JSON: {}", origin, at.line, at.column,
                   escape_for_terminal(builder.problem()));
}

Json read_json(const std::filesystem::path& file, std::uint64_t max_bytes) {
  return parse_json(read_file(file, max_bytes), file.string());
}

std::string to_line(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

JsonObject::JsonObject(const Json& value, std::string origin, std::string pointer)
    : value_(&value), origin_(std::move(origin)), pointer_(std::move(pointer)) {
  if (!value.is_object()) {
    throw InputError("{}: {} must be an object, found {}", origin_, pointer_.empty() ? "the file" : pointer_,
                     value.type_name());
  }
}

const Json* JsonObject::find(std::string_view key) const {
  for (const auto& [name, value] : value_->items()) {
    if (name == key) return value.is_null() ? nullptr : &value;
  }
  return nullptr;
}

std::string JsonObject::where(std::string_view key) const { return fmt::format("{}: {}/{}", origin_, pointer_, key); }

const Json& JsonObject::required(std::string_view key) const {
  if (const Json* value = find(key)) return *value;
  throw InputError("{} is missing", where(key));
}

std::int64_t JsonObject::integer(std::string_view key) const {
  const Json& value = required(key);
  const bool fits = !value.is_number_unsigned() ||
                    value.get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()};
  if (!value.is_number_integer() || !fits) throw InputError("{} must be an integer, found {}", where(key), to_line(value));
  return value.get<std::int64_t>();
}

std::int64_t JsonObject::integer(std::string_view key, std::int64_t fallback) const {
  return has(key) ? integer(key) : fallback;
}

double JsonObject::number(std::string_view key) const {
  const Json& value = required(key);
  if (!value.is_number() || !std::isfinite(value.get<double>())) {
    throw InputError("{} must be a finite number, found {}", where(key), to_line(value));
  }
  return value.get<double>();
}

double JsonObject::number(std::string_view key, double fallback) const { return has(key) ? number(key) : fallback; }

bool JsonObject::boolean(std::string_view key, bool fallback) const {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) throw InputError("{} must be true or false, found {}", where(key), to_line(*value));
  return value->get<bool>();
}

std::string JsonObject::string(std::string_view key) const {
  const Json& value = required(key);
  if (!value.is_string()) throw InputError("{} must be a string, found {}", where(key), to_line(value));
  return value.get<std::string>();
}

std::string JsonObject::string(std::string_view key, std::string_view fallback) const {
  return has(key) ? string(key) : std::string(fallback);
}

JsonObject JsonObject::object(std::string_view key) const {
  return {required(key), origin_, fmt::format("{}/{}", pointer_, key)};
}

}  // namespace hrt
