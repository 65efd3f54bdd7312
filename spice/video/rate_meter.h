// What was really sent of a stream since its rate was last changed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "spice/video/time.h"

namespace spice::video {

class RateMeter {
 public:
  // The first frame since the change starts the clock.
  void frame_begins(Time now, MediaTime time) {
    if (frames_begun_++ == 0) {
      start_ = now;
      start_media_ = time;
    }
    last_ = now;
  }
  void frame_ends(std::size_t bytes) {
    bytes_ += bytes;
    ++frames_;
  }
  void restart() { *this = {}; }

  bool running() const { return frames_begun_ != 0; }
  MediaTime start_media() const { return start_media_; }
  std::optional<Time> last() const { return running() ? std::optional(last_) : std::nullopt; }

  std::uint64_t frames() const { return frames_; }
  std::uint64_t frame_bytes() const { return frames_ == 0 ? 0 : bytes_ / frames_; }  // on average
  // Bytes a second; nothing while no time has passed.
  std::optional<std::uint64_t> byte_rate() const {
    const std::chrono::duration<double> seconds = last_ - start_;
    if (seconds.count() <= 0) return std::nullopt;
    return static_cast<std::uint64_t>(std::min(static_cast<double>(bytes_) / seconds.count(), kMost));
  }

 private:
  static constexpr double kMost = 1e15;  // whatever the clock says

  std::uint64_t frames_begun_ = 0;
  Time start_{};
  Time last_{};
  MediaTime start_media_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace spice::video
