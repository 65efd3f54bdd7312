// The machine as the process sees it.
//
// Threads: create(), start(), wait() and the destructor on the main thread; everything else on the control loop, except
// where said. A guest's own requests (power-off, reset, exit) arrive on vCPU threads and are posted to the control
// loop.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/base/thread_start.h"
#include "core/event/loop.h"
#include "vmm/config/machine_config.h"
#include "vmm/machine/controllable.h"
#include "vmm/machine/local_displays.h"

namespace vmm::machine {

class Machine final : public Controllable {
 public:
  static core::Result<std::unique_ptr<Machine>> create(const config::MachineConfig& config,
                                                       const core::ThreadStart& start = {});
  ~Machine() override;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // The guest begins to run; what the control loop is given afterwards finds it running.
  void start();
  // Returns the process's exit status when the machine has ended: guest power-off and quit give 0, the debug exit port
  // its own. SIGINT and SIGTERM, blocked in all threads, end it too. Meanwhile the main thread may have more to do.
  struct MainThreadWork {
    std::vector<int> descriptors;  // there is something to do when one of them can be read
    // What there is, at first, too. When to come again at the latest; nothing: when a descriptor says so.
    std::function<std::optional<std::chrono::milliseconds>()> run;
  };
  int wait(const MainThreadWork& also = {});

  core::Loop& control_loop();
  std::vector<LocalDisplay> local_displays();  // main thread
  // Told of every event, on the control loop. Listeners live as long as the machine.
  void add_listener(std::function<void(const Event&)> listener);

  RunState state() const override;
  void stop() override;
  void cont() override;
  void reset() override;
  void powerdown() override;
  core::Result<> wakeup() override;
  void quit() override;
  const std::string& name() const override;
  const std::array<std::uint8_t, 16>& uuid() const override;
  unsigned cpus() const override;
  std::string_view accelerator() const override;
  core::KeyboardSink& keyboard() override;
  core::MouseSink& mouse() override;
  core::TabletSink* tablet() override;
  core::Result<Picture> screenshot(const ScreenshotOf& what) override;
  core::PciBus& pci() override;
  core::AddressSpace& io() override;
  core::AddressSpace& mmio() override;
  core::RamMap& ram_map() override;
  std::vector<IrqCount> interrupts() override;
  std::optional<std::string> dump_device(std::string_view name) override;
  std::vector<std::string> device_names() override;
  std::string describe_displays() override;
  std::vector<Drive> drives() override;
  core::Result<> save(const std::string& path) override;
  core::Result<> load(const std::string& path) override;
  core::Result<> eject(std::string_view drive, bool force) override;
  core::Result<> change(std::string_view drive, const std::string& path, bool force) override;
  core::Result<> set_balloon(std::uint64_t bytes) override;
  std::optional<std::uint64_t> balloon() override;
  std::optional<BalloonStatistics> balloon_statistics() override;
  void set_balloon_polling(std::uint32_t seconds) override;
  SpiceStatus spice() override;
  std::vector<SpiceClient> spice_clients() override;
  core::Result<> set_spice_pictures(const config::SpicePictures& pictures) override;
  core::Result<> set_spice_password(const std::string& password, WhenConnected action) override;
  core::Result<> expire_spice_password(std::optional<std::chrono::sys_seconds> at) override;
  core::Result<> add_spice_client(core::Fd connection, bool skip_auth, bool tls) override;

 private:
  struct Impl;
  explicit Machine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmm::machine
