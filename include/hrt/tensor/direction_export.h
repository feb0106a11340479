#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace hrt {

// A direction on its way to other tools.
struct DirectionRows {
  at::Tensor values;                  // [rows, hidden], of any floating dtype; exported as float32
  std::vector<std::int64_t> numbers;  // which rows of the residual stream they are, ascending
};

// Each of these writes atomically, then reads the file back and compares. Throws InputError when the rows are
// not finite (in float32) or do not fit their numbers, RunError when the file cannot be written or reads
// differently.

// llama.cpp's control vector (gguf). Its `direction.N` is added to the output of block N, which is the input
// of block N + 1: row l becomes direction.(l-1). llama.cpp takes N from 1, so that rows 0 and 1 have no place
// there: their numbers are returned. `model_hint` is the model's architecture in gguf's words, such as
// "llama". Throws InputError when no row has a place.
std::vector<std::int64_t> write_control_vector(const std::filesystem::path& path,
                                               const DirectionRows& direction, const std::string& model_hint);

// numpy's array format, [rows, hidden] float32 in C order. The rows' numbers have no place in it.
void write_direction_npy(const std::filesystem::path& path, const DirectionRows& direction);

// A safetensors file with one tensor, `name`, [rows, hidden] float32; the metadata list the `rows`.
void write_direction_safetensors(const std::filesystem::path& path, const DirectionRows& direction,
                                 const std::string& name);

}  // namespace hrt
