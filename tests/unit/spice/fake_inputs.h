// A guest's keyboard and mouse that only remember.
#pragma once

#include <atomic>
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

// A tablet that remembers, too.
class FakeTablet final : public core::TabletSink {
 public:
  void position(std::uint16_t x, std::uint16_t y, std::int32_t dz, std::uint8_t buttons) override {
    log.push_back(fmt::format("{},{},{},{}", x, y, dz, buttons));
  }
  bool in_use() override { return is_used; }
  void set_use_listener(std::function<void(bool)> listener) override { listener_ = std::move(listener); }

  // What a guest does.
  void use(bool used) {
    is_used = used;
    if (listener_) listener_(used);
  }

  std::vector<std::string> log;
  std::atomic<bool> is_used = false;

 private:
  std::function<void(bool)> listener_;
};

}  // namespace spice::test
