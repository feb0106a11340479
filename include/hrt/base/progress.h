#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace hrt {

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
  void draw_when_due();
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
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_draw_;
};

}  // namespace hrt
