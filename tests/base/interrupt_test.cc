#include "hrt/base/interrupt.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "hrt/base/error.h"

namespace hrt {
namespace {

// Of a process of its own: what a signal does stays.
TEST(Interrupt, AskedForBySignals) {
  for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGUSR1}) {
    EXPECT_EXIT(
        {
          std::signal(signal, SIG_DFL);
          install_signal_handlers();
          check_interrupt();
          raise(signal);
          try {
            check_interrupt();
          } catch (const Interrupted& interrupted) {
            _exit(interrupted.signal());
          }
          _exit(0);
        },
        ::testing::ExitedWithCode(signal), "stopping after this group");
  }
}

TEST(Interrupt, ASignalThatIsIgnoredStaysSo) {  // nohup
  EXPECT_EXIT(
      {
        std::signal(SIGHUP, SIG_IGN);
        install_signal_handlers();
        raise(SIGHUP);
        _exit(pending_signal());
      },
      ::testing::ExitedWithCode(0), "^$");
}

}  // namespace
}  // namespace hrt
