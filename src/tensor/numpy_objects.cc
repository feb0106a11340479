#include "numpy_objects.h"

#include <algorithm>
#include <array>

#include "hrt/base/strings.h"
#include "pickle_arguments.h"
#include "torch_objects.h"

namespace hrt::pickle {
namespace {

struct NamedDtype {
  std::string_view name;
  at::ScalarType type;
};

constexpr std::array kDtypes{
    NamedDtype{"f8", at::kDouble}, NamedDtype{"f4", at::kFloat},  NamedDtype{"f2", at::kHalf},
    NamedDtype{"i8", at::kLong},   NamedDtype{"i4", at::kInt},    NamedDtype{"i2", at::kShort},
    NamedDtype{"i1", at::kChar},   NamedDtype{"u8", at::kUInt64}, NamedDtype{"u4", at::kUInt32},
    NamedDtype{"u2", at::kUInt16}, NamedDtype{"u1", at::kByte},   NamedDtype{"b1", at::kBool},
};

// Every character of latin-1 is the byte of that number.
char latin1_byte(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return character[0];
  if (character.size() != 2 || first > 0xC3) throw Malformed("text that is not in latin1");
  return static_cast<char>(first << 6 | (static_cast<unsigned char>(character[1]) & 0x3F));
}

std::string latin1(std::string_view utf8) {
  std::string bytes;
  bytes.reserve(utf8.size());
  while (!utf8.empty()) {
    const std::size_t length = utf8_length(utf8);
    if (length == 0) throw Malformed("text that is not valid UTF-8");
    bytes += latin1_byte(utf8.substr(0, length));
    utf8.remove_prefix(length);
  }
  return bytes;
}

// Fortran order: the first index runs fastest.
std::vector<std::int64_t> strides_of(std::vector<std::int64_t> shape, bool fortran) {
  if (!fortran) return contiguous_strides(shape);
  std::reverse(shape.begin(), shape.end());
  std::vector<std::int64_t> strides = contiguous_strides(shape);
  std::reverse(strides.begin(), strides.end());
  return strides;
}

Tensor array_of(at::ScalarType dtype, std::vector<std::int64_t> shape, bool fortran, const Bytes& bytes) {
  const std::uint64_t size = bytes.content.size();
  const bool negative = std::any_of(shape.begin(), shape.end(), [](std::int64_t n) { return n < 0; });
  if (negative || byte_size(shape, c10::elementSize(dtype)) != size)
    throw Malformed("a numpy array of shape {} does not fit its {} bytes", sizes_text(shape), size);
  const std::vector<std::int64_t> strides = strides_of(shape, fortran);
  check_view(shape, strides, 0, static_cast<std::int64_t>(size / c10::elementSize(dtype)));
  return Tensor{dtype, std::move(shape), strides, 0, nullptr, &bytes};
}

}  // namespace

Value make_dtype(const Items& arguments) {
  const std::string_view name = argument<Text>(arguments, 0, "the name of a numpy dtype").utf8;
  const auto* found =
      std::find_if(kDtypes.begin(), kDtypes.end(), [&](const NamedDtype& d) { return d.name == name; });
  if (found == kDtypes.end()) throw Malformed("numpy's dtype \"{}\" is not read", shown(name));
  return {NumpyDtype{found->type}};
}

Value make_array(const Items& arguments) {
  if (argument<Global>(arguments, 0, "the class of an array").known->name != "numpy.ndarray")
    throw Malformed("an array that is no numpy.ndarray");
  return {Tensor{at::kChar, {0}, {1}}};
}

Value make_scalar(const Items& arguments) {
  const auto& dtype = argument<NumpyDtype>(arguments, 0, "a scalar's dtype");
  return {array_of(dtype.type, {}, false, argument<Bytes>(arguments, 1, "a scalar's content"))};
}

Value encode_text(const Items& arguments) {
  const std::string_view text = argument<Text>(arguments, 0, "the text to encode").utf8;
  const std::string_view encoding = argument<Text>(arguments, 1, "an encoding").utf8;
  if (encoding != "latin1") throw Malformed("encoding \"{}\" is not read", shown(encoding));
  return {Bytes{latin1(text)}};
}

Value make_bytes(const Items& arguments) {
  if (!arguments.empty()) throw Malformed("bytes with arguments");
  return {Bytes{}};
}

// (version, byte order, ...): '|' is for dtypes of one byte, '=' for whatever the machine has.
void build_dtype(const NumpyDtype& dtype, const Value& state) {
  const Items& items = as<Tuple>(state, "a dtype's state").items;
  const std::string_view order = argument<Text>(items, 1, "a dtype's byte order").utf8;
  const bool native = order == "<" || order == "=" || (order == "|" && c10::elementSize(dtype.type) == 1);
  if (!native) throw Malformed("numpy's byte order \"{}\" is not read, only little-endian", shown(order));
}

void build_array(Tensor& array, const Value& state) {
  if (array.member != nullptr || array.bytes != nullptr) throw Malformed("a state for a finished array");
  const Items& items = as<Tuple>(state, "an array's state").items;
  const auto shape = dimensions(argument<Tuple>(items, 1, "an array's shape"), "an array's size");
  const auto dtype = argument<NumpyDtype>(items, 2, "an array's dtype").type;
  const bool fortran = argument<bool>(items, 3, "an array's order");
  array = array_of(dtype, shape, fortran, argument<Bytes>(items, 4, "an array's content"));
}

}  // namespace hrt::pickle
