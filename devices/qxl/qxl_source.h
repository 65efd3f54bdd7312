// The source half of the QXL function: what the display worker runs. In VGA mode it renders the VGA's picture; native
// mode's rings, memory slots and parser will live beside the renderer.
#pragma once

#include <functional>

#include "core/base/device_lock.h"
#include "core/event/guest_clock.h"
#include "core/ports/display.h"
#include "devices/qxl/vga.h"
#include "devices/qxl/vga_renderer.h"

namespace devices::qxl {

class QxlSource final : public core::DisplaySource {
 public:
  // `lock` guards `vga`; it is held only while the registers are copied.
  QxlSource(core::DeviceLock& lock, const Vga& vga, core::MemoryBlock& ram, const core::GuestClock& clock);

  bool refresh(core::DisplayCanvas& canvas, bool full) override;
  void set_wake(std::function<void()> wake) override { wake_ = std::move(wake); }

  std::uint64_t bytes_read() const { return renderer_.bytes_read(); }

 private:
  core::DeviceLock& lock_;
  const Vga& vga_;
  const core::GuestClock& clock_;
  VgaRenderer renderer_;
  std::function<void()> wake_;
};

}  // namespace devices::qxl
