// The machine as the process and the monitor see it.
//
// Threads: create(), start(), wait() and the destructor on the main thread; everything else on the control loop, except
// where said. A guest's own requests (power-off, reset, exit) arrive on vCPU threads and are posted to the control
// loop.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/bus/address_space.h"
#include "core/event/loop.h"
#include "core/memory/ram_map.h"
#include "core/pci/pci_bus.h"
#include "core/ports/input.h"
#include "vmm/config/machine_config.h"
#include "vmm/machine/balloon_statistics.h"

namespace vmm::machine {

// Names as QMP's RunState has them.
enum class RunState : std::uint8_t { Prelaunch, Running, Suspended, Paused, InternalError, GuestPanicked, Shutdown };
std::string_view run_state_name(RunState state);

enum class EventKind : std::uint8_t {
  Stop,
  Resume,
  Reset,
  Powerdown,
  Suspend,
  SuspendDisk,
  Wakeup,
  Shutdown,
  GuestPanicked,
  GuestCrashLoaded,
  TrayMoved,
  BalloonChange,
  SpiceConnected,
  SpiceInitialized,
  SpiceDisconnected
};

struct SpicePeer {
  std::string host;
  std::string port;
  std::string family;  // "ipv4", "ipv6"
};

// Something that happened, in QMP's terms.
struct Event {
  EventKind kind = EventKind::Stop;
  bool by_guest = false;    // Reset, Shutdown: the guest asked for it
  std::string reason{};     // Reset, Shutdown: QMP's ShutdownCause; Guest*: what is done about it
  std::string device{};     // TrayMoved
  bool tray_open = false;   // TrayMoved
  std::uint64_t bytes = 0;  // BalloonChange
  SpicePeer client{};       // Spice*
  SpicePeer server{};       // Spice*
  std::uint32_t connection_id = 0;
  unsigned channel_type = 0;
  unsigned channel_id = 0;
};

struct Picture {
  std::int32_t width = 0;
  std::int32_t height = 0;
  std::vector<std::uint32_t> pixels;  // 0x00RRGGBB, row by row without padding
};

struct Drive {
  std::string name;  // "ide0-hd0", "ide1-cd0", as QEMU names them
  std::string path;  // empty: no medium
  bool removable = false;
  bool read_only = false;
  bool locked = false;
  bool tray_open = false;
};

struct IrqCount {
  std::string line;  // "IRQ 4"
  std::uint64_t rises = 0;
};

struct SpiceChannel {
  SpicePeer client;
  std::uint32_t connection_id = 0;
  unsigned type = 0;
  unsigned id = 0;
  bool tls = false;
};

struct SpiceStatus {
  bool enabled = false;
  std::string host;
  std::uint16_t port = 0;
  std::string auth;        // "none" or "spice"
  std::string mouse_mode;  // "server" or "client"
  std::vector<SpiceChannel> channels;
};

class Machine {
 public:
  static core::Result<std::unique_ptr<Machine>> create(const config::MachineConfig& config);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // The guest begins to run; what the control loop is given afterwards finds it running.
  void start();
  // Returns the process's exit status when the machine has ended: guest power-off and quit give 0, the debug exit port
  // its own. SIGINT and SIGTERM, blocked in all threads, end it too.
  int wait();

  core::Loop& control_loop();

  RunState state() const;
  void stop();
  void cont();
  void reset();
  void powerdown();         // presses the power button
  core::Result<> wakeup();  // a guest that is suspended to RAM
  void quit();              // any thread

  const std::string& name() const;
  const std::array<std::uint8_t, 16>& uuid() const;
  std::uint64_t memory_bytes() const;
  unsigned cpus() const;
  std::string_view accelerator() const;  // "kvm"

  core::KeyboardSink& keyboard();
  core::MouseSink& mouse();
  Picture screenshot();  // after a refresh; waits for the display worker

  core::PciBus& pci();
  core::AddressSpace& io();
  core::AddressSpace& mmio();
  core::RamMap& ram_map();
  std::vector<IrqCount> interrupts();
  // The registers of a device ("pic", "ide", ...), readable; nullopt if there is none of that name.
  std::optional<std::string> dump_device(std::string_view name);
  std::vector<std::string> device_names();

  std::vector<Drive> drives();
  // The whole machine to a file, and back from one; it goes on as it was before. If a load fails after the file was
  // found to be sound the machine is reset.
  core::Result<> save(const std::string& path);
  core::Result<> load(const std::string& path);

  core::Result<> eject(std::string_view drive, bool force);
  core::Result<> change(std::string_view drive, const std::string& path, bool force);

  // What the guest shall have left, and has; an error and nullopt without a balloon.
  core::Result<> set_balloon(std::uint64_t bytes);
  std::optional<std::uint64_t> balloon();
  std::optional<BalloonStatistics> balloon_statistics();  // the same
  void set_balloon_polling(std::uint32_t seconds);        // how often the guest is asked for them; 0: not

  SpiceStatus spice();

  // Told of every event, on the control loop. Listeners live as long as the machine.
  void add_listener(std::function<void(const Event&)> listener);

 private:
  struct Impl;
  explicit Machine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmm::machine
