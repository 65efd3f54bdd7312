// How close frames may follow each other so that a wanted frame rate comes out on average: sources are uneven, so the
// pace is above the rate, and is corrected by what came out.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "spice/video/time.h"

namespace spice::video {

class FramePace {
 public:
  static constexpr double kFirstRatio = 1.5;
  static constexpr Time kInterval = std::chrono::milliseconds(500);

  explicit FramePace(std::uint32_t fps) : fps_(fps), pace_(kFirstRatio * fps) {}

  // Another frame rate is wanted, of at least 1; the pace keeps its ratio to it.
  void set_fps(std::uint32_t fps) {
    pace_ *= static_cast<double>(fps) / fps_;
    fps_ = fps;
    since_.reset();
  }
  // Before each frame that counts; `source_fps` is what there is at most.
  void correct(Time now, std::uint32_t source_fps);
  void frame_sent() { ++frames_; }

  bool too_close(Time gap) const { return std::chrono::duration<double>(gap).count() * pace_ < 1; }
  double pace() const { return pace_; }  // frames a second

 private:
  std::uint32_t fps_;
  double pace_;
  std::optional<Time> since_;
  std::uint32_t frames_ = 0;
};

}  // namespace spice::video
