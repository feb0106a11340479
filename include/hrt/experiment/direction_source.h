#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/tensor/direction_export.h"

namespace hrt {

// Directions by name, for every layer of one model. A name is `NAME` (of the default place) or `PATH:NAME`; a
// place is a run directory, or a tensor file. A tensor is [rows, hidden], row l for layer l, or [hidden], the
// same for all layers. A run's metadata says which rows it holds; elsewhere there must be one of the
// embedding and one of each layer.
class DirectionSource {
 public:
  // `place`: where names without a path are looked up.
  DirectionSource(std::filesystem::path place, std::int64_t layers, std::int64_t hidden)
      : place_(std::move(place)), layers_(layers), hidden_(hidden) {}

  // [hidden] float32. Throws InputError: no such file or tensor (names are listed), another width or
  // number of rows, a row that the tensor does not have, NaN or infinity.
  at::Tensor vector(const std::string& name, std::int64_t row) const;
  // A centroid of the default place, which must be a run directory: [hidden] float32.
  at::Tensor centroid(const std::string& name, std::int64_t row) const;
  // The names in the default place.
  std::vector<std::string> names() const;

  const std::filesystem::path& place() const { return place_; }
  // The run directories that directions were taken from so far.
  std::set<std::filesystem::path> runs() const;

 private:
  struct Table {
    std::filesystem::path file;
    std::string origin;              // file and tensor, for messages
    at::Tensor values;               // [rows, hidden] float32, or [hidden]
    std::vector<std::int64_t> rows;  // numbers of the rows
  };

  at::Tensor row_of(const Table& table, std::int64_t row) const;
  const Table& table(const std::filesystem::path& file, const std::string& tensor) const;
  void check_rows(const Table& table, bool numbered) const;

  std::filesystem::path place_;
  std::int64_t layers_;
  std::int64_t hidden_;
  mutable std::map<std::string, Table> tables_;
};

// "PATH:NAME" or "NAME", as a path (empty: none) and a name. What exists as a whole is a path without a name.
struct DirectionName {
  std::filesystem::path path;
  std::string name;
};
DirectionName split_direction(const std::string& text);

// All rows of a direction, with their numbers; of a [hidden] tensor one row, 0. Throws InputError.
DirectionRows read_direction(const DirectionName& name);

// A random direction: normal components, seeded by `seed` and `row`, of norm 1. [hidden] float32.
at::Tensor random_direction(std::uint64_t seed, std::int64_t row, std::int64_t hidden);

}  // namespace hrt
