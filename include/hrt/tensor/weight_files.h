#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hrt/tensor/tensor_file.h"
#include "hrt/tensor/tensor_layout.h"

namespace hrt {

// The file by which a checkpoint folder's weights are opened: `model.safetensors` or its index, or else
// `pytorch_model.bin` (torch.save's) or its index. Nothing when there is none of them.
std::optional<std::filesystem::path> find_weights(const std::filesystem::path& folder);

// The weights of a checkpoint folder: one file, or the pieces named by its index (names that leave the folder
// are refused). Throws InputError naming file and tensor.
class WeightFiles {
 public:
  explicit WeightFiles(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const { return folder_; }
  const std::vector<TensorLayout>& tensors() const { return tensors_; }  // all pieces, in order of name
  const TensorLayout* find(const std::string& name) const;               // nullptr when absent
  // Contiguous: a view of the mapping, or a copy where the file holds it with other strides.
  at::Tensor tensor(const std::string& name) const;
  // The file that holds the tensor, for messages.
  const std::filesystem::path& file_of(const std::string& name) const;
  void release(const std::string& name) const;
  // Throws RunError when a piece changed since it was opened.
  void check_unchanged() const;

 private:
  struct Place {
    std::size_t piece;
    std::size_t number;  // in tensors_
  };
  void add_piece(const std::filesystem::path& path);
  const TensorFile& piece_of(const std::string& name) const;

  std::filesystem::path folder_;
  std::vector<TensorFile> pieces_;
  std::vector<TensorLayout> tensors_;
  std::map<std::string, Place> places_;
};

}  // namespace hrt
