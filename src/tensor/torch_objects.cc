#include "torch_objects.h"

#include <algorithm>
#include <array>
#include <optional>

#include "numpy_objects.h"
#include "pickle_arguments.h"

namespace hrt::pickle {
namespace {

// (storage, offset, shape, strides, requires_grad, hooks[, dtype][, metadata])
Value tensor_over(const Items& arguments, at::ScalarType dtype, std::size_t metadata) {
  const auto& storage = argument<Storage>(arguments, 0, "a tensor's storage");
  const auto offset = argument<std::int64_t>(arguments, 1, "a tensor's offset");
  const auto shape = dimensions(argument<Tuple>(arguments, 2, "a tensor's shape"), "a tensor's size");
  const auto strides = dimensions(argument<Tuple>(arguments, 3, "a tensor's strides"), "a tensor's stride");
  if (arguments.size() > metadata &&
      !argument<Dict>(arguments, metadata, "a tensor's metadata").items.empty())
    throw Malformed("a tensor with metadata (conjugated or negated) is not read");
  const std::uint64_t elements = storage.member->size() / c10::elementSize(dtype);
  check_view(shape, strides, offset, static_cast<std::int64_t>(elements));
  return {Tensor{dtype, shape, strides, offset, storage.member}};
}

Value rebuild_tensor(const Items& arguments) {
  return tensor_over(arguments, argument<Storage>(arguments, 0, "a tensor's storage").dtype, 6);
}

// For dtypes that have no storage class of their own.
Value rebuild_tensor_of_dtype(const Items& arguments) {
  const at::ScalarType dtype = argument<Global>(arguments, 6, "a tensor's dtype").known->dtype;
  if (dtype == at::ScalarType::Undefined) throw Malformed("a tensor's dtype is none");
  return tensor_over(arguments, dtype, 7);
}

Value rebuild_parameter(const Items& arguments) {
  return {argument<Tensor>(arguments, 0, "a parameter's data")};
}

Value make_dict(const Items& arguments) {
  if (!arguments.empty()) throw Malformed("an OrderedDict with arguments");
  return {Dict{}};
}

Value ignore(const Items&) { return {Ignored{}}; }

constexpr std::array kGlobals{
    KnownGlobal{"torch._utils._rebuild_tensor_v2", rebuild_tensor},
    KnownGlobal{"torch._utils._rebuild_tensor_v3", rebuild_tensor_of_dtype},
    KnownGlobal{"torch._utils._rebuild_parameter", rebuild_parameter},
    KnownGlobal{"torch._utils._rebuild_parameter_with_state", rebuild_parameter},
    KnownGlobal{"torch.Size", ignore},
    KnownGlobal{"torch.device", ignore},
    KnownGlobal{"collections.OrderedDict", make_dict},
    KnownGlobal{"_codecs.encode", encode_text},
    KnownGlobal{"__builtin__.bytes", make_bytes},
    KnownGlobal{"numpy.core.multiarray._reconstruct", make_array},
    KnownGlobal{"numpy._core.multiarray._reconstruct", make_array},
    KnownGlobal{"numpy.core.multiarray.scalar", make_scalar},
    KnownGlobal{"numpy._core.multiarray.scalar", make_scalar},
    KnownGlobal{"numpy.dtype", make_dtype},
    KnownGlobal{"numpy.ndarray"},
    KnownGlobal{"torch.DoubleStorage", nullptr, at::kDouble},
    KnownGlobal{"torch.FloatStorage", nullptr, at::kFloat},
    KnownGlobal{"torch.HalfStorage", nullptr, at::kHalf},
    KnownGlobal{"torch.BFloat16Storage", nullptr, at::kBFloat16},
    KnownGlobal{"torch.LongStorage", nullptr, at::kLong},
    KnownGlobal{"torch.IntStorage", nullptr, at::kInt},
    KnownGlobal{"torch.ShortStorage", nullptr, at::kShort},
    KnownGlobal{"torch.CharStorage", nullptr, at::kChar},
    KnownGlobal{"torch.ByteStorage", nullptr, at::kByte},
    KnownGlobal{"torch.BoolStorage", nullptr, at::kBool},
    KnownGlobal{"torch.storage.UntypedStorage", nullptr, at::kByte},
    KnownGlobal{"torch.float64", nullptr, at::kDouble},
    KnownGlobal{"torch.float32", nullptr, at::kFloat},
    KnownGlobal{"torch.float16", nullptr, at::kHalf},
    KnownGlobal{"torch.bfloat16", nullptr, at::kBFloat16},
    KnownGlobal{"torch.float8_e4m3fn", nullptr, at::kFloat8_e4m3fn},
    KnownGlobal{"torch.float8_e5m2", nullptr, at::kFloat8_e5m2},
    KnownGlobal{"torch.int64", nullptr, at::kLong},
    KnownGlobal{"torch.int32", nullptr, at::kInt},
    KnownGlobal{"torch.int16", nullptr, at::kShort},
    KnownGlobal{"torch.int8", nullptr, at::kChar},
    KnownGlobal{"torch.uint64", nullptr, at::kUInt64},
    KnownGlobal{"torch.uint32", nullptr, at::kUInt32},
    KnownGlobal{"torch.uint16", nullptr, at::kUInt16},
    KnownGlobal{"torch.uint8", nullptr, at::kByte},
    KnownGlobal{"torch.bool", nullptr, at::kBool},
};

// Where the elements of a storage are. Each storage is a member of its own.
const ZipArchive::Member& storage_member(const std::string& name, std::uint64_t bytes,
                                         const ZipArchive& archive) {
  const ZipArchive::Member* member = archive.find(name);
  if (member == nullptr) throw Malformed("storage {} is not in the archive", shown(name));
  if (member->size() != bytes) {
    throw Malformed("storage {} has {} bytes, but its elements need {}", shown(name), member->size(), bytes);
  }
  return *member;
}

}  // namespace

const KnownGlobal& find_global(std::string_view module, std::string_view name) {
  const std::string full = fmt::format("{}.{}", module, name);
  const auto* found =
      std::find_if(kGlobals.begin(), kGlobals.end(), [&](const KnownGlobal& g) { return g.name == full; });
  if (found == kGlobals.end()) {
    throw Malformed(
        "the pickle would call {}; hrt reads tensors, arrays and containers of them, and runs nothing",
        shown(full));
  }
  return *found;
}

Value call(const Value& callable, const Value& arguments) {
  const KnownGlobal& known = *as<Global>(callable, "what is called").known;
  if (known.call == nullptr) throw Malformed("the pickle would call {}, which is not a function", known.name);
  return known.call(as<Tuple>(arguments, "the arguments of a call").items);
}

void build(Value& object, const Value& state) {
  if (auto* array = std::get_if<Tensor>(&object.content)) {
    build_array(*array, state);
  } else if (const auto* dtype = std::get_if<NumpyDtype>(&object.content)) {
    build_dtype(*dtype, state);
  } else if (!std::holds_alternative<Dict>(object.content)) {
    throw Malformed("a state for something that takes none");
  }
}

Storage find_storage(const Value& id, const ZipArchive& archive, const std::string& folder) {
  const Items& items = as<Tuple>(id, "a storage's id").items;
  if (argument<Text>(items, 0, "a storage's id").utf8 != "storage") throw Malformed("an id of no storage");
  const at::ScalarType dtype = argument<Global>(items, 1, "a storage's class").known->dtype;
  if (dtype == at::ScalarType::Undefined) throw Malformed("a storage's class is none");
  const std::string name =
      fmt::format("{}/data/{}", folder, argument<Text>(items, 2, "a storage's key").utf8);
  const auto elements = argument<std::int64_t>(items, 4, "a storage's size");
  const auto bytes = elements < 0 ? std::nullopt : byte_size({elements}, c10::elementSize(dtype));
  if (!bytes) throw Malformed("a storage of {} elements", elements);
  return {&storage_member(name, *bytes, archive), dtype};
}

}  // namespace hrt::pickle
