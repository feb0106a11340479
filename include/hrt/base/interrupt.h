#pragma once

namespace hrt {

// SIGHUP, SIGINT, SIGTERM and SIGUSR1 ask the run to stop after the current group; a second one quits at
// once. One that is ignored stays so, as nohup wants.
void install_signal_handlers();

// The signal that came, or 0.
int pending_signal();

// Throws Interrupted when a signal is pending.
void check_interrupt();

}  // namespace hrt
