#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace hrt {

// Keeps the order of keys, so that what hrt writes reads as it was meant. Looking a key up is linear: walk
// large objects (vocabularies) with items() instead.
using Json = nlohmann::ordered_json;

// Parses strictly: UTF-8, no comments, no duplicate keys, nothing after the value, at most 128 levels deep.
// Linear in the text, whatever the number of keys. Throws InputError "ORIGIN:LINE:COLUMN: ...".
// `first_line` is the number of the text's first line, for formats that hold one value a line.
Json parse_json(std::string_view text, const std::string& origin, std::int64_t first_line = 1);

// Reads and parses a file of at most `max_bytes`.
Json read_json(const std::filesystem::path& file, std::uint64_t max_bytes = std::uint64_t{1} << 30);

// One line, UTF-8 as it is; bytes that are not UTF-8 become U+FFFD.
std::string to_line(const Json& value);

// What the library says of an error, without its own name for it: "[json.exception.out_of_range.403] key 'a'
// not found" is "key 'a' not found".
std::string reason_of(const Json::exception& error);

// Checked access to a JSON object out of somebody's file: each error names the file and the JSON pointer.
// A key whose value is null counts as absent.
class JsonObject {
 public:
  // `value` must outlive this object. Throws InputError when it is not an object.
  JsonObject(const Json& value, std::string origin, std::string pointer = "");

  bool has(std::string_view key) const { return find(key) != nullptr; }
  const Json* find(std::string_view key) const;  // nullptr when absent or null

  std::int64_t integer(std::string_view key) const;  // integral numbers only, in the range of int64
  std::int64_t integer(std::string_view key, std::int64_t fallback) const;
  double number(std::string_view key) const;  // finite
  double number(std::string_view key, double fallback) const;
  bool boolean(std::string_view key, bool fallback) const;
  std::string string(std::string_view key) const;
  std::string string(std::string_view key, std::string_view fallback) const;
  JsonObject object(std::string_view key) const;

  const Json& raw() const { return *value_; }
  const std::string& origin() const { return origin_; }
  // "FILE: /a/b", for messages about a value.
  std::string where(std::string_view key) const;

 private:
  const Json& required(std::string_view key) const;

  const Json* value_;
  std::string origin_;
  std::string pointer_;
};

}  // namespace hrt
