// How many pictures of a stream the guest draws a second, averaged over some seconds.
#pragma once

#include <algorithm>
#include <cstdint>

#include "spice/video/time.h"

namespace spice::video {

class InputRate {
 public:
  static constexpr Time kInterval = std::chrono::seconds(5);
  static constexpr std::uint32_t kMostAtFirst = 30;

  // Begins with a picture that came `gap` after the one before.
  InputRate(Time now, Time gap) : since_(now), fps_(std::clamp<std::uint32_t>(per_second(1, gap), 1, kMostAtFirst)) {}

  void picture(Time now) {
    ++pictures_;
    if (now - since_ < kInterval) return;
    fps_ = std::max<std::uint32_t>(per_second(pictures_, now - since_), 1);
    since_ = now;
    pictures_ = 0;
  }
  std::uint32_t fps() const { return fps_; }  // at least 1

 private:
  static std::uint32_t per_second(std::uint32_t count, Time time) {
    constexpr double kMost = 1e6;
    const auto seconds = std::chrono::duration<double>(time).count();
    return static_cast<std::uint32_t>(seconds * kMost <= count ? kMost : count / seconds + 0.5);
  }

  Time since_;
  std::uint32_t pictures_ = 0;
  std::uint32_t fps_;
};

}  // namespace spice::video
