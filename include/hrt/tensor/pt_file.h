#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "hrt/tensor/safetensors.h"
#include "hrt/tensor/tensor_layout.h"

namespace hrt {

// A file of torch.save (the zip format, torch 1.6 and later), mapped. It holds a pickle, which is a program;
// hrt runs a small, closed subset of it: containers, numbers, texts, tensors, parameters and numpy arrays.
// Everything else is refused by the name of what it would have called.
//
// Tensors out of nested containers are named by the way to them, joined by dots: "state.0.weight". A file
// that is one bare tensor calls it "tensor". Numbers and texts in dictionaries are metadata, named alike.
//
// Opening reads the pickle and checks every tensor against its storage; their data are not read. Throws
// InputError naming file and place. Safe to read from several threads.
class PtFile {
 public:
  explicit PtFile(const std::filesystem::path& path);

  const std::vector<TensorLayout>& tensors() const;         // in the pickle's order
  const TensorLayout* find(const std::string& name) const;  // nullptr when absent
  const Metadata& metadata() const;
  const MappedFile& file() const;

  // A view of the mapping with the strides that were saved, which keeps the mapping alive; read only, CPU.
  // The first use of a storage reads all of it to compare its checksum. Throws InputError: absent (near names
  // are listed), damaged.
  at::Tensor tensor(const std::string& name) const;
  // Tells the kernel that the tensor's pages are not needed any more.
  void release(const std::string& name) const;

 private:
  std::size_t index_of(const TensorLayout& layout) const;

  struct Content;
  std::shared_ptr<const Content> content_;
};

}  // namespace hrt
