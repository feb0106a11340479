#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace hrt {

// What a process ends with; scripts rely on these numbers.
enum class ExitCode {
  kDone = 0,
  kFailure = 1,      // something failed while running: disk, memory, device, non-finite numbers
  kBadInput = 2,     // usage, config or input is wrong; the message names file, place and what was expected
  kCheckFailed = 3,  // the run worked, but a check that it was asked to make does not hold
};

// Every error that hrt reports itself. The message is one line, complete without context.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

class InputError : public Error {
 public:
  template <typename... Args>
  explicit InputError(fmt::format_string<Args...> format, Args&&... args)
      : Error(ExitCode::kBadInput, fmt::format(format, std::forward<Args>(args)...)) {}
};

class RunError : public Error {
 public:
  template <typename... Args>
  explicit RunError(fmt::format_string<Args...> format, Args&&... args)
      : Error(ExitCode::kFailure, fmt::format(format, std::forward<Args>(args)...)) {}
};

class CheckError : public Error {
 public:
  template <typename... Args>
  explicit CheckError(fmt::format_string<Args...> format, Args&&... args)
      : Error(ExitCode::kCheckFailed, fmt::format(format, std::forward<Args>(args)...)) {}
};

// A signal asked the run to stop; what was computed is on disk and the run can be resumed.
class Interrupted : public std::runtime_error {
 public:
  explicit Interrupted(int signal) : std::runtime_error("interrupted"), signal_(signal) {}
  int signal() const { return signal_; }

 private:
  int signal_;
};

}  // namespace hrt
