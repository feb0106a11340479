#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "pickle_value.h"

namespace hrt::pickle {

// Runs the pickle `member` of a torch archive, whose top folder is `folder`: the opcodes that protocol 2 to 4
// write for containers, numbers, texts and the objects of torch_objects.h. Values, nesting and memo are
// bounded by what the pickle's own bytes can pay for. Throws InputError naming file, byte and what it would
// have called.
Pickle read_pickle(const ZipArchive& archive, const ZipArchive::Member& member, const std::string& folder);

}  // namespace hrt::pickle
