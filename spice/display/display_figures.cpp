#include "spice/display/display_figures.h"

namespace spice::display {

void DisplayStatistics::set_queue(const QueueFigures& queue) {
  drawings_.store(queue.drawings, std::memory_order_relaxed);
  drawing_bytes_.store(queue.drawing_bytes, std::memory_order_relaxed);
  pixels_.store(queue.pixels, std::memory_order_relaxed);
}

QueueFigures DisplayStatistics::queue_figures() const {
  return {.drawings = drawings_.load(std::memory_order_relaxed),
          .drawing_bytes = drawing_bytes_.load(std::memory_order_relaxed),
          .pixels = pixels_.load(std::memory_order_relaxed)};
}

void AllDisplayFigures::watch(std::uint32_t session, std::uint8_t channel,
                              const std::shared_ptr<const DisplayStatistics>& statistics) {
  const std::lock_guard lock(mutex_);
  std::erase_if(watched_, [](const Watched& watched) { return watched.statistics.expired(); });
  watched_.push_back({session, channel, statistics});
}

std::vector<DisplayFigures> AllDisplayFigures::list() {
  const std::lock_guard lock(mutex_);
  std::vector<DisplayFigures> result;
  for (const auto& watched : watched_) {
    if (const auto statistics = watched.statistics.lock())
      result.push_back({.session = watched.session,
                        .channel = watched.channel,
                        .images = statistics->image_figures(),
                        .video = statistics->video_figures(),
                        .queue = statistics->queue_figures()});
  }
  return result;
}

}  // namespace spice::display
