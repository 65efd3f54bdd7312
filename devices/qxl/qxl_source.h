// The source half of the QXL function: what the display worker runs. In VGA mode it renders the VGA's picture, in the
// other modes it executes the driver's commands.
#pragma once

#include <atomic>
#include <functional>

#include "core/base/device_lock.h"
#include "core/event/guest_clock.h"
#include "core/ports/display.h"
#include "devices/qxl/native_mode.h"
#include "devices/qxl/source_events.h"
#include "devices/qxl/source_mailbox.h"
#include "devices/qxl/vga.h"
#include "devices/qxl/vga_renderer.h"

namespace devices::qxl {

class QxlSource final : public core::DisplaySource {
 public:
  struct Wiring {
    core::DeviceLock& lock;  // guards `vga`; held only while the registers are copied
    const Vga* vga;          // null: a display without VGA mode
    core::MemoryBlock& ram;
    const core::GuestClock& clock;
    SourceEvents& events;
    SourceMailbox& mailbox;
    NativeMode& native;
    int doorbell;  // of the rings; -1: none
  };
  explicit QxlSource(const Wiring& wiring);

  // core::DisplaySource
  Next pull(core::DisplayCanvas& canvas) override;
  void serve(core::DisplayCanvas& canvas) override;
  bool refresh(core::DisplayCanvas& canvas, bool full) override;
  void store(core::DisplayCanvas& canvas) override;
  void set_wake(std::function<void()> wake) override { wiring_.mailbox.set_wake(std::move(wake)); }
  int doorbell() const override { return wiring_.doorbell; }
  void clients_changed(const core::DisplayClients& clients) override { wiring_.events.clients_changed(clients); }
  void set_compression_level(std::uint32_t level) override { wiring_.events.set_compression_level(level); }
  bool takes_client_monitors() override { return wiring_.events.takes_client_monitors(); }
  void set_client_monitors(std::span<const core::ClientMonitor> monitors) override {
    wiring_.events.set_client_monitors(monitors);
  }

  std::uint64_t bytes_read() const { return renderer_.bytes_read(); }

  // The worker stands still.
  void reset();
  void visit(core::StateVisitor& visitor);
  core::Result<> state_loaded();

 private:
  bool take_requests(core::DisplayCanvas& canvas);
  void make_room(core::DisplayCanvas& canvas);
  void execute(const EnterVga& request, core::DisplayCanvas& canvas);
  void execute(const Restart& request, core::DisplayCanvas& canvas);
  void execute(const CreatePrimary& request, core::DisplayCanvas& canvas);
  void execute(const TakeCommands& request, core::DisplayCanvas& canvas);
  template <class Request>
  void execute(const Request& request, core::DisplayCanvas& canvas) {
    wiring_.native.serve(request, canvas);
  }

  Wiring wiring_;
  VgaRenderer renderer_;
  std::atomic<bool> vga_mode_;
  std::atomic<bool> canvas_stale_{false};  // it has what was there before a reset
};

}  // namespace devices::qxl
