#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

namespace hrt {

class KnownMapping;

// A file mapped read-only for as long as the object lives. Movable; safe to read from several threads.
//
// Reading behind the end of a file that was cut since is a signal, not an error: see
// install_mapping_fault_handler().
class MappedFile {
 public:
  // Throws InputError when the file cannot be opened, or is no regular file.
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  const std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }
  const std::filesystem::path& path() const { return path_; }

  // Tells the kernel that these bytes are not needed again soon (their pages may be dropped).
  void release(std::size_t offset, std::size_t length) const;

  // Throws RunError when the file has another size or another time of its last change than when it was
  // opened: what was read from it may be of two files.
  void check_unchanged() const;

 private:
  struct State {
    std::uint64_t size = 0;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    bool operator==(const State&) const = default;
  };
  static State state_of(int descriptor, const std::filesystem::path& path);

  std::filesystem::path path_;
  State opened_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::unique_ptr<KnownMapping> known_;
};

// From here on the process ends with one line that names the file, and ExitCode::kFailure, when a mapped file
// cannot be read any more (SIGBUS): it was cut, or its disk fails.
void install_mapping_fault_handler();

// The whole file. Throws InputError when it cannot be read or is larger than `max_bytes`.
std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes = std::uint64_t{1} << 32);

// A file that appears under its name only when `commit` was called: written beside it under a temporary name,
// flushed to disk, then renamed. Without `commit` the temporary file is removed. Throws RunError (disk
// full...).
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(const void* data, std::size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

void write_file(const std::filesystem::path& path, std::string_view content);  // atomically

}  // namespace hrt
