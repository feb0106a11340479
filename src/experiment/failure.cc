#include "hrt/experiment/failure.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <new>

#include "hrt/base/json.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

// What a device answers, however well it was asked.
constexpr std::array kDeviceErrors{ENOSPC, EDQUOT, EFBIG, EIO, ESTALE};

std::string first_line(const char* text) { return split(text, '\n').front(); }

Failure file_failure(const std::filesystem::filesystem_error& error) {
  const bool of_device = std::ranges::find(kDeviceErrors, error.code().value()) != kDeviceErrors.end();
  const std::string place = error.path1().empty() ? "" : error.path1().string() + ": ";
  return {of_device ? ExitCode::kFailure : ExitCode::kBadInput, place + error.code().message()};
}

}  // namespace

Failure failure_of(const std::exception& error) {
  if (const auto* own = dynamic_cast<const Error*>(&error)) return {own->code(), own->what()};
  if (const auto* file = dynamic_cast<const std::filesystem::filesystem_error*>(&error))
    return file_failure(*file);
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr)
    return {ExitCode::kFailure, "out of device memory: " + first_line(error.what())};
  if (const auto* json = dynamic_cast<const Json::exception*>(&error))
    return {ExitCode::kFailure, "a JSON value is not as expected: " + reason_of(*json)};
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return {ExitCode::kFailure, "out of memory"};
  return {ExitCode::kFailure, first_line(error.what())};
}

}  // namespace hrt
