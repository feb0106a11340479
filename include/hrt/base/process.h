#pragma once

namespace hrt {

// What a process of hrt sets up before anything else. Of its descriptors 0 to 2 those that were closed lead
// to /dev/null, so that no file takes their numbers. Signals: those of install_signal_handlers() and
// install_mapping_fault_handler(); a closed pipe and a limit on a file's size are ordinary write errors.
void set_up_process();

}  // namespace hrt
