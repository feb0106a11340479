#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "hrt/base/json.h"

namespace hrt {

// One record of a data file as a JSON object: values of a .csv are texts (an empty cell is null), a line of a
// .txt is {"instruction": LINE}.
struct RawRecord {
  Json value;
  std::int64_t line = 0;  // 1-based, where it begins; in a .json array the number of the item
};

// ".jsonl" and so on, in lower case: what kind of data file it is.
std::string kind_of(const std::filesystem::path& file);

// Calls `take` for each record in turn until it returns false. Throws InputError "FILE:LINE: ...".
void for_each_record(const std::filesystem::path& file, const std::function<bool(RawRecord)>& take);

}  // namespace hrt
