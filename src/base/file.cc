#include "hrt/base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "hrt/base/error.h"
#include "hrt/base/temporary_name.h"
#include "known_mappings.h"

namespace hrt {
namespace {

// Closes a descriptor at the end of its scope.
struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) close(value);
  }
};

std::string reason() { return std::strerror(errno); }

// Without O_NONBLOCK, opening a named pipe would wait for its writer before it can be refused.
int open_for_reading(const std::filesystem::path& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) throw InputError("{}: {}", path.string(), reason());
  return descriptor;
}

std::uint64_t size_of_regular_file(int descriptor, const std::filesystem::path& path) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) throw InputError("{}: {}", path.string(), reason());
  if (!S_ISREG(status.st_mode)) throw InputError("{}: not a regular file", path.string());
  return static_cast<std::uint64_t>(status.st_size);
}

void sync_folder(const std::filesystem::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const Descriptor descriptor{open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (descriptor.value >= 0) fsync(descriptor.value);
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  const Descriptor descriptor{open_for_reading(path)};
  size_ = size_of_regular_file(descriptor.value, path);
  opened_ = state_of(descriptor.value, path);
  if (size_ == 0) return;
  void* address = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor.value, 0);
  if (address == MAP_FAILED) throw RunError("{}: cannot be mapped: {}", path.string(), reason());
  data_ = static_cast<std::byte*>(address);
  known_ = std::make_unique<KnownMapping>(data_, size_, path.string());
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      opened_(other.opened_),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      known_(std::move(other.known_)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(opened_, other.opened_);
  std::swap(known_, other.known_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  known_.reset();
  if (data_ != nullptr) munmap(data_, size_);
}

MappedFile::State MappedFile::state_of(int descriptor, const std::filesystem::path& path) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) throw InputError("{}: {}", path.string(), reason());
  return {static_cast<std::uint64_t>(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

void MappedFile::check_unchanged() const {
  const Descriptor descriptor{open_for_reading(path_)};
  if (state_of(descriptor.value, path_) != opened_)
    throw RunError("{}: the file changed while it was read", path_.string());
}

void MappedFile::release(std::size_t offset, std::size_t length) const {
  // Only whole pages inside the range: their neighbours may still be in use.
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t begin = (offset + page - 1) / page * page;
  const std::size_t end = std::min(offset + length, size_) / page * page;
  if (begin < end) madvise(data_ + begin, end - begin, MADV_DONTNEED);
}

std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  const Descriptor descriptor{open_for_reading(path)};
  const std::uint64_t size = size_of_regular_file(descriptor.value, path);
  if (size > max_bytes)
    throw InputError("{}: {} bytes, at most {} are expected", path.string(), size, max_bytes);
  std::string content(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = read(descriptor.value, content.data() + done, size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw RunError("{}: {}", path.string(), reason());
    if (count == 0) throw RunError("{}: became shorter while it was read", path.string());
    done += static_cast<std::size_t>(count);
  }
  return content;
}

AtomicFile::AtomicFile(std::filesystem::path path)
    : path_(std::move(path)), temporary_(temporary_name(path_)) {
  descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw RunError("{}: cannot be written: {}", path_.string(), reason());
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, std::size_t size) {
  const char* next = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t count = ::write(descriptor_, next, size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw RunError("{}: cannot be written: {}", path_.string(), reason());
    next += count;
    size -= static_cast<std::size_t>(count);
  }
}

void AtomicFile::commit() {
  if (fsync(descriptor_) != 0) throw RunError("{}: cannot be written: {}", path_.string(), reason());
  close(std::exchange(descriptor_, -1));
  if (rename(temporary_.c_str(), path_.c_str()) != 0) {
    const std::string why = reason();
    unlink(temporary_.c_str());
    throw RunError("{}: cannot be renamed into place: {}", path_.string(), why);
  }
  sync_folder(path_);
}

void write_file(const std::filesystem::path& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

}  // namespace hrt
