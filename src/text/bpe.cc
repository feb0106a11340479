#include "bpe.h"

#include <cstdint>
#include <optional>
#include <queue>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "unicode_text.h"

namespace hrt {
namespace {

constexpr std::size_t kMaxPieceBytes = std::size_t{1} << 30;  // positions are 32-bit
constexpr std::uint32_t kNone = ~std::uint32_t{0};

// A token in the chain of what is still to be merged. Length 0: merged into the one before.
struct Link {
  TokenId id;
  std::uint32_t length;
  std::uint32_t previous;
  std::uint32_t next;
};

// Two neighbours that may merge; outdated when one of them has changed since.
struct Candidate {
  std::int32_t rank;
  std::uint32_t position;  // of the left one
  TokenId left;
  TokenId right;
  TokenId result;
};

struct LaterCandidate {
  bool operator()(const Candidate& a, const Candidate& b) const {
    return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
  }
};

// The chain of a piece's tokens, and its candidates in the order in which they merge.
class MergeChain {
 public:
  MergeChain(const MergeTable& merges, const std::vector<PieceToken>& symbols) : merges_(merges) {
    const auto count = static_cast<std::uint32_t>(symbols.size());
    links_.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto length = static_cast<std::uint32_t>(symbols[i].length);
      links_.push_back({symbols[i].id, length, i == 0 ? kNone : i - 1, i + 1 == count ? kNone : i + 1});
    }
    std::vector<Candidate> initial;
    initial.reserve(count);
    for (std::uint32_t i = 0; i + 1 < count; ++i) {
      if (const Merge* merge = merge_at(i)) initial.push_back(candidate(i, *merge));
    }
    candidates_ = Candidates(LaterCandidate{}, std::move(initial));
  }

  void run() {
    while (!candidates_.empty()) {
      const Candidate top = candidates_.top();
      candidates_.pop();
      if (current(top)) apply(top);
    }
  }

  void write(std::vector<PieceToken>& symbols) const {
    symbols.clear();
    for (const Link& link : links_) {
      if (link.length > 0) symbols.push_back({link.id, link.length});
    }
  }

 private:
  using Candidates = std::priority_queue<Candidate, std::vector<Candidate>, LaterCandidate>;

  const Merge* merge_at(std::uint32_t position) const {
    return merges_.find(links_[position].id, links_[links_[position].next].id);
  }

  Candidate candidate(std::uint32_t position, const Merge& merge) const {
    const Link& left = links_[position];
    return {merge.rank, position, left.id, links_[left.next].id, merge.result};
  }

  bool current(const Candidate& top) const {
    const Link& left = links_[top.position];
    return left.length > 0 && left.next != kNone && left.id == top.left && links_[left.next].id == top.right;
  }

  void apply(const Candidate& top) {
    Link& left = links_[top.position];
    Link& right = links_[left.next];
    left.id = top.result;
    left.length += right.length;
    right.length = 0;
    left.next = right.next;
    if (left.next != kNone) {
      links_[left.next].previous = top.position;
      push(top.position);
    }
    if (left.previous != kNone) push(left.previous);
  }

  void push(std::uint32_t position) {
    if (const Merge* merge = merge_at(position)) candidates_.push(candidate(position, *merge));
  }

  const MergeTable& merges_;
  std::vector<Link> links_;
  Candidates candidates_;
};

struct MergeParts {
  std::string_view left;
  std::string_view right;
};

// A merge is spelled "a b" or ["a", "b"].
std::optional<MergeParts> parts_of(const Json& merge) {
  if (merge.is_string()) {
    const std::string_view text = merge.get_ref<const std::string&>();
    const std::size_t space = text.find(' ');
    if (space != text.npos && text.find(' ', space + 1) == text.npos) {
      return MergeParts{text.substr(0, space), text.substr(space + 1)};
    }
  } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    return MergeParts{merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>()};
  }
  return std::nullopt;
}

MergeTable read_merges(const Json& merges, const Vocabulary& vocabulary, const std::string& where) {
  MergeTable table(merges.size());
  std::string joined;
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const auto refuse = [&](std::string_view problem) {
      throw InputError("{}/{}: {}, found {}", where, rank, problem,
                       escape_for_terminal(to_line(merges[rank])));
    };
    const std::optional<MergeParts> parts = parts_of(merges[rank]);
    if (!parts) refuse("a merge must be \"a b\" or [\"a\", \"b\"]");
    joined.assign(parts->left).append(parts->right);
    const TokenId left = vocabulary.find(parts->left);
    const TokenId right = vocabulary.find(parts->right);
    const TokenId result = vocabulary.find(joined);
    if (left == kNoToken || right == kNoToken || result == kNoToken) {
      refuse("both pieces of a merge and what they make must be in the vocabulary");
    }
    table.insert(left, right, {static_cast<std::int32_t>(rank), result});
  }
  return table;
}

void require_neutral(const JsonObject& model, std::string_view key) {
  const Json* value = model.find(key);
  const bool neutral = value == nullptr ||
                       (value->is_string() && value->get_ref<const std::string&>().empty()) ||
                       (value->is_number() && value->get<double>() == 0.0);
  if (!neutral)
    throw InputError("{}: {} is not supported", model.where(key), escape_for_terminal(to_line(*value)));
}

}  // namespace

Bpe Bpe::read(const JsonObject& file) {
  const JsonObject model = file.object("model");
  if (model.string("type") != "BPE") {
    throw InputError("{}: \"{}\" is not supported (supported: BPE)", model.where("type"),
                     escape_for_terminal(model.string("type")));
  }
  for (const auto* key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"})
    require_neutral(model, key);
  const Json* merges = model.find("merges");
  if (merges == nullptr || !merges->is_array())
    throw InputError("{} must be an array", model.where("merges"));
  return Bpe(Vocabulary::read(model.object("vocab").raw(), model.where("vocab")), *merges, model);
}

Bpe::Bpe(Vocabulary vocabulary, const Json& merges, const JsonObject& model)
    : vocabulary_(std::move(vocabulary)),
      merges_(read_merges(merges, vocabulary_, model.where("merges"))),
      fuse_unknown_(model.boolean("fuse_unk", false)),
      byte_fallback_(model.boolean("byte_fallback", false)),
      ignore_merges_(model.boolean("ignore_merges", false)) {
  short_characters_.fill(kNoToken);
  for (std::size_t i = 0; i < byte_tokens_.size(); ++i) {
    byte_tokens_[i] = vocabulary_.find(fmt::format("<0x{:02X}>", i));
  }
  for (std::int64_t id = 0; id < vocabulary_.size(); ++id) {
    const std::string* piece = vocabulary_.piece(id);
    const bool is_short = piece != nullptr && !piece->empty() && piece->size() <= 2 &&
                          char_length((*piece)[0]) == piece->size();
    if (is_short) short_characters_[code_point_at(*piece, 0)] = static_cast<TokenId>(id);
  }
  if (!model.has("unk_token")) return;
  unknown_ = vocabulary_.find(model.string("unk_token"));
  if (unknown_ == kNoToken) throw InputError("{}: not in the vocabulary", model.where("unk_token"));
}

void Bpe::tokenize(std::string_view piece, std::vector<PieceToken>& tokens) const {
  if (piece.size() > kMaxPieceBytes)
    throw InputError("a piece of text of more than 1 GiB cannot be tokenized");
  if (ignore_merges_) {
    if (const TokenId whole = vocabulary_.find(piece); whole != kNoToken) {
      tokens.push_back({whole, piece.size()});
      return;
    }
  }
  std::vector<PieceToken> symbols;
  symbols.reserve(piece.size());
  add_characters(piece, symbols);
  if (symbols.size() > 1) {
    MergeChain chain(merges_, symbols);
    chain.run();
    chain.write(symbols);
  }
  tokens.insert(tokens.end(), symbols.begin(), symbols.end());
}

void Bpe::add_characters(std::string_view piece, std::vector<PieceToken>& symbols) const {
  PieceToken unknown{unknown_, 0};  // length 0: none is pending
  const auto flush = [&] {
    if (unknown.length > 0) symbols.push_back(unknown);
    unknown.length = 0;
  };
  for (std::size_t at = 0; at < piece.size();) {
    const std::string_view character = piece.substr(at, char_length(piece[at]));
    at += character.size();
    const TokenId id =
        character.size() <= 2 ? short_characters_[code_point_at(character, 0)] : vocabulary_.find(character);
    if (id != kNoToken) {
      flush();
      symbols.push_back({id, character.size()});
    } else if (!(byte_fallback_ && add_bytes(character, symbols)) && unknown_ != kNoToken) {
      if (!fuse_unknown_) flush();
      unknown.length += character.size();
    }
  }
  flush();
}

bool Bpe::add_bytes(std::string_view character, std::vector<PieceToken>& symbols) const {
  const auto token = [&](char byte) { return byte_tokens_[static_cast<unsigned char>(byte)]; };
  for (const char byte : character) {
    if (token(byte) == kNoToken) return false;
  }
  for (const char byte : character) symbols.push_back({token(byte), 1});
  return true;
}

}  // namespace hrt
