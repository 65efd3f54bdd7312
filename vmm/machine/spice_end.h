// The display's host side: its worker, and the SPICE server if there is one.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "core/base/result.h"
#include "core/base/thread_start.h"
#include "core/event/loop.h"
#include "core/ports/input.h"
#include "vmm/config/machine_config.h"
#include "vmm/machine/controllable.h"
#include "vmm/machine/local_displays.h"
#include "vmm/machine/qxl_displays.h"
#include "vmm/machine/spice_ports.h"

namespace vmm::machine {

class SpiceEnd {
 public:
  struct Wiring {
    core::Loop& control;
    std::vector<Display> displays;  // by their numbers, one at least
    core::KeyboardSink& keyboard;
    core::MouseSink& mouse;
    std::function<void(const Event&)> on_event;  // control loop
    core::ThreadStart start;
    SpicePorts ports{};
    core::TabletSink* tablet = nullptr;  // null: none
  };

  // Listens from here on: an address in use is an error.
  static core::Result<std::unique_ptr<SpiceEnd>> create(const config::MachineConfig& config,
                                                        const std::array<std::uint8_t, 16>& uuid, const Wiring& wiring);
  // The control loop has stopped.
  ~SpiceEnd();
  SpiceEnd(const SpiceEnd&) = delete;
  SpiceEnd& operator=(const SpiceEnd&) = delete;

  void stop();  // the display workers, once no CPU runs; main thread or control loop, once
  // The display devices are left alone in between, for saving, loading or resetting their state; with `stores` their
  // surfaces are written to the guest's memory before. CPUs stand still: one may wait for a display's worker. Control
  // loop.
  void hold_display(bool stores);
  void release_display();
  void redraw();  // the guest's picture may be another one altogether; any thread
  core::Result<Picture> screenshot(const ScreenshotOf& what);  // control loop
  std::vector<LocalDisplay> local_displays();                  // main thread

  // Control loop; these fail without a server, too.
  SpiceStatus status();
  std::vector<SpiceClient> clients();
  core::Result<> set_pictures(const config::SpicePictures& pictures);
  core::Result<> set_password(const std::string& password, WhenConnected action);
  core::Result<> expire_password(std::optional<std::chrono::sys_seconds> at);
  core::Result<> add_client(core::Fd connection, bool skip_auth, bool tls);

 private:
  struct Impl;
  explicit SpiceEnd(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmm::machine
