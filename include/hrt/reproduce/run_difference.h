#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hrt/base/json.h"

namespace hrt {

// How one file of a run compares with the same of another.
struct FileDifference {
  enum class State { kSameBytes, kWithinTolerance, kDifferent, kMissing };

  std::string file;  // from the run's folder
  State state = State::kSameBytes;
  double largest = 0;  // of tensors: difference of a row, relative to its norm; of numbers: relative
  std::int64_t close_calls = 0;  // replies that part where two first tokens were nearly as likely
  std::int64_t differences = 0;  // beyond tolerance: lines, values, tensors
  std::string first = {};        // the first of them, in words

  bool holds() const { return state == State::kSameBytes || state == State::kWithinTolerance; }
  Json to_json() const;
};

// What two runs were made from, by how much it matters.
struct InputDifference {
  enum class Severity {
    kInput,
    kMachine,
    kVersion
  };  // it decides the numbers; their last digits; it should not

  Severity severity;
  std::string text;  // "/prompts/... was ..., now ..."
};
std::string_view severity_name(InputDifference::Severity severity);

std::vector<InputDifference> compare_inputs(const Json& manifest, const Json& other);

// Every result file of `run` (and of the extraction in it) beside the one of `other`: bytes; else tensors to
// 1e-5 of a row's norm, numbers in JSON and csv to 1e-4, all else equal. Prompts must be the same. Replies
// that differ are close calls where the stored `first_margin` is below 5e-3.
std::vector<FileDifference> compare_files(const std::filesystem::path& run,
                                          const std::filesystem::path& other);

}  // namespace hrt
