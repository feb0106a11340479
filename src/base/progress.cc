#include "hrt/base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "hrt/base/log.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kTerminalInterval = 0.1;  // seconds between redraws of the bar
constexpr double kLineInterval = 5.0;      // seconds between lines in a log
constexpr int kBarWidth = 24;
constexpr double kFirstMoment = 0.5;      // seconds in which nothing is computed yet
constexpr double kFirstGuess = 3.0;       // seconds before which no time left is told
constexpr double kShortestMemory = 20.0;  // seconds

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// A terminal that is gone is no reason to stop.
void show(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace

void TimeLeft::update(double now, double share) {
  if (now >= kFirstMoment) {
    const double keep = std::exp((now_ - now) / std::max(kShortestMemory, now / 3));
    time_ = time_ * keep + now - now_;
    gain_ = gain_ * keep + share - share_;
  }
  now_ = now;
  share_ = share;
}

std::optional<double> TimeLeft::seconds() const {
  if (now_ < kFirstGuess || gain_ <= 0) return std::nullopt;
  return (1 - share_) * time_ / gain_;
}

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
  update();
}

void Progress::set_work(std::int64_t done) {
  work_done_ = done;
  update();
}

double Progress::share() const {
  const double share = work_ > 0 ? static_cast<double>(work_done_) / static_cast<double>(work_)
                                 : static_cast<double>(done_) / static_cast<double>(total_);
  return std::min(1.0, share);
}

void Progress::update() {
  left_.update(seconds_since(start_), share());
  if (seconds_since(last_draw_) < (terminal_ ? kTerminalInterval : kLineInterval)) return;
  if (!is_quiet()) draw(false);
}

void Progress::draw(bool last) {
  last_draw_ = Clock::now();
  drawn_ = true;
  const double done = share();
  const std::optional<double> left = last ? std::nullopt : left_.seconds();
  const std::string time = left ? fmt::format("{} left", human_seconds(*left))
                                : fmt::format("{} elapsed", human_seconds(seconds_since(start_)));
  const std::string line = fmt::format("{}  {}/{} {}  {}", title_, done_, total_, unit_, time);
  if (!terminal_) {
    show(fmt::format("hrt: {}\n", line));
    return;
  }
  const auto filled = static_cast<std::size_t>(done * kBarWidth);
  const std::string bar = std::string(filled, '#') + std::string(kBarWidth - filled, '.');
  show(fmt::format("\r\x1b[2K[{}] {}{}", bar, line, last ? "\n" : ""));
}

}  // namespace hrt
