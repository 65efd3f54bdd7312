// What a monitor sees of a machine and does with it. Everything on the control loop, except where said.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "core/bus/address_space.h"
#include "core/memory/ram_map.h"
#include "core/pci/pci_bus.h"
#include "core/ports/input.h"
#include "vmm/config/spice_pictures.h"
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
  SpiceDisconnected,
  SpiceOwnerChanged
};

struct SpicePeer {
  std::string host;
  std::string port;
  std::string family;  // "ipv4", "ipv6", "unix"
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
  bool tls = false;
};

struct Picture {
  std::int32_t width = 0;
  std::int32_t height = 0;
  std::vector<std::uint32_t> pixels;  // 0x00RRGGBB, row by row without padding
};

// What to take a picture of.
struct ScreenshotOf {
  std::string device{};                // "qxl0"; empty: the first display
  std::optional<std::int64_t> head{};  // of the guest's arrangement of monitors; nothing: all that the display shows
  bool pointer = false;                // a guest in native mode does not draw it itself
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
  std::string host;            // or the path of a Unix socket
  std::uint16_t port = 0;      // 0: there is none
  std::uint16_t tls_port = 0;  // likewise
  std::string auth;            // "none", "spice" or "sasl"
  std::string mouse_mode;      // "server" or "client"
  std::string clients;         // "share", "takeover" or "refuse"
  config::SpicePictures pictures{};
  std::vector<SpiceChannel> channels;
};

// What one client's display has come to so far.
struct SpiceDisplayFigures {
  struct Method {
    std::string name;  // "glz", "quic"
    std::uint64_t images = 0;
    std::uint64_t raw_bytes = 0;   // of their pixels
    std::uint64_t sent_bytes = 0;  // of what became of them
    std::uint64_t encoder_us = 0;
  };
  struct Video {
    std::uint64_t streams = 0;  // that were begun
    std::uint64_t frames = 0;
    std::uint64_t left_out = 0;  // frames, by the encoder
    std::uint64_t replaced = 0;  // by newer ones while the client was busy
    std::uint64_t sent_bytes = 0;
    std::uint64_t encoder_us = 0;
  };
  struct Queue {
    std::uint64_t drawings = 0;
    std::uint64_t drawing_bytes = 0;
    std::uint64_t pixels = 0;  // that the client lacks beside them
  };
  std::vector<Method> methods;     // that were used
  std::uint64_t cache_hits = 0;    // images that the client had
  std::uint64_t cache_misses = 0;  // that it might have had
  std::uint64_t cache_drops = 0;   // that it had to drop for others
  Video video;
  Queue queue;
};

// One client with its channels, and what the kernel knows of their lines.
struct SpiceClient {
  struct Line {
    std::string name;  // "main", "display"
    unsigned type = 0;
    unsigned id = 0;
    bool tls = false;
    struct Facts {
      std::uint64_t bytes_sent = 0;
      std::uint64_t bytes_received = 0;
      std::uint64_t queued_bytes = 0;
      std::uint64_t round_trip_us = 0;
      std::uint64_t bytes_per_second = 0;  // that it took of late
    };
    std::optional<Facts> facts;                  // of TCP connections
    std::optional<SpiceDisplayFigures> display;  // of displays
  };
  SpicePeer peer;
  std::uint32_t connection_id = 0;
  bool owner = false;
  bool view_only = false;
  std::uint64_t bit_rate = 0;  // of its line when it came; 0: not known, or too fast to measure
  std::vector<Line> lines;
};

// What a new password means for who is connected.
enum class WhenConnected : std::uint8_t { Keep, Disconnect, Fail };

class Controllable {
 public:
  virtual ~Controllable() = default;

  virtual RunState state() const = 0;
  virtual void stop() = 0;
  virtual void cont() = 0;
  virtual void reset() = 0;
  virtual void powerdown() = 0;         // presses the power button
  virtual core::Result<> wakeup() = 0;  // a guest that is suspended to RAM
  virtual void quit() = 0;              // any thread

  virtual const std::string& name() const = 0;
  virtual const std::array<std::uint8_t, 16>& uuid() const = 0;
  virtual unsigned cpus() const = 0;
  virtual std::string_view accelerator() const = 0;  // "kvm"

  virtual core::KeyboardSink& keyboard() = 0;
  virtual core::MouseSink& mouse() = 0;
  virtual core::TabletSink* tablet() { return nullptr; }  // null: there is none
  // After a refresh; waits for the display worker. Errors: no such display, no such head.
  virtual core::Result<Picture> screenshot(const ScreenshotOf& what) = 0;

  virtual core::PciBus& pci() = 0;
  virtual core::AddressSpace& io() = 0;
  virtual core::AddressSpace& mmio() = 0;
  virtual core::RamMap& ram_map() = 0;
  virtual std::vector<IrqCount> interrupts() = 0;
  // The registers of a device ("pic", "ide", ...), readable; nullopt if there is none of that name.
  virtual std::optional<std::string> dump_device(std::string_view name) = 0;
  virtual std::vector<std::string> device_names() = 0;
  // What the QXL displays' drivers do, in lines for people.
  virtual std::string describe_displays() = 0;

  virtual std::vector<Drive> drives() = 0;
  // The whole machine to a file, and back from one; it goes on as it was before. If a load fails after the file was
  // found to be sound the machine is reset.
  virtual core::Result<> save(const std::string& path) = 0;
  virtual core::Result<> load(const std::string& path) = 0;
  virtual core::Result<> eject(std::string_view drive, bool force) = 0;
  virtual core::Result<> change(std::string_view drive, const std::string& path, bool force) = 0;

  // What the guest shall have left, and has; an error and nullopt without a balloon.
  virtual core::Result<> set_balloon(std::uint64_t bytes) = 0;
  virtual std::optional<std::uint64_t> balloon() = 0;
  virtual std::optional<BalloonStatistics> balloon_statistics() = 0;  // the same
  virtual void set_balloon_polling(std::uint32_t seconds) = 0;        // how often the guest is asked for them; 0: not

  virtual SpiceStatus spice() = 0;
  virtual std::vector<SpiceClient> spice_clients() = 0;  // in the order in which they came
  // These fail without SPICE, too.
  virtual core::Result<> set_spice_pictures(const config::SpicePictures& pictures) = 0;  // from the next one on
  virtual core::Result<> set_spice_password(const std::string& password, WhenConnected action) = 0;
  virtual core::Result<> expire_spice_password(std::optional<std::chrono::sys_seconds> at) = 0;  // nullopt: never
  virtual core::Result<> add_spice_client(core::Fd connection, bool skip_auth, bool tls) = 0;
};

}  // namespace vmm::machine
