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
  for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGUSR1}) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
}

int pending_signal() { return pending; }

void check_interrupt() {
  if (pending != 0) throw Interrupted(pending);
}

}  // namespace hrt
