#pragma once

#include <vector>

#include "document.h"
#include "run_folder.h"

namespace hrt {

// What a run found, by kind of run: a figure as the papers draw it, and tables. They read results.json and
// csv files as docs/formats.md describes them.
std::vector<Block> extract_blocks(RunFolder& run);
std::vector<Block> sweep_blocks(RunFolder& run);
std::vector<Block> select_blocks(RunFolder& run);
std::vector<Block> layers_blocks(RunFolder& run);
std::vector<Block> beliefs_blocks(RunFolder& run);
std::vector<Block> categories_blocks(RunFolder& run);
std::vector<Block> positions_blocks(RunFolder& run);
std::vector<Block> plane_blocks(RunFolder& run);
std::vector<Block> linear_blocks(RunFolder& run);
std::vector<Block> compare_blocks(RunFolder& run);
std::vector<Block> guard_blocks(RunFolder& run);

// One run: title by its kind, what it found, where it comes from.
Section run_section(RunFolder run);

}  // namespace hrt
