#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hrt/base/json.h"

namespace hrt {

using TokenId = std::int32_t;
constexpr TokenId kNoToken = -1;

// Lets a map of strings be searched by string_view.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

// Pieces and their ids, both ways.
class Vocabulary {
 public:
  // Ids are bounded, so that a broken file cannot ask for gigabytes.
  static constexpr std::int64_t kMaxId = std::int64_t{1} << 24;

  // {"piece": id, ...}; `where` names it in the InputError for an id that is out of range or used twice.
  static Vocabulary read(const Json& pieces, const std::string& where);

  TokenId find(std::string_view piece) const;       // kNoToken when unknown
  const std::string* piece(std::int64_t id) const;  // nullptr when unknown
  std::size_t count() const { return ids_.size(); }
  std::int64_t size() const { return static_cast<std::int64_t>(pieces_.size()); }  // largest id + 1

 private:
  std::unordered_map<std::string, TokenId, StringHash, std::equal_to<>> ids_;
  std::vector<const std::string*> pieces_;  // keys of ids_
};

}  // namespace hrt
