#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>

#include "data/scratch_folder.h"
#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "hrt/tensor/pt_file.h"
#include "tensor/pt_bytes.h"

namespace hrt {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

std::string repeated(const std::string& text, std::size_t count) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

// A file whose pickle is this, between protocol and end, with a storage of 8 bytes.
std::string pickled(const std::string& body) {
  return pt_bytes(ops::kStart + body + ops::kStop, {std::string(8, '\0')});
}

std::string call(const std::string& module, const std::string& name, const std::string& arguments) {
  return ops::global(module, name) + ops::tuple(arguments) + ops::kReduce;
}

std::string bytes(const std::string& latin1_as_utf8) {
  return call("_codecs", "encode", ops::text(latin1_as_utf8) + ops::text("latin1"));
}

std::string dtype(const std::string& name, const std::string& order = "<") {
  return call("numpy", "dtype", ops::text(name) + ops::kFalse + ops::kTrue) +
         ops::tuple(ops::integer(3) + ops::text(order) + "NNN" + ops::integers({-1, -1, 0})) + ops::kBuild;
}

std::string array(const std::string& state, const std::string& module = "numpy._core.multiarray") {
  return call(module, "_reconstruct", ops::global("numpy", "ndarray") + ops::integers({0}) + bytes("b")) +
         ops::tuple(ops::integer(1) + state) + ops::kBuild;
}

std::string storage_id(const std::string& items) { return ops::tuple(items) + "Q"; }

std::string tensor(const std::string& storage) { return ops::tensor(storage, 0, {2}, {1}); }

const std::string kStorage = ops::storage("FloatStorage", "0", 2);

// Each list holds the one before ten times: a short pickle for 10^12 values.
std::string bomb() {
  std::string body = "](" + repeated(tensor(kStorage), 1) + "eq" + std::string(1, '\0');
  for (char i = 0; i < 12; ++i)
    body += "](" + repeated(std::string("h") + i, 10) + "eq" + std::string(1, static_cast<char>(i + 1));
  return body;
}

struct Hostile {
  std::string name;
  std::string bytes;
  std::string message;
};

void PrintTo(const Hostile& file, std::ostream* out) { *out << file.name; }

const std::vector<Hostile>& hostile_files() {
  using namespace ops;
  static const std::vector<Hostile> files{
      // What would run something.
      {"Global", pickled(global("posix", "system") + tuple(text("ls")) + kReduce),
       "x/data.pkl, byte 2: the pickle would call posix.system"},
      {"StackGlobal",
       pt_bytes("\x80\x04\x95" + u64(9) + "\x8c\x05posix\x94\x8c\x06system\x94\x93\x8c\x02ls\x85R."),
       "would call posix.system"},
      {"Eval", pickled(call("builtins", "eval", text("1"))), "would call builtins.eval"},
      {"OldEval", pickled(call("__builtin__", "eval", text("1"))), "would call __builtin__.eval"},
      {"GlobalNeverCalled", pickled("(" + global("os", "system") + "t"), "would call os.system"},
      {"HiddenInMemo", pickled(global("os", "system") + "q" + std::string(1, '\0') + "0N"),
       "would call os.system"},
      {"Instance", pickled("(" + text("ls") + "ios\nsystem\n"), "would call os.system"},
      {"Object", pickled("(" + global("collections", "OrderedDict") + "o"),
       "would make an object of collections.OrderedDict"},
      {"ObjectOfNothing", pickled("(o"), "would make an object of no class"},
      {"NewObject", pickled(global("numpy", "ndarray") + kEmptyTuple + "\x81"),
       "would make an object of numpy.ndarray"},
      {"NewObjectWithKeywords", pickled(global("numpy", "ndarray") + kEmptyTuple + "}\x92"),
       "would make an object of numpy.ndarray"},
      {"TorchFunction", pickled(call("torch", "load", text("x"))), "would call torch.load"},
      {"TorchInternals", pickled(global("torch._utils", "_rebuild_sparse_tensor")),
       "would call torch._utils._rebuild_sparse_tensor"},
      {"Subclass", pickled(global("torch._tensor", "_rebuild_from_type_v2")),
       "would call torch._tensor._rebuild_from_type_v2"},
      {"NameWithEscapes", pickled(global("os\x1b[2J", "system")), "would call os\\x1b[2J.system"},
      {"EndlessName", pickled(global(std::string(100'000, 'a'), "b")), "would call aaa"},
      {"ComplexTensor", pickled(storage("ComplexFloatStorage", "0", 1)),
       "would call torch.ComplexFloatStorage"},
      {"CallsAClass", pickled(call("torch", "FloatStorage", "")),
       "torch.FloatStorage, which is not a function"},
      {"CallsAText", pickled(text("f") + kEmptyTuple + kReduce), "what is called is not what it should be"},
      {"ArgumentsAreNoTuple", pickled(global("collections", "OrderedDict") + "]R"),
       "the arguments of a call"},
      {"BuildsAList", pickled("]}b"), "a state for something that takes none"},
      {"BuildsATensor", pickled(tensor(kStorage) + "}b"), "a state for a finished array"},
      {"Extension", pickled("\x82\x01"), "opcode 0x82 is not read"},
      {"PersistentIdAsText", pickled("P0\n"), "opcode 0x50 is not read"},
      {"Protocol9", pt_bytes("\x80\x09N."), "protocol 9 is not known"},
      {"Buffers", pickled("\x97"), "opcode 0x97 is not read"},
      // The stack machine.
      {"Nothing", pt_bytes(""), "0 bytes where 1 are expected (truncated?)"},
      {"NoEnd", pt_bytes("\x80\x02N"), "truncated?"},
      {"EndOfNothing", pickled(""), "a value is missing"},
      {"PopsNothing", pickled("0"), "a value is missing"},
      {"PopsAMark", pickled("N(0"), "a value is missing"},
      {"TupleWithoutMark", pickled("t"), "a container ends that was not begun"},
      {"AppendsToNothing", pickled("Na"), "a value is missing"},
      {"AppendsToADictionary", pickled("}Na"), "items for something that is no list"},
      {"SetsItemsOfAList", pickled("]NNs"), "items for something that is no dictionary"},
      {"KeyWithoutValue", pickled("}(Nu"), "a key without a value"},
      {"MemoOfNothing", pickled("h\x05"), "memo entry 5 of 0"},
      {"HugeMemo", pickled("Nr" + u32(0xFFFFFFFF)), "memo entry 4294967295 comes after 0"},
      {"MemoOfAnEmptyStack", pickled("q" + std::string(1, '\0')), "a value is missing"},
      {"TextBeyondTheEnd", pickled("X" + u32(0xFFFFFFFF)), "1 bytes where 4294967295 are expected"},
      {"TextOf64Bits", pickled("\x8d" + u64(~std::uint64_t{0})), "where 18446744073709551615 are expected"},
      {"BytesOf64Bits", pickled("\x8e" + u64(std::uint64_t{1} << 63)), "are expected"},
      {"NegativeLength", pickled("\x8b" + u32(0xFFFFFFFF)), "a length of -1"},
      {"NameWithoutEnd", pickled("cos"), "a line without an end"},
      {"NameIsNoText", pickled("NN\x93"), "a name to import that is no text"},
      {"ManyMarks", pickled(std::string(2000, '(')), "nested more than 1000 deep"},
      {"ManyValues", pickled(std::string(5'000'001, 'N')), "more than 5000000 values"},
      {"ManyReferences", pickled("Nq" + std::string(1, '\0') + repeated(std::string("h\0", 2), 5'000'001)),
       "more than 5000000 values"},
      // What the values make together.
      {"DeepNesting", pickled(std::string(900, '(') + tensor(kStorage) + std::string(900, 't')),
       "nested more than 100 deep, or in a circle"},
      {"DeepLists", pickled(repeated("]", 200'000) + tensor(kStorage) + repeated("a", 200'000)), "100 deep"},
      {"Circle", pickled("]q" + std::string(1, '\0') + "h" + std::string(1, '\0') + "a"), "or in a circle"},
      {"ListsOfLists", pickled(bomb()), "too many values and names"},
      {"LongNamesManyTimes",
       pickled(text(std::string(100'000, 'k')) + "q" + std::string(1, '\0') + "0](" +
               repeated("}h" + std::string(1, '\0') + "]s", 2000) + "e"),
       "too many values and names"},
      {"SameNameTwice", pickled("}(" + text("a") + tensor(kStorage) + text("a") + tensor(kStorage) + "u"),
       "two tensors are called a"},
      {"NumberAndTextOfOneName",
       pickled("}(" + text("1") + tensor(kStorage) + integer(1) + tensor(kStorage) + "u"),
       "two tensors are called 1"},
      {"KeyIsATensor", pickled("}" + tensor(kStorage) + "Ns"),
       "a dictionary's key is no text, number or tuple"},
      {"KeyOfATensor", pickled("}" + tensor(kStorage) + "\x85Ns"), "a dictionary's key is no text"},
      {"KeyOfBrokenUtf8", pickled("}" + text("\xff") + "Ns"), "a name that is not valid UTF-8"},
      {"DictOfArguments", pickled(call("collections", "OrderedDict", "]")), "an OrderedDict with arguments"},
      // Storages and tensors.
      {"StorageThatIsAbsent", pickled(storage("FloatStorage", "1", 2)),
       "storage x/data/1 is not in the archive"},
      {"StorageUpwards", pickled(storage("FloatStorage", "../data.pkl", 2)), "is not in the archive"},
      {"StorageTooSmall", pickled(storage("FloatStorage", "0", 3)), "has 8 bytes, but its elements need 12"},
      {"StorageTooLarge", pickled(storage("FloatStorage", "0", 1)), "has 8 bytes, but its elements need 4"},
      {"NegativeStorage", pickled(storage("FloatStorage", "0", -1)), "a storage of -1 elements"},
      {"StorageOverflows", pickled(storage("DoubleStorage", "0", (std::int64_t{1} << 61) + 1)),
       "a storage of 2305843009213693953 elements"},
      {"StorageIsAFunction", pickled(storage_id(text("storage") + global("torch", "device"))),
       "a storage's class is none"},
      {"StorageClassIsText", pickled(storage_id(text("storage") + text("FloatStorage"))),
       "a storage's class"},
      {"IdOfNoStorage", pickled(storage_id(text("module"))), "an id of no storage"},
      {"IdIsEmpty", pickled(storage_id("")), "a storage's id is missing"},
      {"IdIsANumber", pickled("NQ"), "a storage's id is not what it should be"},
      {"TensorOfNothing", pickled(call("torch._utils", "_rebuild_tensor_v2", "")),
       "a tensor's storage is missing"},
      {"TensorOfText", pickled(ops::tensor(text("x"), 0, {2}, {1})),
       "a tensor's storage is not what it should be"},
      {"ConjugatedTensor", pickled(ops::tensor(kStorage, 0, {2}, {1}, "}" + text("neg") + kTrue + "s")),
       "conjugated or negated"},
      {"ShapeOfTexts",
       pickled(call("torch._utils", "_rebuild_tensor_v2",
                    kStorage + integer(0) + tuple(text("2")) + integers({1}))),
       "a tensor's size is not what it should be"},
      {"ShapeIsAList", pickled(call("torch._utils", "_rebuild_tensor_v2", kStorage + integer(0) + "]")),
       "a tensor's shape is not what it should be"},
      {"ManyDimensions", pickled(ops::tensor(kStorage, 0, std::vector<std::int64_t>(1000, 1), {1})),
       "1000 dimensions"},
      {"DtypeIsNone",
       pickled(call("torch._utils", "_rebuild_tensor_v3",
                    kStorage + integer(0) + integers({2}) + integers({1}) + "N}" + global("torch", "Size"))),
       "a tensor's dtype is none"},
      {"ParameterOfNothing", pickled(call("torch._utils", "_rebuild_parameter", "N")), "a parameter's data"},
      // numpy.
      {"ObjectArray", pickled(dtype("O8")), "numpy's dtype \"O8\" is not read"},
      {"BigEndianArray", pickled(dtype("f4", ">")), "only little-endian"},
      {"OrderOfBytesIsNone", pickled(dtype("f4", "|")), "only little-endian"},
      {"ArrayTooShort", pickled(array(integers({2}) + dtype("f4") + kFalse + bytes("1234567"))),
       "a numpy array of shape [2] does not fit its 7 bytes"},
      {"NegativeArray", pickled(array(integers({-1, -8}) + dtype("u1", "|") + kFalse + bytes("12345678"))),
       "does not fit its 8 bytes"},
      {"ArrayOverflows",
       pickled(array(integers({std::int64_t{1} << 62, 4}) + dtype("u1") + kFalse + bytes(""))),
       "does not fit its 0 bytes"},
      {"ArrayBuiltTwice",
       pickled(array(integers({1}) + dtype("u1") + kFalse + bytes("1")) + tuple("") + kBuild),
       "a state for a finished array"},
      {"ArrayWithoutContent", pickled(array(integers({1}) + dtype("u1") + kFalse)),
       "an array's content is missing"},
      {"ArrayOfObjects", pickled(array(integers({1}) + dtype("u1") + kFalse + "]")),
       "an array's content is not"},
      {"ArrayOfAnotherClass",
       pickled(call("numpy.core.multiarray", "_reconstruct", global("torch", "Size") + integers({0}))),
       "an array that is no numpy.ndarray"},
      {"BytesBeyondLatin1", pickled(bytes("\u0100")), "not in latin1"},
      {"BytesOfBrokenUtf8", pickled(bytes("a\xff")), "not valid UTF-8"},
      {"BytesOfAnotherEncoding", pickled(call("_codecs", "encode", text("a") + text("rot13"))),
       "encoding \"rot13\" is not read"},
      {"BytesAgainAndAgain",
       pickled(text(std::string(10'000, 'a')) + "q" + std::string(1, '\0') + "0" +
               repeated(global("_codecs", "encode") + "h" + std::string(1, '\0') + text("latin1") + "\x86R0",
                        100)),
       "more bytes come out of the pickle than are in it"},
      {"BytesWithArguments", pickled(call("__builtin__", "bytes", integer(1))), "bytes with arguments"},
  };
  return files;
}

class HostilePickles : public ScratchFolder, public ::testing::WithParamInterface<Hostile> {};

TEST_P(HostilePickles, AreRefusedByName) {
  const std::filesystem::path file = write("x.pt", GetParam().bytes);
  try {
    PtFile{file};
    FAIL() << "was read";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), AllOf(StartsWith(file.string() + ": "), HasSubstr(GetParam().message)));
    EXPECT_LT(std::string(error.what()).size(), 400U);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(Files, HostilePickles, ::testing::ValuesIn(hostile_files()),
                         [](const auto& test) { return test.param.name; });

class Pickle : public ScratchFolder {
 protected:
  PtFile open(const std::string& file) const { return PtFile(write("x.pt", file)); }
};

TEST_F(Pickle, ArraysOfOlderNumpy) {
  const std::string state = ops::integers({2}) + dtype("f4", "=") + ops::kFalse + bytes(std::string(8, '\0'));
  EXPECT_EQ(open(pickled(array(state, "numpy.core.multiarray"))).find("tensor")->shape,
            (std::vector<std::int64_t>{2}));
  const std::string scalar = call("numpy.core.multiarray", "scalar", dtype("i1", "|") + bytes("\u00ff"));
  EXPECT_EQ(open(pickled(scalar)).tensor("tensor").item<std::int64_t>(), -1);
}

TEST_F(Pickle, WhatHoldsNoTensorIsEmpty) {
  for (const std::string body : {"N", "]", "}", ")", "K\x07", "\x88"})
    EXPECT_TRUE(open(pickled(body)).tensors().empty()) << body;
}

TEST_F(Pickle, IntegersOfAnyLength) {
  const auto read = [&](const std::string& number) {
    return open(pickled("}" + ops::text("n") + number + "s")).metadata().at("n");
  };
  EXPECT_EQ(read("\x8a" + std::string(1, '\0')), "0");
  EXPECT_EQ(read("\x8a\x01\xff"), "-1");
  EXPECT_EQ(read("\x8a\x03" + std::string("\xff\xff\0", 3)), "65535");
  EXPECT_EQ(read("\x8b" + u32(2) + std::string("\0\x80", 2)), "-32768");
  EXPECT_EQ(read("J\xfe\xff\xff\xff"), "-2");
}

}  // namespace
}  // namespace hrt
