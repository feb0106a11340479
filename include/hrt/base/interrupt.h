#pragma once

namespace hrt {

// SIGINT, SIGTERM and SIGUSR1 ask the run to stop after the current group; a second one quits at once. SIGPIPE
// is ignored, so that a closed pipe is an ordinary write error.
void install_signal_handlers();

// The signal that came, or 0.
int pending_signal();

// Throws Interrupted when a signal is pending.
void check_interrupt();

}  // namespace hrt
