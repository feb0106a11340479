#pragma once

#include <atomic>
#include <cstddef>
#include <string>

namespace hrt {

// A mapped range that the handler of install_mapping_fault_handler() can name. Nothing is allocated or locked
// when it looks, as is proper in a signal handler.
class KnownMapping {
 public:
  KnownMapping(const std::byte* begin, std::size_t size, std::string file);
  KnownMapping(const KnownMapping&) = delete;
  KnownMapping& operator=(const KnownMapping&) = delete;
  ~KnownMapping();

  const std::string& file() const { return file_; }
  bool contains(const std::byte* address) const { return address >= begin_ && address < begin_ + size_; }

  // Null: none of them.
  static const KnownMapping* find(const std::byte* address);

 private:
  const std::byte* begin_;
  std::size_t size_;
  std::string file_;
  std::atomic<const KnownMapping*>* place_ = nullptr;  // in the table; null: it was full
};

}  // namespace hrt
