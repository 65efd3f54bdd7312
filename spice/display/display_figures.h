// What each client's display channel has come to so far, for the monitors: images, videos, and what waits. Counted by
// the displays' threads, read by any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "spice/image/statistics.h"
#include "spice/video/statistics.h"

namespace spice::display {

// What a client has not been sent yet.
struct QueueFigures {
  std::uint64_t drawings = 0;
  std::uint64_t drawing_bytes = 0;  // of what they hold
  std::uint64_t pixels = 0;         // of the primary surface, beside them
};

class DisplayStatistics {
 public:
  explicit DisplayStatistics(std::shared_ptr<const image::ImageStatistics> images) : images_(std::move(images)) {}

  video::VideoStatistics& video() { return video_; }
  void set_queue(const QueueFigures& queue);

  image::ImageFigures image_figures() const { return images_->figures(); }
  video::VideoFigures video_figures() const { return video_.figures(); }
  QueueFigures queue_figures() const;

 private:
  std::shared_ptr<const image::ImageStatistics> images_;
  video::VideoStatistics video_;
  std::atomic<std::uint64_t> drawings_{0}, drawing_bytes_{0}, pixels_{0};
};

// One display channel of one client.
struct DisplayFigures {
  std::uint32_t session = 0;
  std::uint8_t channel = 0;
  image::ImageFigures images;
  video::VideoFigures video;
  QueueFigures queue;
};

// Shared by all displays. Any thread.
class AllDisplayFigures {
 public:
  // From now on, as long as somebody holds the statistics, list() has those of this channel.
  void watch(std::uint32_t session, std::uint8_t channel, const std::shared_ptr<const DisplayStatistics>& statistics);
  std::vector<DisplayFigures> list();

 private:
  struct Watched {
    std::uint32_t session = 0;
    std::uint8_t channel = 0;
    std::weak_ptr<const DisplayStatistics> statistics;
  };

  std::mutex mutex_;
  std::vector<Watched> watched_;
};

}  // namespace spice::display
