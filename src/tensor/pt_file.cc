#include "hrt/tensor/pt_file.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <cstring>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "malformed.h"
#include "named_values.h"
#include "read_pickle.h"
#include "strided_view.h"
#include "zip_archive.h"

// The archive: one folder with `data.pkl` (the pickle), `data/KEY` (a storage each), `byteorder`, and files
// that do not matter here.

namespace hrt {
namespace {

// The folder is named after the file; what is in it is not.
std::string find_folder(const ZipArchive& archive) {
  constexpr std::string_view kPickle = "/data.pkl";
  std::string folder;
  for (const ZipArchive::Member& member : archive.members()) {
    if (!member.name.ends_with(kPickle)) continue;
    const std::string parent = member.name.substr(0, member.name.size() - kPickle.size());
    if (parent.find('/') != std::string::npos) continue;
    if (!folder.empty()) throw InputError("{}: two pickles in one file", archive.file().path().string());
    folder = parent;
  }
  if (folder.empty())
    throw InputError("{}: a zip archive without data.pkl, not a file of torch.save",
                     archive.file().path().string());
  return folder;
}

void check_byte_order(const ZipArchive& archive, const std::string& folder) {
  const ZipArchive::Member* member = archive.find(folder + "/byteorder");
  if (member != nullptr && archive.content(*member) != "little") {
    throw InputError("{}: saved on a machine with another byte order; only little-endian is read",
                     archive.file().path().string());
  }
}

// Only the zip format is read; older ones are told apart by how they begin.
MappedFile open_zip(const std::filesystem::path& path) {
  constexpr std::string_view kZip = "PK";
  constexpr std::string_view kPickle = "\x80";
  constexpr std::string_view kOldMagic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
  MappedFile file(path);
  const std::string_view bytes = file.text();
  if (bytes.starts_with(kZip)) return file;
  if (!bytes.starts_with(kPickle))
    throw InputError("{}: not a file of torch.save (a zip archive)", path.string());
  if (bytes.substr(std::min<std::size_t>(2, bytes.size())).starts_with(kOldMagic)) {
    throw InputError(
        "{}: torch's old format, which hrt does not read; load it in Python and torch.save it again",
        path.string());
  }
  throw InputError("{}: a bare pickle, not a file of torch.save", path.string());
}

std::uint64_t element_size(const TensorLayout& layout) { return c10::elementSize(layout.dtype); }

}  // namespace

struct PtFile::Content {
  explicit Content(const std::filesystem::path& path) : archive(open_zip(path)) {
    const std::string folder = find_folder(archive);
    check_byte_order(archive, folder);
    pickled = pickle::read_pickle(archive, *archive.find(folder + "/data.pkl"), folder);
    try {
      add(pickle::name_values(*pickled.root));
    } catch (const Malformed& error) {
      throw InputError("{}: {}", path.string(), error.what());
    }
  }

  void add(pickle::NamedValues values) {
    for (const auto& [name, tensor] : values.tensors) {
      if (!index.emplace(name, layouts.size()).second)
        throw Malformed("two tensors are called {}", escape_for_terminal(name));
      layouts.push_back({name, tensor->dtype, tensor->shape, tensor->strides});
      sources.push_back(tensor);
    }
    metadata = std::move(values.metadata);
  }

  // The bytes of a view, from its first to its last element.
  std::string_view bytes_of(std::size_t i) const {
    const pickle::Tensor& source = *sources[i];
    const std::string_view all = source.member  ? archive.content(*source.member)
                                 : source.bytes ? std::string_view(source.bytes->content)
                                                : std::string_view();
    const auto span = static_cast<std::uint64_t>(view_span(source.shape, source.strides));
    const std::uint64_t size = element_size(layouts[i]);
    return all.substr(static_cast<std::uint64_t>(source.offset) * size, span * size);
  }

  ZipArchive archive;
  pickle::Pickle pickled;
  std::vector<TensorLayout> layouts;
  std::vector<const pickle::Tensor*> sources;  // one for each layout
  std::unordered_map<std::string, std::size_t> index;
  Metadata metadata;
};

PtFile::PtFile(const std::filesystem::path& path) : content_(std::make_shared<const Content>(path)) {}

const std::vector<TensorLayout>& PtFile::tensors() const { return content_->layouts; }
const Metadata& PtFile::metadata() const { return content_->metadata; }
const MappedFile& PtFile::file() const { return content_->archive.file(); }

const TensorLayout* PtFile::find(const std::string& name) const {
  const auto found = content_->index.find(name);
  return found == content_->index.end() ? nullptr : &content_->layouts[found->second];
}

at::Tensor PtFile::tensor(const std::string& name) const {
  const TensorLayout* layout = find(name);
  if (layout == nullptr) {
    std::vector<std::string> names;
    for (const TensorLayout& other : tensors()) names.push_back(other.name);
    throw InputError("{}: no tensor {}{}", file().path().string(), escape_for_terminal(name),
                     did_you_mean(name, names));
  }
  const auto options = at::TensorOptions().dtype(layout->dtype);
  const std::string_view bytes = content_->bytes_of(index_of(*layout));
  if (bytes.empty()) return at::empty(layout->shape, options);
  auto* data = const_cast<char*>(bytes.data());
  // Elements must be aligned for typed access; torch sees to it, other writers may not.
  if (reinterpret_cast<std::uintptr_t>(data) % element_size(*layout) == 0) {
    return at::from_blob(
        data, layout->shape, layout->strides, [keep = content_](void*) {}, options);
  }
  const at::Tensor copy = at::empty({static_cast<std::int64_t>(bytes.size())}, at::kByte);
  std::memcpy(copy.mutable_data_ptr(), bytes.data(), bytes.size());
  return at::from_blob(
      copy.mutable_data_ptr(), layout->shape, layout->strides, [copy](void*) {}, options);
}

void PtFile::release(const std::string& name) const {
  const TensorLayout* layout = find(name);
  if (layout == nullptr || content_->sources[index_of(*layout)]->member == nullptr) return;
  const std::string_view bytes = content_->bytes_of(index_of(*layout));
  file().release(static_cast<std::size_t>(bytes.data() - file().text().data()), bytes.size());
}

std::size_t PtFile::index_of(const TensorLayout& layout) const {
  return static_cast<std::size_t>(&layout - content_->layouts.data());
}

}  // namespace hrt
