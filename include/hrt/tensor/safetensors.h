#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hrt/base/file.h"

namespace hrt {

// Where one tensor lies in a safetensors file.
struct TensorInfo {
  std::string name;
  at::ScalarType dtype = at::kFloat;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  // bytes from the start of the file
  std::uint64_t end = 0;
};

using Metadata = std::map<std::string, std::string>;

// A safetensors file, mapped. Opening checks everything before anything is allocated from it: header size,
// JSON, known dtypes, shape x dtype == span, spans inside the file, without overlap or hole. Throws
// InputError naming file, tensor and what was expected.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::vector<TensorInfo>& tensors() const { return tensors_; }  // in file order
  const TensorInfo* find(const std::string& name) const;               // nullptr when absent
  const Metadata& metadata() const { return metadata_; }
  const MappedFile& file() const { return *file_; }

  // A view of the mapping, which it keeps alive; read only, CPU. Throws InputError listing near names when
  // absent.
  at::Tensor tensor(const std::string& name) const;
  // Tells the kernel that the tensor's pages are not needed any more.
  void release(const TensorInfo& info) const;

 private:
  std::shared_ptr<MappedFile> file_;
  std::vector<TensorInfo> tensors_;
  std::map<std::string, std::size_t> index_;
  Metadata metadata_;
};

struct NamedTensor {
  std::string name;
  at::Tensor tensor;
};

// Writes atomically; tensors are moved to the CPU and made contiguous one at a time.
void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                       const Metadata& metadata = {});

// Writes a file whose tensors are not all in memory: declare every tensor, then append the data of each in
// the declared order, in as many slices along the first dimension as wanted, then commit.
class SafetensorsWriter {
 public:
  struct Declaration {
    std::string name;
    at::ScalarType dtype;
    std::vector<std::int64_t> shape;
  };
  SafetensorsWriter(const std::filesystem::path& path, const std::vector<Declaration>& tensors,
                    const Metadata& metadata = {});
  // Throws RunError when the slice has another dtype than the tensor whose turn it is, or too many bytes for
  // it.
  void append(const at::Tensor& slice);
  // Throws RunError when something declared was not appended.
  void commit();

 private:
  struct Awaited {
    std::string name;
    at::ScalarType dtype;
    std::uint64_t bytes;  // still to come
  };
  void skip_complete();

  AtomicFile file_;
  std::deque<Awaited> awaited_;
};

// "F32", "BF16", ...: the format's names. Throws InputError for a dtype that the format lacks.
std::string safetensors_dtype(at::ScalarType dtype);

}  // namespace hrt
