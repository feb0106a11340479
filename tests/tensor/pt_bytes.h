#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// Files as torch.save writes them, right or wrong, byte by byte.

namespace hrt {

template <typename Number>
std::string little_endian(Number number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

inline std::string u16(std::uint64_t n) { return little_endian(static_cast<std::uint16_t>(n)); }
inline std::string u32(std::uint64_t n) { return little_endian(static_cast<std::uint32_t>(n)); }
inline std::string u64(std::uint64_t n) { return little_endian(n); }

// A member of a zip archive; the fields are those that a test may want to be wrong.
struct ZipPart {
  std::string name;
  std::string content;
  std::uint64_t size = content.size();
  std::uint64_t stored = size;
  std::uint64_t crc =
      crc32(0, reinterpret_cast<const unsigned char*>(content.data()), static_cast<unsigned>(content.size()));
  std::uint64_t flags = 0;
  std::uint64_t method = 0;
  std::string extra = {};         // of the directory's entry
  std::string local_name = name;  // in the member's own header
};

inline std::string zip_header(const ZipPart& part) {
  return "PK\x03\x04" + u16(20) + u16(part.flags) + u16(part.method) + u32(0) + u32(part.crc) +
         u32(part.stored) + u32(part.size) + u16(part.local_name.size()) + u16(0) + part.local_name;
}

inline std::string zip_entry(const ZipPart& part, std::uint64_t header) {
  return "PK\x01\x02" + u16(20) + u16(20) + u16(part.flags) + u16(part.method) + u32(0) + u32(part.crc) +
         u32(part.stored) + u32(part.size) + u16(part.name.size()) + u16(part.extra.size()) + u16(0) +
         u16(0) + u16(0) + u32(0) + u32(header) + part.name + part.extra;
}

inline std::string zip_end(std::uint64_t entries, std::uint64_t size, std::uint64_t begin) {
  return "PK\x05\x06" + u16(0) + u16(0) + u16(entries) + u16(entries) + u32(size) + u32(begin) + u16(0);
}

inline std::string zip_bytes(const std::vector<ZipPart>& parts) {
  std::string members;
  std::string directory;
  for (const ZipPart& part : parts) {
    directory += zip_entry(part, members.size());
    members += zip_header(part) + part.content;
  }
  return members + directory + zip_end(parts.size(), directory.size(), members.size());
}

// A torch file with this pickle and the storages data/0, data/1, ...
inline std::string pt_bytes(const std::string& pickle, const std::vector<std::string>& storages = {}) {
  std::vector<ZipPart> parts{{"x/data.pkl", pickle}};
  for (std::size_t i = 0; i < storages.size(); ++i)
    parts.push_back({"x/data/" + std::to_string(i), storages[i]});
  return zip_bytes(parts);
}

// Opcodes of pickles, put together by hand.
namespace ops {

inline const std::string kStart = "\x80\x02";
inline const std::string kNone = "N";
inline const std::string kTrue = "\x88";
inline const std::string kFalse = "\x89";
inline const std::string kEmptyTuple = ")";
inline const std::string kReduce = "R";
inline const std::string kBuild = "b";
inline const std::string kStop = ".";

inline std::string text(const std::string& utf8) { return "X" + u32(utf8.size()) + utf8; }
inline std::string integer(std::int64_t number) { return "\x8a\x08" + little_endian(number); }
inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string tuple(const std::string& items) { return "(" + items + "t"; }
inline std::string integers(const std::vector<std::int64_t>& numbers) {
  std::string items;
  for (const std::int64_t number : numbers) items += integer(number);
  return tuple(items);
}
inline std::string storage(const std::string& type, const std::string& key, std::int64_t elements,
                           const std::string& location = "cpu") {
  return tuple(text("storage") + global("torch", type) + text(key) + text(location) + integer(elements)) +
         "Q";
}
inline std::string tensor(const std::string& storage, std::int64_t offset,
                          const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides,
                          const std::string& more = "") {
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple(storage + integer(offset) + integers(shape) + integers(strides) + kFalse +
               global("collections", "OrderedDict") + kEmptyTuple + kReduce + more) +
         kReduce;
}

}  // namespace ops
}  // namespace hrt
