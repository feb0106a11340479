#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "hrt/tensor/pt_file.h"
#include "hrt/tensor/safetensors.h"
#include "hrt/tensor/tensor_layout.h"

namespace hrt {

// A file of named tensors, of either kind: safetensors, or torch.save's (.pt, .pth, .bin). Which one it is
// follows from its content, not from its name. Throws InputError naming the file.
class TensorFile {
 public:
  explicit TensorFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const;
  std::uint64_t bytes() const;
  const std::vector<TensorLayout>& tensors() const { return tensors_; }  // in the file's order
  const Metadata& metadata() const;

  bool has(const std::string& name) const;
  // Throws InputError listing the names there are, the nearest first, when this one is absent.
  const TensorLayout& layout(const std::string& name) const;
  // Of the only tensor of the file. Throws InputError listing the names when there is not exactly one.
  const TensorLayout& only() const;

  // A view of the mapping, which it keeps alive; read only, CPU, with the strides of its layout. Throws
  // InputError as `layout` does, and when its data are damaged.
  at::Tensor tensor(const std::string& name) const;
  // Tells the kernel that the tensor's pages are not needed any more.
  void release(const std::string& name) const;
  // Throws RunError when the file changed since it was opened.
  void check_unchanged() const;

 private:
  const MappedFile& file() const;
  std::vector<std::string> names() const;

  std::variant<SafetensorsFile, PtFile> content_;
  std::vector<TensorLayout> tensors_;
};

}  // namespace hrt
