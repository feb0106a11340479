#pragma once

#include <string>
#include <string_view>

#include "pickle_value.h"

// The only objects that hrt makes out of a pickle. Nothing in a pickle is ever executed: a name that a pickle
// would call is looked up in a table, and what is not in it is refused by that name. All functions throw
// Malformed.

namespace hrt::pickle {

struct KnownGlobal {
  std::string_view name;                             // "MODULE.NAME"
  Value (*call)(const Items& arguments) = nullptr;   // null: a name that is an argument of others
  at::ScalarType dtype = at::ScalarType::Undefined;  // of storage classes and torch's dtypes
};

const KnownGlobal& find_global(std::string_view module, std::string_view name);

// `callable(*arguments)`, as REDUCE does it.
Value call(const Value& callable, const Value& arguments);

// Gives an object its state: numpy's dtypes and arrays; attributes of dictionaries are dropped.
void build(Value& object, const Value& state);

// The storage that a persistent id names: ("storage", class, key, location, elements). The location, such as
// "cuda:0", does not matter. `folder` is the archive's top folder.
Storage find_storage(const Value& id, const ZipArchive& archive, const std::string& folder);

}  // namespace hrt::pickle
