#include "spice/channel/linked_connection.h"

namespace spice::channel {

void SessionInfo::need_video_delay(std::uint32_t delay_ms) {
  auto known = video_delay_ms_.load();
  while (known < delay_ms && !video_delay_ms_.compare_exchange_weak(known, delay_ms)) {
  }
  const std::scoped_lock lock(listener_mutex_);
  if (video_delay_listener_) video_delay_listener_();
}

void SessionInfo::set_video_delay_listener(std::function<void()> wake) {
  const std::scoped_lock lock(listener_mutex_);
  video_delay_listener_ = std::move(wake);
}

}  // namespace spice::channel
