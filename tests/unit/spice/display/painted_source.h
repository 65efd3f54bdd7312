// A display source that a test paints on from its own thread.
#pragma once

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "core/ports/display.h"

namespace display_test {

struct Image {
  std::int32_t width = 0;
  std::int32_t height = 0;
  std::vector<std::uint32_t> pixels;
  bool operator==(const Image&) const = default;
};

class PaintedSource final : public core::DisplaySource {
 public:
  // The worker's side.
  bool refresh(core::DisplayCanvas& canvas, bool full) override {
    const std::scoped_lock lock(mutex_);
    ++refreshes_;
    if (full) ++full_refreshes_;
    auto view = canvas.pixels();
    if (std::exchange(mode_changed_, false) || view.width != image_.width || view.height != image_.height) {
      view = canvas.set_mode(image_.width, image_.height);
      full = true;
    }
    if (full) dirty_ = {{0, 0, image_.width, image_.height}};
    for (const auto& rect : dirty_) {
      for (auto y = rect.top; y < rect.bottom; ++y) {
        for (auto x = rect.left; x < rect.right; ++x)
          view.row(y)[static_cast<std::size_t>(x)] = image_.pixels[index(x, y)];
      }
      canvas.changed(rect);
    }
    return !std::exchange(dirty_, {}).empty();
  }
  void set_wake(std::function<void()> wake) override { wake_ = std::move(wake); }

  // The test's side.
  void set_mode(std::int32_t width, std::int32_t height) {
    const std::scoped_lock lock(mutex_);
    image_ = {width, height,
              std::vector<std::uint32_t>(static_cast<std::size_t>(width) * static_cast<std::size_t>(height))};
    dirty_.clear();
    mode_changed_ = true;
  }
  // Fills the part of `rect` on the screen with colours made from `seed`: plain or noisy.
  void paint(const core::Rect& rect, std::uint32_t seed, bool noisy = false) {
    const std::scoped_lock lock(mutex_);
    const core::Rect area{std::max(rect.left, 0), std::max(rect.top, 0), std::min(rect.right, image_.width),
                          std::min(rect.bottom, image_.height)};
    if (area.empty()) return;
    for (auto y = area.top; y < area.bottom; ++y) {
      for (auto x = area.left; x < area.right; ++x) {
        if (noisy) seed = seed * 1664525 + 1013904223;
        image_.pixels[index(x, y)] = seed >> 8;
      }
    }
    dirty_.push_back(area);
  }
  void wake() { wake_(); }

  Image image() {
    const std::scoped_lock lock(mutex_);
    return image_;
  }
  int refreshes() {
    const std::scoped_lock lock(mutex_);
    return refreshes_;
  }
  int full_refreshes() {
    const std::scoped_lock lock(mutex_);
    return full_refreshes_;
  }

 private:
  std::size_t index(std::int32_t x, std::int32_t y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(image_.width) + static_cast<std::size_t>(x);
  }

  std::mutex mutex_;
  Image image_{64, 48, std::vector<std::uint32_t>(64 * 48)};
  std::vector<core::Rect> dirty_;
  bool mode_changed_ = false;
  int refreshes_ = 0;
  int full_refreshes_ = 0;
  std::function<void()> wake_;
};

}  // namespace display_test
