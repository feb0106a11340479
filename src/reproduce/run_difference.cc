#include "hrt/reproduce/run_difference.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include "hrt/base/file.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/run_directory.h"
#include "hrt/tensor/safetensors.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

constexpr double kRowTolerance = 1e-5;
constexpr double kNumberTolerance = 1e-4;  // rates, divergences, logits: what is computed from rows
constexpr double kCloseCall = 5e-3;        // of logits: below it the order of two tokens is rounding

// What no rerun can have the same: times, and where things lie.
const std::set<std::string> kUnlike{"latency", "runs", "run", "path", "file", "provenance", "source"};

// Counts what differs in one file.
class Tally {
 public:
  explicit Tally(FileDifference& difference) : difference_(difference) {}

  void different(const std::string& place) {
    if (difference_.differences++ == 0) difference_.first = place;
    difference_.state = FileDifference::State::kDifferent;
  }
  // `relative`: how far two values lie apart.
  void value(double relative, double tolerance, const std::string& place) {
    difference_.largest = std::max(difference_.largest, relative);
    if (!(relative <= tolerance)) different(place);
  }
  void numbers(double a, double b, const std::string& place) {
    value(a == b ? 0 : std::abs(a - b) / std::max({std::abs(a), std::abs(b), 1.0}), kNumberTolerance, place);
  }
  void close_call() { ++difference_.close_calls; }

 private:
  FileDifference& difference_;
};

void compare_json(const Json& a, const Json& b, const std::string& place, Tally& tally) {
  if (a.is_number() && b.is_number()) return tally.numbers(a.get<double>(), b.get<double>(), place);
  if (a.type() != b.type()) return tally.different(place);
  if (a.is_object()) {
    for (const auto& [key, value] : a.items()) {
      if (kUnlike.contains(key)) continue;
      if (!b.contains(key))
        tally.different(place + "/" + key);
      else
        compare_json(value, b.at(key), place + "/" + key, tally);
    }
  } else if (a.is_array()) {
    if (a.size() != b.size()) return tally.different(place);
    for (std::size_t i = 0; i < a.size(); ++i)
      compare_json(a[i], b[i], fmt::format("{}/{}", place, i), tally);
  } else if (a != b) {
    tally.different(place);
  }
}

void compare_reply(const Json& a, const Json& b, const std::string& place, Tally& tally) {
  if (a.value("tokens", Json()) == b.value("tokens", Json())) return compare_json(a, b, place, tally);
  const Json margin = a.value("first_margin", Json());
  if (margin.is_number() && margin.get<double>() < kCloseCall) return tally.close_call();
  tally.different(place);
}

std::optional<double> as_number(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

void compare_csv_line(const std::string& a, const std::string& b, const std::string& place, Tally& tally) {
  const std::vector<std::string> left = split(a, ',');
  const std::vector<std::string> right = split(b, ',');
  if (left.size() != right.size()) return tally.different(place);
  for (std::size_t i = 0; i < left.size(); ++i) {
    const auto x = as_number(left[i]);
    const auto y = as_number(right[i]);
    if (x && y)
      tally.numbers(*x, *y, place);
    else if (left[i] != right[i])
      tally.different(place);
  }
}

void compare_reply_line(const std::string& a, const std::string& b, const std::string& place, Tally& tally) {
  compare_reply(parse_json(a, place), parse_json(b, place), place, tally);
}

// Prompts are the same, or not.
void compare_plain_line(const std::string&, const std::string&, const std::string& place, Tally& tally) {
  tally.different(place);
}

using CompareLine = void (*)(const std::string& a, const std::string& b, const std::string& place,
                             Tally& tally);

std::vector<std::string> lines_of(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return split(text, '\n');
}

void compare_lines(std::string_view a, std::string_view b, CompareLine compare, Tally& tally) {
  const std::vector<std::string> left = lines_of(a);
  const std::vector<std::string> right = lines_of(b);
  if (left.size() != right.size())
    tally.different(fmt::format("{} lines, now {}", left.size(), right.size()));
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    if (left[i] != right[i]) compare(left[i], right[i], fmt::format("line {}", i + 1), tally);
  }
}

void compare_tensors(const fs::path& a, const fs::path& b, Tally& tally) {
  const SafetensorsFile left(a);
  const SafetensorsFile right(b);
  for (const TensorInfo& info : left.tensors()) {
    const TensorInfo* other = right.find(info.name);
    if (other == nullptr || other->shape != info.shape || other->dtype != info.dtype) {
      tally.different(info.name);
      continue;
    }
    const at::Tensor x = left.tensor(info.name).to(at::kDouble);
    const at::Tensor y = right.tensor(info.name).to(at::kDouble);
    if (x.numel() == 0) continue;
    // By row of the last dimension; rows that are nearly zero are compared as they are.
    const at::Tensor apart = at::linalg_vector_norm(x - y, 2, at::IntArrayRef{-1});
    const at::Tensor norm = at::linalg_vector_norm(x, 2, at::IntArrayRef{-1}).clamp_min(1e-3);
    tally.value((apart / norm).max().item<double>(), kRowTolerance, info.name);
  }
}

void compare_content(const MappedFile& a, const MappedFile& b, Tally& tally) {
  const std::string extension = a.path().extension().string();
  if (extension == ".safetensors") return compare_tensors(a.path(), b.path(), tally);
  if (extension == ".csv") return compare_lines(a.text(), b.text(), compare_csv_line, tally);
  if (extension == ".json")
    return compare_json(parse_json(a.text(), a.path().string()), parse_json(b.text(), b.path().string()), "",
                        tally);
  const bool replies = a.path().filename() == "replies.jsonl";
  compare_lines(a.text(), b.text(), replies ? compare_reply_line : compare_plain_line, tally);
}

FileDifference compare_file(const fs::path& run, const fs::path& other, const fs::path& file) {
  FileDifference difference{.file = file.string()};
  using State = FileDifference::State;
  if (!fs::exists(other / file)) {
    difference.state = State::kMissing;
    return difference;
  }
  const MappedFile left(run / file);
  const MappedFile right(other / file);
  if (left.text() == right.text()) return difference;
  difference.state = State::kWithinTolerance;
  Tally tally(difference);
  compare_content(left, right, tally);
  return difference;
}

// What a run says that it wrote; of runs of earlier versions, which do not, all that is there.
std::vector<std::string> written_names(const fs::path& run) {
  std::vector<std::string> names;
  const Json manifest = read_manifest(run);
  if (manifest.contains("files")) {
    for (const Json& name : manifest.at("files")) {
      if (name.is_string()) names.push_back(name.get<std::string>());
    }
    return names;
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(run)) {
    if (entry.path().filename() != "manifest.json") names.push_back(entry.path().filename().string());
  }
  return names;
}

// Below `top`: what the run in `folder` wrote, and the runs in it. What else lies there is no result.
void add_results(const fs::path& top, const fs::path& folder, std::vector<fs::path>& files) {
  static const std::set<std::string> kResults{".json", ".jsonl", ".csv", ".safetensors"};
  for (const std::string& name : written_names(top / folder)) {
    const fs::path file = folder / name;
    if (fs::exists(top / file / "manifest.json")) {
      add_results(top, file, files);
    } else if (kResults.contains(file.extension().string())) {
      files.push_back(file);
    }
  }
}

void compare_value(const Json& a, const Json& b, const std::string& place, InputDifference::Severity severity,
                   std::vector<InputDifference>& differences) {
  if (a == b) return;
  if (!a.is_object() || !b.is_object()) {
    differences.push_back({severity, fmt::format("{} was {}, now {}", place, to_line(a), to_line(b))});
    return;
  }
  for (const auto& [key, value] : a.items())
    compare_value(value, b.value(key, Json()), place + "/" + key, severity, differences);
}

std::string_view state_name(FileDifference::State state) {
  switch (state) {
    case FileDifference::State::kSameBytes:
      return "same bytes";
    case FileDifference::State::kWithinTolerance:
      return "within tolerance";
    case FileDifference::State::kDifferent:
      return "different";
    default:
      return "missing";
  }
}

}  // namespace

std::string_view severity_name(InputDifference::Severity severity) {
  switch (severity) {
    case InputDifference::Severity::kInput:
      return "input";
    case InputDifference::Severity::kMachine:
      return "machine";
    default:
      return "version";
  }
}

Json FileDifference::to_json() const {
  return {{"file", file},
          {"state", state_name(state)},
          {"largest", largest},
          {"close_calls", close_calls},
          {"differences", differences},
          {"first", first.empty() ? Json() : Json(first)}};
}

std::vector<InputDifference> compare_inputs(const Json& manifest, const Json& other) {
  using Severity = InputDifference::Severity;
  std::vector<InputDifference> differences;
  const auto compare = [&](const char* key, Severity severity) {
    compare_value(manifest.value(key, Json()), other.value(key, Json()), fmt::format("/{}", key), severity,
                  differences);
  };
  compare("identity", Severity::kInput);
  for (const char* key : {"device", "dtype", "threads"}) compare(key, Severity::kMachine);
  compare("versions", Severity::kVersion);
  return differences;
}

std::vector<FileDifference> compare_files(const fs::path& run, const fs::path& other) {
  std::vector<fs::path> files;
  add_results(run, "", files);
  std::ranges::sort(files);
  std::vector<FileDifference> differences;
  for (const fs::path& file : files) differences.push_back(compare_file(run, other, file));
  return differences;
}

}  // namespace hrt
