#pragma once

#include <exception>
#include <string>

#include "hrt/base/error.h"

namespace hrt {

// What an exception means to the user.
struct Failure {
  ExitCode code = ExitCode::kFailure;
  std::string line;  // without "error: "
};

// hrt's own errors speak for themselves. A file that cannot be looked at is bad input, unless its disk is
// full or fails. What the JSON library throws has slipped through a check. Of all others the first line
// counts: torch appends a stack. Interrupted is no failure.
Failure failure_of(const std::exception& error);

}  // namespace hrt
