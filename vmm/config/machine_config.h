// What the user asked for, before any of it is tried.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vmm/config/spice_pictures.h"

namespace vmm::config {

// Which controller a drive hangs on.
enum class DiskInterface : std::uint8_t { Ide, Ahci, Virtio };

struct DiskConfig {
  std::string path;
  bool read_only = false;
  bool snapshot = false;  // writes go to a temporary file
  DiskInterface interface = DiskInterface::Ide;
};

struct CdromConfig {
  std::string path;  // empty: a drive without a disc
  DiskInterface interface = DiskInterface::Ide;
};

enum class AccelChoice : std::uint8_t { Auto, Kvm, Soft };

// tls-channel=NAME and plaintext-channel=NAME.
struct SpiceChannelSecurity {
  std::string channel;  // "main", or "default" for all that are not named
  bool tls = false;
};

// Paths; empty: none.
struct SpiceTlsConfig {
  std::string directory;
  std::string key_file;
  std::string certificate_file;
  std::string ca_file;
  std::string key_password;
  std::string dh_file;
  std::string ciphers;
};

// What becomes of a client when another comes.
enum class SpiceClients : std::uint8_t { Share, Takeover, Refuse };

struct SpiceConfig {
  bool enabled = false;
  std::uint16_t port = 0;      // 0: none
  std::uint16_t tls_port = 0;  // 0: none
  std::string addr;            // empty: decided by the rule of docs/spice.md
  bool ipv4_only = false;
  bool ipv6_only = false;
  bool unix_socket = false;  // addr is its path
  std::optional<int> listen_fd;
  std::optional<int> tls_listen_fd;
  SpiceTlsConfig tls;                            // the files of x509-dir filled in
  std::vector<SpiceChannelSecurity> security{};  // the later counts
  std::optional<std::string> password;           // given but empty refuses every client
  std::string password_file;                     // instead of it; empty: none
  std::string viewer_file;                       // vv=; empty: none
  std::string make_certificates;                 // gen-certs=: into this directory, and nothing else; empty: no
  bool disable_ticketing = false;
  bool sasl = false;
  std::optional<std::string> view_only_password;
  SpiceClients clients = SpiceClients::Share;
  SpicePictures pictures{};
  std::string video_codecs = "auto";  // ENCODER:CODEC;...
  bool copy_paste = true;
  bool file_transfer = true;
  bool agent_mouse = true;
};

// A named port of the virtio-serial device.
struct PortConfig {
  std::string name;
  std::string stream;
};

// Ports that guests' tools know by these names.
constexpr std::string_view kAgentPort = "com.redhat.spice.0";
constexpr std::string_view kWebdavPort = "org.spice-space.webdav.0";

struct DebugconConfig {
  std::string stream;  // empty: none
  std::uint16_t port = 0x402;
};

// --bios none: --kernel starts straight from the reset, without firmware.
constexpr std::string_view kNoBios = "none";

// Which USB controllers there are: the ICH9's enhanced one with its companions, or the PIIX3's.
enum class UsbControllers : std::uint8_t { Ehci, Uhci };
enum class UsbKind : std::uint8_t { Tablet, Keyboard, Mouse, Hub, Storage };

struct UsbDeviceConfig {
  UsbKind kind = UsbKind::Tablet;
  std::vector<unsigned> port;  // from 1: of the root hub, then of each hub on the way; empty: the next free one
  bool usb_1 = false;          // a full-speed device of USB 1.1
  std::string path;            // of a stick
  bool read_only = false;
  bool snapshot = false;
};

struct UsbConfig {
  bool enabled = true;
  UsbControllers controllers = UsbControllers::Ehci;
  bool tablet = true;  // the first device, if no other one is a tablet
  std::vector<UsbDeviceConfig> devices;
};

// --accel soft,icount=N: guest time is made by instructions, each of which takes 2^shift ns.
struct IcountConfig {
  unsigned shift = 0;
  bool sleep = true;  // idle CPUs wait in the host's time
};

// What the guest's RTC shows at power-on.
enum class RtcBase : std::uint8_t { Utc, LocalTime, Date };

struct RtcConfig {
  std::optional<RtcBase> base;  // UTC if not given; with icount, which is to depend on nothing, kIcountDate
  std::chrono::sys_seconds date{};
  bool makes_up = true;  // for periodic interrupts that the guest was too late for
};
constexpr std::chrono::sys_seconds kIcountDate = std::chrono::sys_days{std::chrono::year{2020} / 1 / 1};

// What a guest's panic does, in QEMU's words.
enum class PanicAction : std::uint8_t { None, Pause, Shutdown, ExitFailure };

// A QXL display; the names are those of QEMU's -device qxl-vga. 0 in *_mb, max_outputs, xres and yres: not given.
struct QxlConfig {
  std::uint64_t revision = 5;
  std::uint64_t ram_size = 64 << 20;
  std::uint64_t vram_size = 64 << 20;
  std::uint64_t ram_size_mb = 0;
  std::uint64_t vram_size_mb = 0;
  std::uint64_t vram64_size_mb = 0;
  std::uint64_t vgamem_mb = 16;
  std::uint64_t surfaces = 1024;
  std::uint64_t max_outputs = 0;
  std::uint64_t xres = 0;
  std::uint64_t yres = 0;
  std::uint64_t debug = 0;
  std::uint64_t guestdebug = 0;
  std::uint64_t cmdlog = 0;
  std::string record{};  // path of a recording of what it shows; empty: none
};
constexpr std::size_t kMaxDisplays = 4;  // a client's caches have no more

// The keys that are held to speak to the window instead of the guest; grab-mod's values.
enum class GrabKeys : std::uint8_t { LeftCtrlAlt, LeftShiftCtrlAlt, RightCtrl };

// A window on this computer's screen for each display.
struct WindowConfig {
  bool enabled = false;
  bool full_screen = false;
  bool close_ends = true;    // closing one ends the machine
  bool shows_arrow = false;  // the host's pointer, also where the guest has its own
  GrabKeys grab_keys = GrabKeys::LeftCtrlAlt;
};

struct MachineConfig {
  // Machine
  std::string name = "minivmm";
  std::optional<std::array<std::uint8_t, 16>> uuid;  // if not given: random, or with icount all zero
  std::uint64_t memory_bytes = std::uint64_t{1} << 30;
  unsigned cpus = 1;
  AccelChoice accel = AccelChoice::Auto;
  std::optional<IcountConfig> icount;
  RtcConfig rtc;
  bool pit_makes_up = true;  // for ticks that the host let slip
  bool hpet = true;
  PanicAction on_panic = PanicAction::Pause;
  std::string cpu;      // model; empty: the accelerator's default
  std::string bios;     // path; empty: the built-in SeaBIOS; or kNoBios
  std::string vgabios;  // path; empty: the built-in one

  // Disks and boot
  std::vector<DiskConfig> disks;
  std::optional<CdromConfig> cdrom;
  bool snapshots_only = false;  // --snapshot: no disk keeps what is written; each disk's own `snapshot` says so
  std::string boot_order = "cdn";
  bool boot_menu = false;
  std::string kernel;
  std::string initrd;
  std::string append;
  std::string restore;  // a snapshot's path

  // Ports
  std::vector<std::string> serial;  // COM1, COM2: character stream specs
  DebugconConfig debugcon;
  bool debug_exit = true;
  std::string virtio_console;  // character stream spec; empty: none
  std::vector<PortConfig> virtio_ports;
  std::vector<std::string> spice_ports;  // names of those that SPICE clients have as channels
  std::optional<bool> agent;             // a port for SPICE's agent; if not said, with --spice
  std::optional<bool> webdav;            // a port for folders of clients; likewise

  bool has_agent() const;
  std::vector<std::string> spice_channel_ports() const;  // with that for folders, if there is one

  // Other virtio devices
  bool rng = false;
  bool balloon = false;

  UsbConfig usb;

  // Display and control
  std::vector<QxlConfig> displays;  // the first is the VGA, too; empty: one of the defaults
  WindowConfig window;
  SpiceConfig spice;
  std::string monitor;  // character stream spec; empty: none
  std::string qmp;

  // The process
  bool sandbox = true;
  std::string user;  // whose rights it has while the guest runs; empty: the caller's
};

}  // namespace vmm::config
