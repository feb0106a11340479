#include "hrt/base/output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "hrt/base/error.h"

namespace hrt {
namespace {

int failed = 0;  // errno of the first write that failed: behind it nothing is written, there is no gap

void note(bool written) {
  if (!written && failed == 0) failed = errno;
}

}  // namespace

void put_out(std::string_view text) {
  if (failed == 0) note(std::fwrite(text.data(), 1, text.size(), stdout) == text.size());
}

bool flush_out() {
  if (failed == 0) note(std::fflush(stdout) == 0);
  if (failed == EPIPE) return false;
  if (failed != 0) throw RunError("stdout: cannot be written: {}", std::strerror(failed));
  return true;
}

}  // namespace hrt
