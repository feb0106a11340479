#include "hrt/tensor/tensor_file.h"

#include <algorithm>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

constexpr std::size_t kMaxListed = 12;

// A safetensors file begins with 8 bytes of size and a JSON object; torch's files are zip archives, or, in
// old formats, pickles. Where the content is neither, the name says whose error is shown.
bool is_pt(const std::filesystem::path& path) {
  const MappedFile file(path);
  const std::string_view bytes = file.text();
  constexpr std::size_t kHeader = sizeof(std::uint64_t);
  if (bytes.starts_with("PK")) return true;
  if (bytes.size() > kHeader && bytes[kHeader] == '{') return false;
  const std::string extension = path.extension().string();
  if (extension == ".pt" || extension == ".pth" || extension == ".bin" || bytes.starts_with("\x80"))
    return true;
  if (extension == ".safetensors") return false;
  throw InputError("{}: neither a safetensors file nor one of torch.save (.pt)", path.string());
}

std::variant<SafetensorsFile, PtFile> open(const std::filesystem::path& path) {
  if (is_pt(path)) return PtFile(path);
  return SafetensorsFile(path);
}

std::vector<TensorLayout> layouts_of(const PtFile& file) { return file.tensors(); }

std::vector<TensorLayout> layouts_of(const SafetensorsFile& file) {
  std::vector<TensorLayout> layouts;
  for (const TensorInfo& info : file.tensors())
    layouts.push_back({info.name, info.dtype, info.shape, contiguous_strides(info.shape)});
  return layouts;
}

// "a, b, c and 7 more"
std::string list_of(std::vector<std::string> names, const std::string& first) {
  const auto found = std::find(names.begin(), names.end(), first);
  if (found != names.end()) std::rotate(names.begin(), found, found + 1);
  const std::size_t more = names.size() - std::min(names.size(), kMaxListed);
  names.resize(names.size() - more);
  return escape_for_terminal(join(names, ", ")) + (more > 0 ? fmt::format(" and {} more", more) : "");
}

}  // namespace

TensorFile::TensorFile(const std::filesystem::path& path)
    : content_(open(path)), tensors_(std::visit([](const auto& file) { return layouts_of(file); }, content_)) {}

const MappedFile& TensorFile::file() const {
  return std::visit(
      [](const auto& file) -> const auto& { return file.file(); }, content_);
}

const std::filesystem::path& TensorFile::path() const { return file().path(); }
std::uint64_t TensorFile::bytes() const { return file().size(); }
void TensorFile::check_unchanged() const { file().check_unchanged(); }

const Metadata& TensorFile::metadata() const {
  return std::visit(
      [](const auto& file) -> const auto& { return file.metadata(); }, content_);
}

bool TensorFile::has(const std::string& name) const {
  return std::visit([&](const auto& file) { return file.find(name) != nullptr; }, content_);
}

const TensorLayout& TensorFile::layout(const std::string& name) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(),
                                  [&](const TensorLayout& layout) { return layout.name == name; });
  if (found != tensors_.end()) return *found;
  const std::vector<std::string> names = this->names();
  throw InputError("{}: no tensor {}{}; it holds {}", path().string(), escape_for_terminal(name),
                   did_you_mean(name, names), names.empty() ? "none" : list_of(names, nearest(name, names)));
}

const TensorLayout& TensorFile::only() const {
  if (tensors_.size() == 1) return tensors_.front();
  if (tensors_.empty()) throw InputError("{}: holds no tensor", path().string());
  throw InputError("{}: holds {} tensors, say which one: {}", path().string(), tensors_.size(),
                   list_of(names(), ""));
}

at::Tensor TensorFile::tensor(const std::string& name) const {
  if (!has(name)) layout(name);  // throws
  return std::visit([&](const auto& file) { return file.tensor(name); }, content_);
}

void TensorFile::release(const std::string& name) const {
  if (const auto* pt = std::get_if<PtFile>(&content_)) return pt->release(name);
  const auto& safetensors = std::get<SafetensorsFile>(content_);
  if (const TensorInfo* info = safetensors.find(name)) safetensors.release(*info);
}

std::vector<std::string> TensorFile::names() const {
  std::vector<std::string> names;
  for (const TensorLayout& layout : tensors_) names.push_back(layout.name);
  return names;
}

}  // namespace hrt
