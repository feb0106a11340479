#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hrt/base/file.h"

namespace hrt {

// A zip archive whose members are stored as they are, mapped: what torch.save writes. Opening reads the
// directory and each member's header and checks them against each other: one disk, no compression or
// encryption, sizes and offsets inside the file, no overlap, no name twice, no name that leads out of the
// archive. Throws InputError naming file and member. Safe to read from several threads.
class ZipArchive {
 public:
  struct Member {
    std::string name;
    std::uint64_t begin = 0;  // of its data, in bytes from the start of the file
    std::uint64_t end = 0;
    std::uint32_t crc = 0;
    std::uint64_t size() const { return end - begin; }
  };

  explicit ZipArchive(MappedFile file);

  const MappedFile& file() const { return file_; }
  const std::vector<Member>& members() const { return members_; }  // in file order
  const Member* find(const std::string& name) const;               // nullptr when absent

  // A view of the mapping. The first call for a member reads all of it and compares its checksum: throws
  // InputError when that is wrong.
  std::string_view content(const Member& member) const;

 private:
  MappedFile file_;
  std::vector<Member> members_;
  std::unordered_map<std::string, std::size_t> index_;
  std::unique_ptr<std::atomic<bool>[]> verified_;  // one for each member
};

}  // namespace hrt
