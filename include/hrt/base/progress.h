#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace hrt {

// Progress of something that takes more than a moment, on stderr: a bar with time left on a terminal, a plain
// line every few seconds elsewhere, nothing when quiet.
class Progress {
 public:
  // `unit` is what `advance` counts: "prompts".
  Progress(std::string title, std::int64_t total, std::string unit);
  ~Progress();  // ends the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void advance(std::int64_t count = 1);
  void note(std::string note) { note_ = std::move(note); }  // shown behind the figures, e.g. "512 tok/s"

 private:
  void draw(bool last);

  std::string title_;
  std::string unit_;
  std::string note_;
  std::int64_t total_;
  std::int64_t done_ = 0;
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_draw_;
};

}  // namespace hrt
