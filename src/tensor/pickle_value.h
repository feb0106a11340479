#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "zip_archive.h"

// What a pickle holds, as far as hrt reads pickles. Values refer to each other by address and may do so in
// circles, so that one arena owns them all.

namespace hrt::pickle {

struct Value;
using Items = std::vector<Value*>;

struct None {};
struct Ignored {};  // legal, but nothing that hrt has a use for: a device, a huge integer
struct Text {
  std::string_view utf8;  // a view of the pickle; not checked to be valid
};
struct Bytes {
  std::string content;
};
struct Tuple {
  Items items;
};
struct List {
  Items items;
};
struct Dict {
  std::vector<std::pair<Value*, Value*>> items;  // in order, keys as they came
};
struct KnownGlobal;  // see torch_objects.h
struct Global {
  const KnownGlobal* known;
};
struct NumpyDtype {
  at::ScalarType type;
};
// The elements that torch tensors are views of: a member of the archive.
struct Storage {
  const ZipArchive::Member* member;
  at::ScalarType dtype;
};
// Elements laid over a member of the archive (torch) or over bytes in the pickle (numpy); neither where a
// numpy array has no content yet. The view was checked to lie inside.
struct Tensor {
  at::ScalarType dtype;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  // in elements
  std::int64_t offset = 0;            // in elements
  const ZipArchive::Member* member = nullptr;
  const Bytes* bytes = nullptr;
};

struct Value {
  std::variant<None, bool, std::int64_t, double, Text, Bytes, Tuple, List, Dict, Global, NumpyDtype, Storage,
               Tensor, Ignored>
      content;
};

struct Pickle {
  std::deque<Value> values;  // owns all; addresses stay
  const Value* root = nullptr;
};

}  // namespace hrt::pickle
