#pragma once

namespace hrt {

// The whole program: parses the command line, runs the command, reports errors as one line on stderr, and
// returns the exit code (hrt/base/error.h; 128 + signal when interrupted).
int run_cli(int argc, char** argv);

}  // namespace hrt
