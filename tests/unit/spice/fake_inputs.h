// A guest's keyboard and mouse that only remember.
#pragma once

#include <condition_variable>
#include <fmt/core.h>
#include <mutex>
#include <string>
#include <vector>

#include "core/ports/input.h"

namespace spice::test {

class FakeInputs final : public core::KeyboardSink, public core::MouseSink {
 public:
  void key(core::KeyCode code, bool down) override { note(fmt::format("{:x}{}", code, down ? "+" : "-")); }
  std::uint8_t leds() override {
    const std::scoped_lock lock(mutex_);
    return leds_;
  }
  void set_led_listener(std::function<void(std::uint8_t)> listener) override {
    const std::scoped_lock lock(mutex_);
    listener_ = std::move(listener);
  }
  void move(std::int32_t dx, std::int32_t dy, std::int32_t dz, std::uint8_t buttons) override {
    note(fmt::format("{},{},{},{}", dx, dy, dz, buttons));
  }

  // What a guest does.
  void set_leds(std::uint8_t leds) {
    std::function<void(std::uint8_t)> listener;
    {
      const std::scoped_lock lock(mutex_);
      leds_ = leds;
      listener = listener_;
    }
    if (listener) listener(leds);
  }

  // All so far, when there are `count`.
  std::vector<std::string> await(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(30), [&] { return log_.size() >= count; });
    return log_;
  }

 private:
  void note(std::string what) {
    const std::scoped_lock lock(mutex_);
    log_.push_back(std::move(what));
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> log_;
  std::uint8_t leds_ = 0;
  std::function<void(std::uint8_t)> listener_;
};

}  // namespace spice::test
