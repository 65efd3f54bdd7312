// What the videos of one display channel come to. Counted by its thread, read by any.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace spice::video {

struct VideoFigures {
  std::uint64_t streams = 0;     // that were begun
  std::uint64_t frames = 0;      // that were sent
  std::uint64_t left_out = 0;    // by the encoders, for the line's sake
  std::uint64_t replaced = 0;    // by newer ones before they could be sent
  std::uint64_t sent_bytes = 0;  // of frames
  std::uint64_t encoder_ns = 0;
};

class VideoStatistics {
 public:
  void stream_begun() { add(streams_, 1); }
  void frame_sent(std::size_t bytes) {
    add(frames_, 1);
    add(sent_bytes_, bytes);
  }
  void frame_left_out() { add(left_out_, 1); }
  void frame_replaced() { add(replaced_, 1); }
  void encoder_worked(std::chrono::nanoseconds time) { add(encoder_ns_, static_cast<std::uint64_t>(time.count())); }

  // Each figure is true, though not all of the same moment. Any thread.
  VideoFigures figures() const {
    return {.streams = read(streams_),
            .frames = read(frames_),
            .left_out = read(left_out_),
            .replaced = read(replaced_),
            .sent_bytes = read(sent_bytes_),
            .encoder_ns = read(encoder_ns_)};
  }

 private:
  using Count = std::atomic<std::uint64_t>;
  static void add(Count& count, std::uint64_t more) { count.fetch_add(more, std::memory_order_relaxed); }
  static std::uint64_t read(const Count& count) { return count.load(std::memory_order_relaxed); }

  Count streams_ = 0, frames_ = 0, left_out_ = 0, replaced_ = 0, sent_bytes_ = 0, encoder_ns_ = 0;
};

}  // namespace spice::video
