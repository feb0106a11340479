#include "zip_archive.h"

#include <zlib.h>

#include <algorithm>

#include "byte_reader.h"
#include "hrt/base/error.h"
#include "hrt/base/strings.h"

// The format (PKWARE's APPNOTE): members, each behind a header of its own; a directory of all members; an end
// record that says where the directory is. Numbers that do not fit are all ones, and stand in "zip64"
// records.

namespace hrt {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kDirectoryEntry = 0x02014b50;
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50;
constexpr std::uint32_t kEnd64Locator = 0x07064b50;
constexpr std::uint64_t kEndBytes = 22;
constexpr std::uint64_t kEnd64LocatorBytes = 20;
constexpr std::uint64_t kMaxComment = 0xFFFF;
constexpr std::uint32_t kSaturated = 0xFFFFFFFF;
constexpr std::uint16_t kSaturatedCount = 0xFFFF;

constexpr std::uint16_t kEncrypted = 0x0001 | 0x0040 | 0x2000;
constexpr std::uint16_t kSizesAfterData = 0x0008;
constexpr std::uint16_t kZip64Extra = 1;

struct Directory {
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
  std::uint64_t entries = 0;
};

struct Entry {
  std::string name;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc = 0;
  std::uint64_t stored = 0;
  std::uint64_t size = 0;
  std::uint64_t header = 0;  // where the member's own header begins
};

template <typename T>
T number_at(std::string_view file, std::uint64_t position) {
  return ByteReader(file.substr(position)).number<T>();
}

// A comment may follow the end record, so it is looked for from the end.
std::uint64_t find_end(std::string_view file) {
  for (std::uint64_t after = kEndBytes; after <= std::min(file.size(), kEndBytes + kMaxComment); ++after) {
    const std::uint64_t position = file.size() - after;
    const bool found = number_at<std::uint32_t>(file, position) == kEnd &&
                       number_at<std::uint16_t>(file, position + 20) == after - kEndBytes;
    if (found) return position;
  }
  throw Malformed("the zip archive has no end (truncated?)");
}

Directory read_end(ByteReader record) {
  record.take(sizeof kEnd);
  const auto disk = record.number<std::uint16_t>();
  const auto directory_disk = record.number<std::uint16_t>();
  const auto entries_here = record.number<std::uint16_t>();
  const auto entries = record.number<std::uint16_t>();
  const auto size = record.number<std::uint32_t>();
  const auto begin = record.number<std::uint32_t>();
  if (disk != 0 || directory_disk != 0 || entries_here != entries)
    throw Malformed("zip archives of several pieces are not read");
  return {begin, size, entries};
}

Directory read_end64(ByteReader record) {
  if (record.number<std::uint32_t>() != kEnd64) throw Malformed("the zip archive's zip64 record is missing");
  record.take(sizeof(std::uint64_t) + 2 * sizeof(std::uint16_t));  // its size, versions
  const auto disk = record.number<std::uint32_t>();
  const auto directory_disk = record.number<std::uint32_t>();
  const auto entries_here = record.number<std::uint64_t>();
  const auto entries = record.number<std::uint64_t>();
  const auto size = record.number<std::uint64_t>();
  const auto begin = record.number<std::uint64_t>();
  if (disk != 0 || directory_disk != 0 || entries_here != entries)
    throw Malformed("zip archives of several pieces are not read");
  return {begin, size, entries};
}

void check_agreement(const Directory& narrow, const Directory& wide) {
  const auto agree = [](std::uint64_t a, std::uint64_t b, std::uint64_t saturated) {
    return a == b || a == saturated;
  };
  if (!agree(narrow.begin, wide.begin, kSaturated) || !agree(narrow.size, wide.size, kSaturated) ||
      !agree(narrow.entries, wide.entries, kSaturatedCount))
    throw Malformed("the zip archive's two end records disagree");
}

Directory find_directory(std::string_view file) {
  std::uint64_t end = find_end(file);
  Directory directory = read_end(ByteReader(file.substr(end)));
  if (end >= kEnd64LocatorBytes &&
      number_at<std::uint32_t>(file, end - kEnd64LocatorBytes) == kEnd64Locator) {
    const auto record = number_at<std::uint64_t>(file, end - kEnd64LocatorBytes + 8);
    if (record > end) throw Malformed("the zip archive's zip64 record is missing");
    const Directory wide = read_end64(ByteReader(file.substr(record)));
    check_agreement(directory, wide);
    directory = wide;
    end = record;
  }
  if (directory.begin > end || directory.size != end - directory.begin)
    throw Malformed("the zip archive's directory is not where its end says");
  return directory;
}

// Puts the numbers that did not fit into the entry.
void widen(Entry& entry, ByteReader extra) {
  while (extra.left() >= 2 * sizeof(std::uint16_t)) {
    const auto id = extra.number<std::uint16_t>();
    ByteReader field(extra.take(extra.number<std::uint16_t>()));
    if (id != kZip64Extra) continue;
    for (std::uint64_t* number : {&entry.size, &entry.stored, &entry.header}) {
      if (*number == kSaturated) *number = field.number<std::uint64_t>();
    }
  }
}

Entry read_entry(ByteReader& directory) {
  if (directory.number<std::uint32_t>() != kDirectoryEntry)
    throw Malformed("the zip archive's directory is broken at its byte {}", directory.position() - 4);
  Entry entry;
  directory.take(2 * sizeof(std::uint16_t));  // versions
  entry.flags = directory.number<std::uint16_t>();
  entry.method = directory.number<std::uint16_t>();
  directory.take(sizeof(std::uint32_t));  // time and date
  entry.crc = directory.number<std::uint32_t>();
  entry.stored = directory.number<std::uint32_t>();
  entry.size = directory.number<std::uint32_t>();
  const auto name = directory.number<std::uint16_t>();
  const auto extra = directory.number<std::uint16_t>();
  const auto comment = directory.number<std::uint16_t>();
  directory.take(sizeof(std::uint16_t) * 2 + sizeof(std::uint32_t));  // disk, attributes
  entry.header = directory.number<std::uint32_t>();
  entry.name = directory.take(name);
  widen(entry, ByteReader(directory.take(extra)));
  directory.take(comment);
  return entry;
}

// A name must stay inside the archive wherever it would be unpacked.
bool leads_out(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find_first_of(std::string_view("\\\0", 2)) != name.npos)
    return true;
  const std::vector<std::string> parts = split(name, '/');
  return std::find(parts.begin(), parts.end(), "..") != parts.end();
}

void check_entry(const Entry& entry) {
  if (leads_out(entry.name)) throw Malformed("the name leads out of the archive");
  if (entry.flags & kEncrypted) throw Malformed("it is encrypted");
  if (entry.method != 0)
    throw Malformed("it is compressed (method {}); torch.save stores members as they are", entry.method);
  if (entry.stored != entry.size)
    throw Malformed("{} bytes are stored, but {} are said to be in it", entry.stored, entry.size);
}

// `members` is the part of the file before the directory.
ZipArchive::Member read_header(std::string_view members, const Entry& entry) {
  if (entry.header > members.size()) throw Malformed("it begins after the last member");
  ByteReader header(members.substr(entry.header));
  if (header.number<std::uint32_t>() != kLocalHeader) throw Malformed("it has no header");
  header.take(sizeof(std::uint16_t));  // version
  const auto flags = header.number<std::uint16_t>();
  const auto method = header.number<std::uint16_t>();
  header.take(sizeof(std::uint32_t));  // time and date
  const auto crc = header.number<std::uint32_t>();
  const auto stored = header.number<std::uint32_t>();
  const auto size = header.number<std::uint32_t>();
  const auto name = header.number<std::uint16_t>();
  const auto extra = header.number<std::uint16_t>();
  const auto agrees = [&](std::uint64_t here, std::uint64_t there, std::uint64_t saturated) {
    return here == there || here == saturated || (here == 0 && (flags & kSizesAfterData));
  };
  if (header.take(name) != entry.name || flags != entry.flags || method != entry.method ||
      !agrees(stored, entry.stored, kSaturated) || !agrees(size, entry.size, kSaturated) ||
      !agrees(crc, entry.crc, entry.crc))
    throw Malformed("its header disagrees with the directory");
  header.take(extra);
  if (entry.size > header.left()) throw Malformed("its {} bytes do not fit the archive", entry.size);
  const std::uint64_t begin = entry.header + header.position();
  return {entry.name, begin, begin + entry.size, entry.crc};
}

std::vector<Entry> read_directory(std::string_view file, const Directory& directory) {
  ByteReader reader(file.substr(directory.begin, directory.size));
  std::vector<Entry> entries;
  while (reader.left() > 0) entries.push_back(read_entry(reader));
  if (entries.size() != directory.entries)
    throw Malformed("the zip archive's directory has {} members, not {}", entries.size(), directory.entries);
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.header < b.header; });
  return entries;
}

// `next` is where the member before it ends.
ZipArchive::Member read_member(std::string_view members, const Entry& entry, std::uint64_t next) {
  try {
    check_entry(entry);
    if (entry.header < next) throw Malformed("it overlaps the one before");
    return read_header(members, entry);
  } catch (const Malformed& error) {
    throw Malformed("member {}: {}", escape_for_terminal(entry.name), error.what());
  }
}

std::vector<ZipArchive::Member> read_members(std::string_view file) {
  const Directory directory = find_directory(file);
  std::vector<ZipArchive::Member> members;
  std::uint64_t next = 0;
  for (const Entry& entry : read_directory(file, directory)) {
    members.push_back(read_member(file.substr(0, directory.begin), entry, next));
    next = members.back().end;
  }
  return members;
}

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace

ZipArchive::ZipArchive(MappedFile file) : file_(std::move(file)) {
  const std::string path = file_.path().string();
  try {
    members_ = read_members(file_.text());
  } catch (const Malformed& error) {
    throw InputError("{}: {}", path, error.what());
  }
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (!index_.emplace(members_[i].name, i).second)
      throw InputError("{}: member {} is there twice", path, escape_for_terminal(members_[i].name));
  }
  verified_ = std::make_unique<std::atomic<bool>[]>(members_.size());
}

const ZipArchive::Member* ZipArchive::find(const std::string& name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &members_[found->second];
}

std::string_view ZipArchive::content(const Member& member) const {
  const std::string_view bytes = file_.text().substr(member.begin, member.size());
  std::atomic<bool>& verified = verified_[static_cast<std::size_t>(&member - members_.data())];
  if (!verified) {
    if (checksum(bytes) != member.crc)
      throw InputError("{}: member {} is damaged: its checksum is wrong", file_.path().string(),
                       escape_for_terminal(member.name));
    verified = true;
  }
  return bytes;
}

}  // namespace hrt
