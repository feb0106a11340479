#include <algorithm>
#include <set>

#include "hrt/base/error.h"
#include "hrt/base/json.h"
#include "hrt/base/strings.h"
#include "hrt/tensor/safetensors.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

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

WeightFiles::WeightFiles(const fs::path& folder) : folder_(folder) {
  std::map<std::string, std::string> weight_map;
  std::vector<std::string> names{kSingle};
  if (!fs::exists(folder / kSingle)) {
    if (!fs::exists(folder / kIndex))
      throw InputError("{}: neither {} nor {} is there", folder.string(), kSingle, kIndex);
    weight_map = read_weight_map(folder / kIndex);
    names = piece_names(weight_map);
  }
  for (const std::string& name : names) {
    const SafetensorsFile& piece = pieces_.emplace_back(folder / name);
    for (const TensorInfo& info : piece.tensors()) {
      if (!piece_.emplace(info.name, pieces_.size() - 1).second) {
        throw InputError("{}: tensor {} stands in another piece too", (folder / name).string(),
                         escape_for_terminal(info.name));
      }
    }
  }
  for (const auto& [tensor, piece] : weight_map) {
    const auto found = piece_.find(tensor);
    if (found == piece_.end() || pieces_[found->second].file().path().filename() != piece) {
      throw InputError("{}: /weight_map says that {} is in {}, but it is not", (folder / kIndex).string(),
                       escape_for_terminal(tensor), escape_for_terminal(piece));
    }
  }
  for (const auto& [name, piece] : piece_) tensors_.push_back(*pieces_[piece].find(name));
}

const SafetensorsFile& WeightFiles::piece_of(const std::string& name) const {
  const auto found = piece_.find(name);
  if (found == piece_.end())
    throw InputError("{}: no tensor {}", folder_.string(), escape_for_terminal(name));
  return pieces_[found->second];
}

const TensorInfo* WeightFiles::find(const std::string& name) const {
  const auto found = piece_.find(name);
  return found == piece_.end() ? nullptr : pieces_[found->second].find(name);
}

at::Tensor WeightFiles::tensor(const std::string& name) const { return piece_of(name).tensor(name); }

const fs::path& WeightFiles::file_of(const std::string& name) const { return piece_of(name).file().path(); }

void WeightFiles::check_unchanged() const {
  for (const SafetensorsFile& piece : pieces_) piece.file().check_unchanged();
}

void WeightFiles::release(const std::string& name) const {
  piece_of(name).release(*piece_of(name).find(name));
}

}  // namespace hrt
