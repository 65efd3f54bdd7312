// USB tablet and mouse.
//
// Changes of the buttons are queued, each with where it happened, so that no click is lost; motion that the guest is
// slow to fetch comes together.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "core/ports/input.h"
#include "devices/usb/hid_device.h"

namespace devices::usb {

// A state of a pointer that a report tells.
struct PointerEvent {
  std::int32_t x = 0;  // a place from 0 to 32767, or a way
  std::int32_t y = 0;
  std::int32_t wheel = 0;  // steps away from the user
  std::uint8_t buttons = 0;
  void visit(core::StateVisitor& v);
};

class PointerQueue {
 public:
  static constexpr std::size_t kMost = 16;  // clicks that wait; the last of more come together

  bool empty() const { return events_.empty(); }
  PointerEvent* last() { return events_.empty() ? nullptr : &events_.back(); }
  PointerEvent& first() { return events_.front(); }
  bool is_full() const { return events_.size() >= kMost; }
  void push(const PointerEvent& event) { events_.push_back(event); }
  void pop() { events_.erase(events_.begin()); }
  void clear() { events_.clear(); }
  void visit(core::StateVisitor& v) { v.field("events", events_, kMost); }

 private:
  std::vector<PointerEvent> events_;
};

class HidTablet final : public HidDevice, public core::TabletSink {
 public:
  HidTablet(UsbVersion version, const Wiring& wiring);

  // TabletSink; both take the lock.
  void position(std::uint16_t x, std::uint16_t y, std::int32_t dz, std::uint8_t buttons) override;
  bool in_use() override;
  void set_use_listener(std::function<void(bool)> listener) override;

  void visit(core::StateVisitor& visitor) override;

 private:
  bool has_news() const override { return !queue_.empty(); }
  Bytes next_report() override;
  Bytes present_report() const override;
  void reset_input() override;
  void in_use_changed() override;

  PointerQueue queue_;
  PointerEvent now_;  // what was told last
  bool was_in_use_ = false;
  std::function<void(bool)> use_listener_;
};

class HidMouse final : public HidDevice, public core::MouseSink {
 public:
  HidMouse(UsbVersion version, const Wiring& wiring);

  // MouseSink; takes the lock.
  void move(std::int32_t dx, std::int32_t dy, std::int32_t dz, std::uint8_t buttons) override;
  bool in_use();  // takes the lock

  void visit(core::StateVisitor& visitor) override;

 private:
  bool has_news() const override { return !queue_.empty(); }
  Bytes next_report() override;
  Bytes present_report() const override;
  void reset_input() override;

  PointerQueue queue_;
  std::uint8_t buttons_ = 0;  // what was told last
};

}  // namespace devices::usb
