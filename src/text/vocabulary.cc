#include "vocabulary.h"

#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {

Vocabulary Vocabulary::read(const Json& pieces, const std::string& where) {
  if (!pieces.is_object() || pieces.empty())
    throw InputError("{} must be an object of pieces and ids", where);
  Vocabulary result;
  result.ids_.reserve(pieces.size());
  result.pieces_.reserve(pieces.size());
  for (const auto& [piece, value] : pieces.items()) {
    const std::int64_t id = value.is_number_integer() ? value.get<std::int64_t>() : -1;
    if (id < 0 || id > kMaxId) {
      throw InputError("{}/{}: {} is no token id", where, escape_for_terminal(piece), to_line(value));
    }
    const auto slot = static_cast<std::size_t>(id);
    if (slot >= result.pieces_.size()) result.pieces_.resize(slot + 1);
    if (result.pieces_[slot] != nullptr) {
      throw InputError("{}/{}: id {} is taken already", where, escape_for_terminal(piece), id);
    }
    result.pieces_[slot] = &result.ids_.emplace(piece, static_cast<TokenId>(id)).first->first;
  }
  return result;
}

TokenId Vocabulary::find(std::string_view piece) const {
  const auto found = ids_.find(piece);
  return found == ids_.end() ? kNoToken : found->second;
}

const std::string* Vocabulary::piece(std::int64_t id) const {
  return id < 0 || id >= size() ? nullptr : pieces_[static_cast<std::size_t>(id)];
}

}  // namespace hrt
