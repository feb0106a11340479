#include "hrt/tensor/safetensors.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "hrt/base/error.h"
#include "hrt/base/json.h"
#include "hrt/base/strings.h"
#include "hrt/tensor/tensor_layout.h"

// The format: 8 bytes little-endian header size, a JSON header {"NAME": {dtype, shape, data_offsets}, ...,
// "__metadata__": {...}}, then the tensors' bytes without gaps.

namespace hrt {
namespace {

constexpr std::uint64_t kMaxHeader = 100'000'000;  // the reference implementation's own limit
constexpr std::size_t kMaxDimensions = 16;

struct Dtype {
  std::string_view name;
  at::ScalarType type;
  std::uint64_t bytes;
};

constexpr std::array kDtypes{
    Dtype{"F64", at::kDouble, 8},
    Dtype{"F32", at::kFloat, 4},
    Dtype{"F16", at::kHalf, 2},
    Dtype{"BF16", at::kBFloat16, 2},
    Dtype{"F8_E4M3", at::kFloat8_e4m3fn, 1},
    Dtype{"F8_E5M2", at::kFloat8_e5m2, 1},
    Dtype{"I64", at::kLong, 8},
    Dtype{"I32", at::kInt, 4},
    Dtype{"I16", at::kShort, 2},
    Dtype{"I8", at::kChar, 1},
    Dtype{"U8", at::kByte, 1},
    Dtype{"U16", at::kUInt16, 2},
    Dtype{"U32", at::kUInt32, 4},
    Dtype{"U64", at::kUInt64, 8},
    Dtype{"BOOL", at::kBool, 1},
};

const Dtype* find_dtype(std::string_view name) {
  const auto* found =
      std::find_if(kDtypes.begin(), kDtypes.end(), [&](const Dtype& d) { return d.name == name; });
  return found == kDtypes.end() ? nullptr : found;
}

const Dtype& dtype_of(at::ScalarType type) {
  const auto* found =
      std::find_if(kDtypes.begin(), kDtypes.end(), [&](const Dtype& d) { return d.type == type; });
  if (found == kDtypes.end()) throw InputError("safetensors has no dtype for {}", c10::toString(type));
  return *found;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::vector<std::int64_t> read_shape(const JsonObject& entry) {
  const Json* shape = entry.find("shape");
  if (shape == nullptr || !shape->is_array() || shape->size() > kMaxDimensions) {
    throw InputError("{} must be a list of at most {} sizes", entry.where("shape"), kMaxDimensions);
  }
  std::vector<std::int64_t> result;
  for (const Json& size : *shape) {
    if (!size.is_number_unsigned() || size.get<std::uint64_t>() > std::uint64_t{1} << 62) {
      throw InputError("{} holds {}, expected sizes", entry.where("shape"), to_line(size));
    }
    result.push_back(size.get<std::int64_t>());
  }
  return result;
}

std::pair<std::uint64_t, std::uint64_t> read_offsets(const JsonObject& entry) {
  const Json* offsets = entry.find("data_offsets");
  const bool pair = offsets != nullptr && offsets->is_array() && offsets->size() == 2 &&
                    (*offsets)[0].is_number_unsigned() && (*offsets)[1].is_number_unsigned();
  if (!pair) throw InputError("{} must be two byte offsets", entry.where("data_offsets"));
  return {(*offsets)[0].get<std::uint64_t>(), (*offsets)[1].get<std::uint64_t>()};
}

TensorInfo read_entry(const std::string& name, const Json& value, const std::string& origin,
                      std::uint64_t start, std::uint64_t file_size) {
  const JsonObject entry(value, origin, fmt::format("/{}", escape_for_terminal(name)));
  const std::string dtype_name = entry.string("dtype");
  const Dtype* dtype = find_dtype(dtype_name);
  if (dtype == nullptr) {
    throw InputError("{}: unknown dtype \"{}\"", entry.where("dtype"), escape_for_terminal(dtype_name));
  }
  TensorInfo info{name, dtype->type, read_shape(entry), 0, 0};
  const auto [begin, end] = read_offsets(entry);
  if (begin > end || end > file_size - start) {
    throw InputError("{}: tensor {} spans bytes {}..{}, but the file holds {} bytes of data (truncated?)",
                     origin, escape_for_terminal(name), begin, end, file_size - start);
  }
  if (byte_size(info.shape, dtype->bytes) != end - begin) {
    throw InputError("{}: tensor {} of shape {} and dtype {} does not fit its {} bytes", origin,
                     escape_for_terminal(name), shape_text(info.shape), dtype_name, end - begin);
  }
  info.begin = start + begin;
  info.end = start + end;
  return info;
}

void check_no_overlap_or_hole(const std::vector<TensorInfo>& sorted, const std::string& origin,
                              std::uint64_t start, std::uint64_t file_size) {
  std::uint64_t next = start;
  for (const TensorInfo& info : sorted) {
    if (info.begin != next) {
      throw InputError("{}: tensor {} begins at byte {}, expected {} ({})", origin,
                       escape_for_terminal(info.name), info.begin, next,
                       info.begin < next ? "tensors overlap" : "a hole between tensors");
    }
    next = info.end;
  }
  if (next != file_size) throw InputError("{}: {} bytes after the last tensor", origin, file_size - next);
}

Metadata read_metadata(const Json& value, const std::string& origin) {
  Metadata metadata;
  const JsonObject object(value, origin, "/__metadata__");
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) throw InputError("{} must be a string", object.where(key));
    metadata[key] = text;
  }
  return metadata;
}

std::string header_of(const MappedFile& file) {
  const std::string origin = file.path().string();
  std::uint64_t size = 0;
  if (file.size() < sizeof size)
    throw InputError("{}: {} bytes are no safetensors file", origin, file.size());
  if (file.text().starts_with("version https://git-lfs"))
    throw InputError("{}: a pointer of git-lfs, not the weights: git lfs pull brings them", origin);
  std::memcpy(&size, file.data(), sizeof size);
  if (size > kMaxHeader || size > file.size() - sizeof size) {
    throw InputError("{}: header of {} bytes in a file of {} (truncated, or no safetensors file)", origin,
                     size, file.size());
  }
  return std::string(file.text().substr(sizeof size, size));
}

std::uint64_t declared_bytes(const SafetensorsWriter::Declaration& tensor) {
  const auto bytes = byte_size(tensor.shape, dtype_of(tensor.dtype).bytes);
  if (!bytes) throw RunError("tensor {} of shape {} is too large", tensor.name, shape_text(tensor.shape));
  return *bytes;
}

std::string header_text(const std::vector<SafetensorsWriter::Declaration>& tensors,
                        const Metadata& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const auto& tensor : tensors) {
    const std::uint64_t bytes = declared_bytes(tensor);
    header[tensor.name] = {{"dtype", safetensors_dtype(tensor.dtype)},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = to_line(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // readers map tensors: keep them aligned
  return text;
}

}  // namespace

std::string safetensors_dtype(at::ScalarType dtype) { return std::string(dtype_of(dtype).name); }

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : file_(std::make_shared<MappedFile>(path)) {
  const std::string origin = path.string();
  const std::string header = header_of(*file_);
  const std::uint64_t start = sizeof(std::uint64_t) + header.size();
  const Json root = parse_json(header, origin + ": header");
  JsonObject(root, origin + ": header");
  for (const auto& [name, value] : root.items()) {
    if (name == "__metadata__") {
      metadata_ = read_metadata(value, origin);
    } else {
      tensors_.push_back(read_entry(name, value, origin, start, file_->size()));
    }
  }
  std::sort(tensors_.begin(), tensors_.end(), [](const TensorInfo& a, const TensorInfo& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  check_no_overlap_or_hole(tensors_, origin, start, file_->size());
  for (std::size_t i = 0; i < tensors_.size(); ++i) index_[tensors_[i].name] = i;
}

const TensorInfo* SafetensorsFile::find(const std::string& name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

at::Tensor SafetensorsFile::tensor(const std::string& name) const {
  const TensorInfo* info = find(name);
  if (info == nullptr) {
    std::vector<std::string> names;
    for (const TensorInfo& other : tensors_) names.push_back(other.name);
    throw InputError("{}: no tensor {}{}", file_->path().string(), escape_for_terminal(name),
                     did_you_mean(name, names));
  }
  auto* data = const_cast<std::byte*>(file_->data()) + info->begin;
  // Elements must be aligned for typed access; files by other writers may not be.
  if (reinterpret_cast<std::uintptr_t>(data) % dtype_of(info->dtype).bytes != 0) {
    const auto options = at::TensorOptions().dtype(at::kByte);
    const auto size = static_cast<std::int64_t>(info->end - info->begin);
    return at::from_blob(data, {size}, options).clone().view(info->dtype).view(info->shape);
  }
  return at::from_blob(
      data, info->shape, [keep = file_](void*) {}, at::TensorOptions().dtype(info->dtype));
}

void SafetensorsFile::release(const TensorInfo& info) const {
  file_->release(info.begin, info.end - info.begin);
}

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& path,
                                     const std::vector<Declaration>& tensors, const Metadata& metadata)
    : file_(path) {
  const std::string header = header_text(tensors, metadata);
  const std::uint64_t size = header.size();
  file_.write(&size, sizeof size);
  file_.write(header);
  for (const Declaration& tensor : tensors)
    awaited_.push_back({tensor.name, tensor.dtype, declared_bytes(tensor)});
}

void SafetensorsWriter::append(const at::Tensor& slice) {
  const at::Tensor data = slice.cpu().contiguous();
  const std::uint64_t bytes = data.nbytes();
  skip_complete();
  if (bytes > 0) {
    const bool fits =
        !awaited_.empty() && awaited_.front().dtype == data.scalar_type() && awaited_.front().bytes >= bytes;
    if (!fits)
      throw RunError("{} bytes of {} are not what was declared next", bytes,
                     c10::toString(data.scalar_type()));
    awaited_.front().bytes -= bytes;
  }
  file_.write(data.const_data_ptr(), bytes);
}

void SafetensorsWriter::commit() {
  skip_complete();
  if (!awaited_.empty())
    throw RunError("{} bytes of tensor {} are missing", awaited_.front().bytes, awaited_.front().name);
  file_.commit();
}

void SafetensorsWriter::skip_complete() {
  while (!awaited_.empty() && awaited_.front().bytes == 0) awaited_.pop_front();
}

void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                       const Metadata& metadata) {
  std::vector<SafetensorsWriter::Declaration> declarations;
  for (const NamedTensor& named : tensors) {
    declarations.push_back({named.name, named.tensor.scalar_type(), named.tensor.sizes().vec()});
  }
  SafetensorsWriter writer(path, declarations, metadata);
  for (const NamedTensor& named : tensors) writer.append(named.tensor);
  writer.commit();
}

}  // namespace hrt
