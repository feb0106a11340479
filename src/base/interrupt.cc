#include "hrt/base/interrupt.h"

#include <unistd.h>

#include <csignal>

#include "hrt/base/error.h"

namespace hrt {
namespace {

volatile std::sig_atomic_t pending = 0;

void on_signal(int signal) {
  if (pending != 0) _exit(128 + pending);
  pending = signal;
  constexpr char kNotice[] = "\nhrt: stopping after this group; once more to quit at once\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kNotice, sizeof kNotice - 1);
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaction(signal, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int pending_signal() { return pending; }

void check_interrupt() {
  if (pending != 0) throw Interrupted(pending);
}

}  // namespace hrt
