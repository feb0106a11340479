#include "hrt/tensor/weight_files.h"

#include <fmt/ranges.h>

#include <set>

#include "hrt/base/error.h"
#include "hrt/base/json.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

// In the order in which transformers looks for them.
constexpr const char* kWeights[] = {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
                                    "pytorch_model.bin.index.json"};

// Pieces are named relative to the folder; a name that leads elsewhere is an attack or a mistake.
void check_piece_name(const std::string& name, const fs::path& index) {
  const fs::path path(name);
  if (name.empty() || path.is_absolute() || path.filename() != path) {
    throw InputError("{}: /weight_map names \"{}\", expected a file in the same folder", index.string(),
                     escape_for_terminal(name));
  }
}

std::map<std::string, std::string> read_weight_map(const fs::path& index) {
  const Json root = read_json(index, 100'000'000);
  const JsonObject weight_map = JsonObject(root, index.string()).object("weight_map");
  std::map<std::string, std::string> result;
  for (const auto& [tensor, piece] : weight_map.raw().items()) {
    if (!piece.is_string()) throw InputError("{} must be the name of a file", weight_map.where(tensor));
    result[tensor] = piece;
    check_piece_name(result[tensor], index);
  }
  if (result.empty()) throw InputError("{}: /weight_map is empty", index.string());
  return result;
}

std::vector<std::string> piece_names(const std::map<std::string, std::string>& weight_map) {
  std::set<std::string> names;
  for (const auto& [tensor, piece] : weight_map) names.insert(piece);
  return {names.begin(), names.end()};
}

}  // namespace

std::optional<fs::path> find_weights(const fs::path& folder) {
  for (const char* name : kWeights) {
    if (fs::exists(folder / name)) return folder / name;
  }
  return std::nullopt;
}

WeightFiles::WeightFiles(const fs::path& folder) : folder_(folder) {
  const std::optional<fs::path> file = find_weights(folder);
  if (!file) throw InputError("{}: none of {} is there", folder.string(), fmt::join(kWeights, ", "));
  const bool indexed = file->extension() == ".json";
  const auto weight_map = indexed ? read_weight_map(*file) : std::map<std::string, std::string>();
  if (!indexed) add_piece(*file);
  for (const std::string& name : piece_names(weight_map)) {
    if (!fs::exists(folder / name))
      throw InputError("{}: /weight_map names {}, which is not in the folder", file->string(),
                       escape_for_terminal(name));
    add_piece(folder / name);
  }
  for (const auto& [tensor, piece] : weight_map) {
    if (places_.contains(tensor) && file_of(tensor).filename() == piece) continue;
    throw InputError("{}: /weight_map says that {} is in {}, but it is not", file->string(),
                     escape_for_terminal(tensor), escape_for_terminal(piece));
  }
  for (auto& [name, place] : places_) {
    place.number = tensors_.size();
    tensors_.push_back(pieces_[place.piece].layout(name));
  }
}

void WeightFiles::add_piece(const fs::path& path) {
  const TensorFile& piece = pieces_.emplace_back(path);
  for (const TensorLayout& layout : piece.tensors()) {
    if (places_.emplace(layout.name, Place{pieces_.size() - 1, 0}).second) continue;
    throw InputError("{}: tensor {} stands in another piece too", path.string(),
                     escape_for_terminal(layout.name));
  }
}

const TensorFile& WeightFiles::piece_of(const std::string& name) const {
  const auto found = places_.find(name);
  if (found == places_.end())
    throw InputError("{}: no tensor {}", folder_.string(), escape_for_terminal(name));
  return pieces_[found->second.piece];
}

const TensorLayout* WeightFiles::find(const std::string& name) const {
  const auto found = places_.find(name);
  return found == places_.end() ? nullptr : &tensors_[found->second.number];
}

at::Tensor WeightFiles::tensor(const std::string& name) const {
  return piece_of(name).tensor(name).contiguous();
}

const fs::path& WeightFiles::file_of(const std::string& name) const { return piece_of(name).path(); }

void WeightFiles::check_unchanged() const {
  for (const TensorFile& piece : pieces_) piece.check_unchanged();
}

void WeightFiles::release(const std::string& name) const { piece_of(name).release(name); }

}  // namespace hrt
