// Small pieces of wire between parts that do not know each other.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>

#include "core/bus/irq.h"
#include "core/ports/input.h"

namespace vmm::machine {

// Counts how often each interrupt line rises, on its way to the controllers.
class IrqCounter final : public core::IrqSink {
 public:
  explicit IrqCounter(core::IrqSink& next) : next_(next) {}

  void set_input(unsigned input, bool level) override {
    if (level && input < rises_.size()) rises_[input].fetch_add(1, std::memory_order_relaxed);
    next_.set_input(input, level);
  }
  std::uint64_t rises(unsigned input) const { return rises_[input].load(std::memory_order_relaxed); }

 private:
  core::IrqSink& next_;
  std::array<std::atomic<std::uint64_t>, core::kIoApicPins> rises_{};
};

// The 8259's INTR output: the CPU is told when it rises, and looks for itself. It is wired before there is a CPU.
class IntrLine final : public core::IrqSink {
 public:
  void connect(std::function<void()> kick) { kick_ = std::move(kick); }
  void set_input(unsigned, bool level) override {
    if (level && kick_) kick_();
  }

 private:
  std::function<void()> kick_;
};

// Input on its way to the guest, with a word to the display: what is typed will soon be seen.
class WatchedInput final : public core::KeyboardSink, public core::MouseSink {
 public:
  WatchedInput(core::KeyboardSink& keyboard, core::MouseSink& mouse, std::function<void()> happened)
      : keyboard_(keyboard), mouse_(mouse), happened_(std::move(happened)) {}

  void key(core::KeyCode code, bool down) override {
    keyboard_.key(code, down);
    happened_();
  }
  std::uint8_t leds() override { return keyboard_.leds(); }
  void set_led_listener(std::function<void(std::uint8_t)> listener) override {
    keyboard_.set_led_listener(std::move(listener));
  }
  void move(std::int32_t dx, std::int32_t dy, std::int32_t dz, std::uint8_t buttons) override {
    mouse_.move(dx, dy, dz, buttons);
    happened_();
  }

 private:
  core::KeyboardSink& keyboard_;
  core::MouseSink& mouse_;
  std::function<void()> happened_;
};

// The same for a tablet.
class WatchedTablet final : public core::TabletSink {
 public:
  WatchedTablet(core::TabletSink& tablet, std::function<void()> happened)
      : tablet_(tablet), happened_(std::move(happened)) {}

  void position(std::uint16_t x, std::uint16_t y, std::int32_t dz, std::uint8_t buttons) override {
    tablet_.position(x, y, dz, buttons);
    happened_();
  }
  bool in_use() override { return tablet_.in_use(); }
  void set_use_listener(std::function<void(bool)> listener) override { tablet_.set_use_listener(std::move(listener)); }

 private:
  core::TabletSink& tablet_;
  std::function<void()> happened_;
};

// Input on its way to the guest, or what wakes it up: then it gets there by this and not as input.
class WakingInput final : public core::KeyboardSink, public core::MouseSink {
 public:
  // `wake` answers whether the guest slept.
  WakingInput(core::KeyboardSink& keyboard, core::MouseSink& mouse, std::function<bool()> wake)
      : keyboard_(keyboard), mouse_(mouse), wake_(std::move(wake)) {}

  // Not by a release: it may be that of the key which sent the guest to sleep.
  void key(core::KeyCode code, bool down) override {
    if (!down || !wake_()) keyboard_.key(code, down);
  }
  std::uint8_t leds() override { return keyboard_.leds(); }
  void set_led_listener(std::function<void(std::uint8_t)> listener) override {
    keyboard_.set_led_listener(std::move(listener));
  }
  // Only by a button: a client's pointer passes by all the time.
  void move(std::int32_t dx, std::int32_t dy, std::int32_t dz, std::uint8_t buttons) override {
    if (buttons == 0 || !wake_()) mouse_.move(dx, dy, dz, buttons);
  }

 private:
  core::KeyboardSink& keyboard_;
  core::MouseSink& mouse_;
  std::function<bool()> wake_;
};

// The A20 gate is open if the keyboard controller or port 92h opens it. Their locks differ.
class A20Gate {
 public:
  enum Driver : unsigned { Keyboard = 1, Port92 = 2 };
  explicit A20Gate(std::function<void(bool open)> changed) : changed_(std::move(changed)) {}

  void drive(Driver driver, bool open) {
    const auto bit = static_cast<unsigned>(driver);
    const auto before = open ? drivers_.fetch_or(bit) : drivers_.fetch_and(~bit);
    const auto after = open ? before | bit : before & ~bit;
    if ((before != 0) != (after != 0)) changed_(after != 0);
  }

 private:
  std::function<void(bool)> changed_;
  std::atomic<unsigned> drivers_{Keyboard};
};

}  // namespace vmm::machine
