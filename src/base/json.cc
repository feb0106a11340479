#include "hrt/base/json.h"

#include <cmath>
#include <iterator>
#include <limits>
#include <unordered_set>

#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

constexpr std::size_t kMaxDepth = 128;
constexpr std::size_t kMaxMessage = 200;  // bytes of a message that quotes the file

// Notes how far the parser has read, which its callbacks are not told.
class TrackingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TrackingIterator(const char* at, const char*& reached) : at_(at), reached_(&reached) {}
  reference operator*() const { return *at_; }
  bool operator==(const TrackingIterator& other) const { return at_ == other.at_; }
  TrackingIterator& operator++() {
    *reached_ = ++at_;
    return *this;
  }

 private:
  const char* at_;
  const char** reached_;
};

// Builds the value itself: nlohmann's own builder looks every key up before it inserts, which is quadratic
// for ordered objects, and lets later duplicates win.
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
      problem_ = fmt::format("duplicate key \"{}\"", value);
      return false;
    }
    open_.back().key = std::move(value);
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    problem_ = reason_of(error);
    // "parse error at line 1, column 3: syntax error while ...": the place is counted by parse_json.
    if (problem_.starts_with("parse error")) problem_.erase(0, problem_.find(": ") + 2);
    return false;
  }

  Json take() { return std::move(root_); }
  const std::string& problem() const { return problem_; }

 private:
  struct Level {
    Json value;
    std::string key;
    std::unordered_set<std::string> keys;
  };

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
      auto& entries =
          static_cast<std::vector<Json::object_t::value_type>&>(level.value.get_ref<Json::object_t&>());
      entries.emplace_back(std::move(level.key), std::move(value));
    }
    return true;
  }

  Json root_;
  std::vector<Level> open_;
  std::string problem_;
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

// Text out of a file, fit for a message of one line.
std::string excerpt(std::string_view text) {
  return escape_for_terminal(text.substr(0, kMaxMessage)) + (text.size() > kMaxMessage ? "..." : "");
}

std::string shown(const Json& value) { return excerpt(to_line(value)); }

}  // namespace

std::string reason_of(const Json::exception& error) {
  const std::string text = error.what();
  return text.substr(text.find("] ") + 2);
}

Json parse_json(std::string_view text, const std::string& origin, std::int64_t first_line) {
  const auto refuse = [&](std::size_t offset, std::string_view problem) {
    const Place at = place_of(text, offset, first_line);
    throw InputError("{}:{}:{}: {}", origin, at.line, at.column, excerpt(problem));
  };
  if (const auto broken = find_invalid_utf8(text); broken != std::string_view::npos) {
    refuse(broken, "not valid UTF-8");
  }
  // The parser would take it for the end of the text.
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    refuse(nul, "not valid JSON: a NUL byte");
  }
  Builder builder;
  const char* reached = text.data();
  const char* end = text.data() + text.size();
  if (!Json::sax_parse(TrackingIterator(text.data(), reached), TrackingIterator(end, reached), &builder)) {
    const auto read = static_cast<std::size_t>(reached - text.data());
    refuse(read == 0 ? 0 : read - 1, "not valid JSON: " + builder.problem());
  }
  return builder.take();
}

Json read_json(const std::filesystem::path& file, std::uint64_t max_bytes) {
  return parse_json(read_file(file, max_bytes), file.string());
}

std::string to_line(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

JsonObject::JsonObject(const Json& value, std::string origin, std::string pointer)
    : value_(&value), origin_(std::move(origin)), pointer_(std::move(pointer)) {
  if (!value.is_object()) {
    throw InputError("{}: {}must be an object, found {}", origin_, pointer_.empty() ? "" : pointer_ + " ",
                     value.type_name());
  }
}

const Json* JsonObject::find(std::string_view key) const {
  for (const auto& [name, value] : value_->items()) {
    if (name == key) return value.is_null() ? nullptr : &value;
  }
  return nullptr;
}

std::string JsonObject::where(std::string_view key) const {
  return fmt::format("{}: {}", origin_, excerpt(fmt::format("{}/{}", pointer_, key)));
}

const Json& JsonObject::required(std::string_view key) const {
  if (const Json* value = find(key)) return *value;
  throw InputError("{} is missing", where(key));
}

std::int64_t JsonObject::integer(std::string_view key) const {
  const Json& value = required(key);
  const bool fits = !value.is_number_unsigned() ||
                    value.get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()};
  if (!value.is_number_integer() || !fits)
    throw InputError("{} must be an integer, found {}", where(key), shown(value));
  return value.get<std::int64_t>();
}

std::int64_t JsonObject::integer(std::string_view key, std::int64_t fallback) const {
  return has(key) ? integer(key) : fallback;
}

double JsonObject::number(std::string_view key) const {
  const Json& value = required(key);
  if (!value.is_number() || !std::isfinite(value.get<double>())) {
    throw InputError("{} must be a finite number, found {}", where(key), shown(value));
  }
  return value.get<double>();
}

double JsonObject::number(std::string_view key, double fallback) const {
  return has(key) ? number(key) : fallback;
}

bool JsonObject::boolean(std::string_view key, bool fallback) const {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) throw InputError("{} must be true or false, found {}", where(key), shown(*value));
  return value->get<bool>();
}

std::string JsonObject::string(std::string_view key) const {
  const Json& value = required(key);
  if (!value.is_string()) throw InputError("{} must be a string, found {}", where(key), shown(value));
  return value.get<std::string>();
}

std::string JsonObject::string(std::string_view key, std::string_view fallback) const {
  return has(key) ? string(key) : std::string(fallback);
}

JsonObject JsonObject::object(std::string_view key) const {
  return {required(key), origin_, fmt::format("{}/{}", pointer_, key)};
}

}  // namespace hrt
