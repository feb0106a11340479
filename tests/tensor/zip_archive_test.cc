#include "zip_archive.h"

#include <gmock/gmock.h>

#include "data/scratch_folder.h"
#include "hrt/base/error.h"
#include "tensor/pt_bytes.h"

namespace hrt {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

class Zip : public ScratchFolder {
 protected:
  ZipArchive open(const std::string& bytes) const { return ZipArchive(MappedFile(write("a.zip", bytes))); }
};

TEST_F(Zip, ReadsMembers) {
  const ZipArchive archive = open(zip_bytes({{"x/a", "one"}, {"x/folder/", ""}, {"x/b", "two!"}}));
  ASSERT_EQ(archive.members().size(), 3U);
  EXPECT_EQ(archive.content(*archive.find("x/a")), "one");
  EXPECT_EQ(archive.content(*archive.find("x/b")), "two!");
  EXPECT_EQ(archive.find("x/c"), nullptr);
}

TEST_F(Zip, ReadsACommentAndNothing) {
  std::string bytes = zip_bytes({{"a", "b"}});
  bytes.replace(bytes.size() - 2, 2, u16(5));
  EXPECT_EQ(open(bytes + "PK\x05\x06!").members().size(), 1U);
  EXPECT_TRUE(open(zip_end(0, 0, 0)).members().empty());
}

TEST_F(Zip, SizesMayStandBehindTheData) {
  ZipPart part{"a", "content"};
  part.flags = 0x0808;
  std::string bytes = zip_bytes({part});
  bytes.replace(14, 12, std::string(12, '\0'));  // the header's checksum and sizes
  EXPECT_EQ(open(bytes).members().front().size(), 7U);
}

// A number that is all ones stands in the entry's extra field.
ZipPart wide_part(std::uint64_t size) {
  ZipPart part{"a", "content"};
  part.size = part.stored = 0xFFFFFFFF;
  part.extra = u16(0x4246) + u16(1) + "F" + u16(1) + u16(16) + u64(size) + u64(size);
  return part;
}

// With the zip64 records that torch always writes.
std::string zip64_bytes(const ZipPart& part, std::uint64_t entries, std::uint64_t narrow_begin) {
  const std::string member = zip_header(part) + part.content;
  const std::string directory = zip_entry(part, 0);
  const std::string end64 = "PK\x06\x06" + u64(44) + u16(0) + u16(0) + u32(0) + u32(0) + u64(entries) +
                            u64(entries) + u64(directory.size()) + u64(member.size());
  const std::string locator = "PK\x06\x07" + u32(0) + u64(member.size() + directory.size()) + u32(1);
  return member + directory + end64 + locator + zip_end(1, directory.size(), narrow_begin);
}

TEST_F(Zip, ReadsZip64) {
  const ZipArchive archive = open(zip64_bytes(wide_part(7), 1, 0xFFFFFFFF));
  EXPECT_EQ(archive.content(archive.members().front()), "content");
  const auto refuses = [&](const std::string& bytes, const std::string& message) {
    EXPECT_THAT([&] { open(bytes); }, ThrowsMessage<InputError>(HasSubstr(message)));
  };
  refuses(zip64_bytes(wide_part(7), 1, 3), "two end records disagree");
  refuses(zip64_bytes(wide_part(7), 2, 0xFFFFFFFF), "two end records disagree");
  refuses(zip64_bytes(wide_part(8), 1, 0xFFFFFFFF), "its 8 bytes do not fit");
  refuses(zip64_bytes(wide_part(~std::uint64_t{0}), 1, 0xFFFFFFFF), "do not fit");
}

TEST_F(Zip, ChecksumsAreComparedAtFirstUse) {
  ZipPart damaged{"bad", "content"};
  damaged.crc ^= 1;
  const ZipArchive archive = open(zip_bytes({{"good", "content"}, damaged}));
  EXPECT_EQ(archive.content(*archive.find("good")), "content");
  for (int twice = 0; twice < 2; ++twice) {
    EXPECT_THAT([&] { archive.content(*archive.find("bad")); },
                ThrowsMessage<InputError>(HasSubstr("member bad is damaged: its checksum is wrong")));
  }
}

struct BadZip {
  std::string name;
  std::string bytes;
  std::string message;
};

void PrintTo(const BadZip& zip, std::ostream* out) { *out << zip.name; }

std::string with(ZipPart part, const std::function<void(ZipPart&)>& change) {
  change(part);
  return zip_bytes({part});
}

std::string named(const std::string& name) { return zip_bytes({{name, "content"}}); }

std::string patched(std::size_t from_end, const std::string& patch) {
  std::string bytes = named("a");
  return bytes.replace(bytes.size() - from_end, patch.size(), patch);
}

// Two members of which the second's header is said to begin at `header`.
std::string second_at(std::uint64_t header) {
  const ZipPart part{"a", "content"};
  const ZipPart other{"b", zip_header({"c", "nested"}) + "nested"};
  const std::string members = zip_header(part) + part.content + zip_header(other) + other.content;
  const std::string directory =
      zip_entry(part, 0) + zip_entry(other, zip_header(part).size() + 7) + zip_entry({"c", "nested"}, header);
  return members + directory + zip_end(3, directory.size(), members.size());
}

const ZipPart kPart{"a", "content"};

const std::vector<BadZip>& bad_zips() {
  static const std::vector<BadZip> zips{
      {"Empty", "", "has no end (truncated?)"},
      {"NoEnd", named("a").substr(0, 50), "has no end (truncated?)"},
      {"TextAfterTheEnd", named("a") + "x", "has no end"},
      {"SeveralDisks", patched(18, u16(1)), "several pieces"},
      {"DirectoryElsewhere", patched(6, u32(1)), "not where its end says"},
      {"DirectoryPastTheEnd", patched(6, u32(0xFFFFFFF0)), "not where its end says"},
      {"DirectoryOfAnotherSize", patched(10, u32(1)), "not where its end says"},
      {"TooFewMembers", patched(14, u16(2) + u16(2)), "has 1 members, not 2"},
      {"EntryIsNone", patched(22 + 47, "XX"), "directory is broken at its byte 0"},
      {"Deflated", with(kPart, [](ZipPart& p) { p.method = 8; }), "member a: it is compressed (method 8)"},
      {"Encrypted", with(kPart, [](ZipPart& p) { p.flags = 1; }), "member a: it is encrypted"},
      {"SaysMoreThanIsStored", with(kPart, [](ZipPart& p) { p.size = 8; }), "7 bytes are stored, but 8"},
      {"LargerThanTheArchive", with(kPart, [](ZipPart& p) { p.size = p.stored = 8; }),
       "its 8 bytes do not fit"},
      {"HugeSize", with(kPart, [](ZipPart& p) { p.size = p.stored = 0xFFFFFFFE; }), "do not fit"},
      {"OtherNameInItsHeader", with(kPart, [](ZipPart& p) { p.local_name = "b"; }), "disagrees"},
      {"HeaderInsideAnotherMember", second_at(zip_header(kPart).size() + 7 + zip_header({"b", ""}).size()),
       "member c: it overlaps the one before"},
      {"HeaderOfAnother", second_at(0), "it overlaps the one before"},
      {"HeaderInTheDirectory", second_at(100'000), "member c: it begins after the last member"},
      {"HeaderIsNone", second_at(1), "it overlaps"},
      {"NoName", named(""), "leads out"},
      {"AbsoluteName", named("/etc/passwd"), "member /etc/passwd: the name leads out of the archive"},
      {"NameUpwards", named("x/../../y"), "leads out"},
      {"NameWithBackslash", named("..\\y"), "leads out"},
      {"NameWithZero", named(std::string("a\0b", 3)), "member a\\x00b: the name leads out"},
      {"SameNameTwice", zip_bytes({{"a", "1"}, {"a", "2"}}), "member a is there twice"},
      {"ShortExtra", with(kPart, [](ZipPart& p) { p.extra = u16(1) + u16(9); }), "0 bytes where 9"},
      {"Zip64WithoutItsNumbers",
       with(kPart,
            [](ZipPart& p) {
              p.size = p.stored = 0xFFFFFFFF;
              p.extra = u16(1) + u16(4) + u32(0);
            }),
       "4 bytes where 8"},
  };
  return zips;
}

class BadZips : public Zip, public ::testing::WithParamInterface<BadZip> {};

TEST_P(BadZips, AreRefusedByName) {
  EXPECT_THAT([&] { open(GetParam().bytes); },
              ThrowsMessage<InputError>(
                  AllOf(StartsWith((folder_ / "a.zip").string()), HasSubstr(GetParam().message))));
}

INSTANTIATE_TEST_SUITE_P(Files, BadZips, ::testing::ValuesIn(bad_zips()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace hrt
