#include "hrt/base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "hrt/base/log.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kTerminalInterval = 0.1;  // seconds between redraws of the bar
constexpr double kLineInterval = 5.0;      // seconds between lines in a log
constexpr int kBarWidth = 24;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

Progress::Progress(std::string title, std::int64_t total, std::string unit, std::int64_t work)
    : title_(std::move(title)),
      unit_(std::move(unit)),
      total_(std::max<std::int64_t>(total, 1)),
      work_(work),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      last_draw_(start_) {}

Progress::~Progress() {
  if (drawn_) draw(true);
}

void Progress::advance(std::int64_t count) {
  done_ += count;
  draw_when_due();
}

void Progress::set_work(std::int64_t done) {
  work_done_ = done;
  draw_when_due();
}

double Progress::share() const {
  const double share = work_ > 0 ? static_cast<double>(work_done_) / static_cast<double>(work_)
                                 : static_cast<double>(done_) / static_cast<double>(total_);
  return std::min(1.0, share);
}

void Progress::draw_when_due() {
  if (seconds_since(last_draw_) < (terminal_ ? kTerminalInterval : kLineInterval)) return;
  if (!is_quiet()) draw(false);
}

void Progress::draw(bool last) {
  last_draw_ = Clock::now();
  drawn_ = true;
  const double elapsed = seconds_since(start_);
  const double done = share();
  const std::string time = last || done == 0
                               ? fmt::format("{} elapsed", human_seconds(elapsed))
                               : fmt::format("{} left", human_seconds(elapsed / done * (1.0 - done)));
  const std::string line = fmt::format("{}  {}/{} {}  {}", title_, done_, total_, unit_, time);
  if (!terminal_) {
    fmt::print(stderr, "hrt: {}\n", line);
    return;
  }
  const auto filled = static_cast<std::size_t>(done * kBarWidth);
  const std::string bar = std::string(filled, '#') + std::string(kBarWidth - filled, '.');
  fmt::print(stderr, "\r\x1b[2K[{}] {}{}", bar, line, last ? "\n" : "");
  std::fflush(stderr);
}

}  // namespace hrt
