// The GLZ dictionary of one client, which all its display channels use, each from the thread of its display.
//
// Whoever encodes holds the lock until the image is in the sending queue of its channel: images are then queued in the
// order of their ids, and no id is lost. [spice/codec/glz.h]
#pragma once

#include <cstdint>
#include <mutex>

#include "spice/codec/glz.h"

namespace spice::image {

class Dictionary {
 public:
  using Lock = std::unique_lock<std::mutex>;

  explicit Dictionary(std::uint32_t window_pixels) : glz_(window_pixels) {}

  std::uint32_t window_pixels() const { return glz_.window_pixels(); }
  // Whether it is worth taking the lock for. Any thread, without it.
  bool takes(const codec::LzImage& image) const { return glz_.takes(image); }
  Lock lock() { return Lock(mutex_); }
  codec::GlzDictionary& opened(const Lock&) { return glz_; }

 private:
  std::mutex mutex_;
  codec::GlzDictionary glz_;
};

}  // namespace spice::image
