#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace hrt {

// Tells from how the done share of some work grew how long the rest will take. What was done lately counts
// more, with a time constant of a third of the time so far: a phase of another speed shows soon, and does not
// make the answer jump.
class TimeLeft {
 public:
  // `now` in seconds since the start, `share` in 0..1. What is there in the first moment was done by an
  // earlier process.
  void update(double now, double share);
  // Seconds; nothing while it is too early to tell.
  std::optional<double> seconds() const;

 private:
  double now_ = 0;
  double share_ = 0;
  double time_ = 0;  // passed and gained, both discounted
  double gain_ = 0;
};

// Progress of something that takes more than a moment, on stderr: a bar with time left on a terminal, a plain
// line every few seconds elsewhere, nothing when quiet.
class Progress {
 public:
  // `unit` is what `advance` counts: "prompts". `work` is the whole work in a finer measure, if there is one:
  // the time left is then told from that.
  Progress(std::string title, std::int64_t total, std::string unit, std::int64_t work = 0);
  ~Progress();  // ends the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void advance(std::int64_t count = 1);
  void set_work(std::int64_t done);  // how much of the work is done

 private:
  void update();
  void draw(bool last);
  double share() const;  // of the work done, 0..1

  std::string title_;
  std::string unit_;
  std::int64_t total_;
  std::int64_t done_ = 0;
  std::int64_t work_;
  std::int64_t work_done_ = 0;
  bool terminal_;
  bool drawn_ = false;
  TimeLeft left_;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_draw_;
};

}  // namespace hrt
