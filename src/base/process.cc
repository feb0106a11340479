#include "hrt/base/process.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

#include "hrt/base/file.h"
#include "hrt/base/interrupt.h"

namespace hrt {
namespace {

// In ascending order: open() gives the lowest number that is free.
void open_closed_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) < 0) open("/dev/null", O_RDWR);
  }
}

}  // namespace

void set_up_process() {
  open_closed_descriptors();
  for (const int write_error : {SIGPIPE, SIGXFSZ}) std::signal(write_error, SIG_IGN);
  install_signal_handlers();
  install_mapping_fault_handler();
}

}  // namespace hrt
