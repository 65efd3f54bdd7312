#include "vmm/config/options.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "vmm/config/key_values.h"

namespace vmm::config {

namespace {

using core::fail;
using core::Result;

constexpr std::uint64_t kMinMemory = std::uint64_t{1} << 20;
constexpr std::uint64_t kMaxMemory = std::uint64_t{1} << 40;
constexpr unsigned kMaxCpus = 240;  // one 8-bit APIC id each, with room for the I/O APIC

Result<> non_empty(std::string_view value) {
  if (value.empty()) return fail("needs a value");
  return {};
}

// Character streams: QEMU's spellings of what devices/character opens.
Result<> check_stream(std::string_view value, std::initializer_list<std::string_view> kinds) {
  const auto kind = value.substr(0, value.find(':'));
  if (std::ranges::find(kinds, kind) == kinds.end()) {
    return fail("\"{}\" is not one of {}", value, fmt::join(kinds, ", "));
  }
  const bool needs_path = kind == "file" || kind == "unix";
  if (needs_path && value.size() <= kind.size() + 1) return fail("\"{}\" lacks a path: write {}:PATH", value, kind);
  if (!needs_path && value.size() != kind.size()) return fail("\"{}\": {} takes no path", value, kind);
  return {};
}

Result<DiskInterface> parse_interface(std::string_view name) {
  if (name == "ide") return DiskInterface::Ide;
  if (name == "ahci") return DiskInterface::Ahci;
  if (name == "virtio") return DiskInterface::Virtio;
  return fail("if={}: give ide, ahci or virtio", name);
}

Result<> apply_disk(MachineConfig& config, std::string_view value) {
  const auto pairs = split_key_values(value, "file");
  if (!pairs) return std::unexpected(pairs.error());
  DiskConfig disk;
  for (const auto& pair : *pairs) {
    if (pair.key == "file") {
      disk.path = pair.value;
      continue;
    }
    if (pair.key == "if") {
      const auto interface = parse_interface(pair.value);
      if (!interface) return std::unexpected(interface.error());
      disk.interface = *interface;
      continue;
    }
    if (pair.key != "snapshot" && pair.key != "readonly") {
      return fail("{}: unknown key \"{}\"; known are if, snapshot and readonly", disk.path, pair.key);
    }
    const auto on = parse_switch(pair);
    if (!on) return std::unexpected(on.error());
    (pair.key == "snapshot" ? disk.snapshot : disk.read_only) = *on;
  }
  if (disk.path.empty()) return fail("needs a file: --disk FILE");
  config.disks.push_back(std::move(disk));
  return {};
}

Result<> apply_cdrom(MachineConfig& config, std::string_view value) {
  CdromConfig cdrom;
  const auto pairs = split_key_values(value, "file");
  if (!pairs) return std::unexpected(pairs.error());
  for (const auto& pair : *pairs) {
    if (pair.key == "file") {
      cdrom.path = pair.value;
      continue;
    }
    if (pair.key != "if") return fail("{}: unknown key \"{}\"; known is if", cdrom.path, pair.key);
    const auto interface = parse_interface(pair.value);
    if (!interface) return std::unexpected(interface.error());
    if (*interface == DiskInterface::Virtio) return fail("a CD-ROM drive is on ide or ahci, not on virtio");
    cdrom.interface = *interface;
  }
  config.cdrom = std::move(cdrom);
  return {};
}

Result<> apply_snapshot(MachineConfig& config, std::string_view) {
  config.snapshots_only = true;
  return {};
}

Result<> apply_boot(MachineConfig& config, std::string_view value) {
  const auto pairs = split_key_values(value, "order");
  if (!pairs) return std::unexpected(pairs.error());
  for (const auto& pair : *pairs) {
    if (pair.key == "menu") {
      const auto on = parse_switch(pair);
      if (!on) return std::unexpected(on.error());
      config.boot_menu = *on;
    } else if (pair.key == "order") {
      if (pair.value.empty() || pair.value.find_first_not_of("cdn") != std::string::npos) {
        return fail("order \"{}\": give letters of c (disk), d (CD-ROM), n (network)", pair.value);
      }
      config.boot_order = pair.value;
    } else {
      return fail("unknown key \"{}\"; known are order and menu", pair.key);
    }
  }
  return {};
}

Result<> apply_memory(MachineConfig& config, std::string_view value) {
  const auto bytes = parse_size(value);
  if (!bytes) return std::unexpected(bytes.error());
  if (*bytes < kMinMemory || *bytes > kMaxMemory) return fail("{}: give 1M to 1T", value);
  config.memory_bytes = *bytes;
  return {};
}

Result<> apply_cpus(MachineConfig& config, std::string_view value) {
  const auto count = parse_number(value, 1, kMaxCpus);
  if (!count) return std::unexpected(count.error());
  config.cpus = static_cast<unsigned>(*count);
  return {};
}

Result<> apply_cpu(MachineConfig& config, std::string_view value) {
  if (value.empty()) return fail("needs a model; --cpu help lists them");
  config.cpu = value;
  return {};
}

Result<> choose_accel(MachineConfig& config, std::string_view name) {
  if (name == "kvm") {
    config.accel = AccelChoice::Kvm;
  } else if (name == "soft") {
    config.accel = AccelChoice::Soft;
  } else if (name == "auto") {
    config.accel = AccelChoice::Auto;
  } else {
    return fail("\"{}\" is not one of kvm, soft, auto", name);
  }
  return {};
}

// [,icount=N[,sleep=on|off]]
Result<> apply_accel(MachineConfig& config, std::string_view value) {
  constexpr std::uint64_t kMostShift = 10;
  const auto pairs = split_key_values(value, "accel");
  if (!pairs) return std::unexpected(pairs.error());
  std::optional<bool> sleep;
  config.icount.reset();
  for (const KeyValue& pair : *pairs) {
    if (pair.key == "accel") {
      if (auto chosen = choose_accel(config, pair.value); !chosen) return chosen;
    } else if (pair.key == "icount") {
      const auto shift = parse_number(pair.value, 0, kMostShift);
      if (!shift) return core::fail_with("icount", shift);
      config.icount.emplace().shift = static_cast<unsigned>(*shift);
    } else if (pair.key == "sleep") {
      const auto on = parse_switch(pair);
      if (!on) return std::unexpected(on.error());
      sleep = *on;
    } else {
      return fail("\"{}\" is not one of icount, sleep", pair.key);
    }
  }
  if (sleep && !config.icount) return fail("sleep= belongs to icount=");
  if (config.icount && config.accel != AccelChoice::Soft)
    return fail("icount= is for the software CPU: soft,icount=...");
  if (sleep) config.icount->sleep = *sleep;
  return {};
}

Result<> apply_machine(MachineConfig& config, std::string_view value) {
  const auto pairs = split_key_values(value, "type");
  if (!pairs) return std::unexpected(pairs.error());
  for (const KeyValue& pair : *pairs) {
    if (pair.key == "type") {
      if (pair.value != "pc") return fail("\"{}\": there is only pc", pair.value);
      continue;
    }
    if (pair.key != "hpet") return fail("\"{}\" is not known; there is hpet=on|off", pair.key);
    const auto on = parse_switch(pair);
    if (!on) return std::unexpected(on.error());
    config.hpet = *on;
  }
  return {};
}

Result<> apply_action(MachineConfig& config, std::string_view value) {
  constexpr std::pair<std::string_view, PanicAction> kActions[] = {{"none", PanicAction::None},
                                                                   {"pause", PanicAction::Pause},
                                                                   {"shutdown", PanicAction::Shutdown},
                                                                   {"exit-failure", PanicAction::ExitFailure}};
  const auto pairs = split_key_values(value, "action");
  if (!pairs) return std::unexpected(pairs.error());
  for (const KeyValue& pair : *pairs) {
    if (pair.key != "panic") return fail("\"{}\" is not known; there is panic=", pair.key);
    const auto* found = std::ranges::find(kActions, pair.value, &std::pair<std::string_view, PanicAction>::first);
    if (found == std::end(kActions)) {
      return fail("panic: \"{}\" is not one of none, pause, shutdown, exit-failure", pair.value);
    }
    config.on_panic = found->second;
  }
  return {};
}

Result<> apply_rtc(MachineConfig& config, std::string_view value) {
  const auto pairs = split_key_values(value, "base");
  if (!pairs) return std::unexpected(pairs.error());
  for (const KeyValue& pair : *pairs) {
    if (pair.key == "driftfix") {
      if (pair.value != "slew" && pair.value != "none")
        return fail("driftfix: \"{}\" is not one of slew, none", pair.value);
      config.rtc.makes_up = pair.value == "slew";
    } else if (pair.key != "base") {
      return fail("\"{}\" is not known; there are base= and driftfix=", pair.key);
    } else if (pair.value == "utc") {
      config.rtc.base = RtcBase::Utc;
    } else if (pair.value == "localtime") {
      config.rtc.base = RtcBase::LocalTime;
    } else {
      const auto date = parse_date(pair.value);
      if (!date) return std::unexpected(date.error());
      config.rtc.base = RtcBase::Date;
      config.rtc.date = *date;
    }
  }
  return {};
}

Result<> apply_pit(MachineConfig& config, std::string_view value) {
  const auto pairs = split_key_values(value, "lost_tick_policy");
  if (!pairs) return std::unexpected(pairs.error());
  for (const KeyValue& pair : *pairs) {
    if (pair.key != "lost_tick_policy") return fail("\"{}\" is not known; there is lost_tick_policy=", pair.key);
    if (pair.value != "slew" && pair.value != "discard") return fail("\"{}\" is not one of slew, discard", pair.value);
    config.pit_makes_up = pair.value == "slew";
  }
  return {};
}

template <std::string MachineConfig::* Member>
Result<> apply_text(MachineConfig& config, std::string_view value) {
  if (auto checked = non_empty(value); !checked) return checked;
  config.*Member = value;
  return {};
}

Result<> apply_append(MachineConfig& config, std::string_view value) {
  config.append = value;
  return {};
}

Result<> apply_uuid(MachineConfig& config, std::string_view value) {
  std::array<std::uint8_t, 16> uuid{};
  std::size_t nibbles = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool dash_place = i == 8 || i == 13 || i == 18 || i == 23;
    const auto digit = std::string_view("0123456789abcdef").find(static_cast<char>(value[i] | 0x20));
    if (value.size() != 36 || dash_place != (value[i] == '-') || (!dash_place && digit == std::string_view::npos)) {
      return fail("\"{}\" is not a UUID like 01234567-89ab-cdef-0123-456789abcdef", value);
    }
    if (dash_place) continue;
    uuid[nibbles / 2] = static_cast<std::uint8_t>(uuid[nibbles / 2] << 4 | digit);
    ++nibbles;
  }
  if (nibbles != 32) return fail("\"{}\" is not a UUID like 01234567-89ab-cdef-0123-456789abcdef", value);
  config.uuid = uuid;
  return {};
}

Result<> apply_serial(MachineConfig& config, std::string_view value) {
  if (auto checked = check_stream(value, {"stdio", "file", "unix", "pty", "null", "none"}); !checked) return checked;
  config.serial.emplace_back(value);
  return {};
}

Result<> apply_debugcon(MachineConfig& config, std::string_view value) {
  const auto pairs = split_key_values(value, "stream");
  if (!pairs) return std::unexpected(pairs.error());
  for (const auto& pair : *pairs) {
    if (pair.key == "stream") {
      if (auto checked = check_stream(pair.value, {"stdio", "file", "unix", "pty", "null", "none"}); !checked) {
        return checked;
      }
      config.debugcon.stream = pair.value;
    } else if (pair.key == "port") {
      const auto port = parse_number(pair.value, 1, 0xffff);
      if (!port) return fail("port: {}", port.error().message);
      config.debugcon.port = static_cast<std::uint16_t>(*port);
    } else {
      return fail("unknown key \"{}\"; known is port", pair.key);
    }
  }
  return {};
}

template <bool MachineConfig::* Member>
Result<> apply_switch(MachineConfig& config, std::string_view value) {
  const auto on = parse_switch({"switch", std::string(value)});
  if (!on) return fail("\"{}\": give on or off", value);
  config.*Member = *on;
  return {};
}

template <std::string MachineConfig::* Member>
Result<> apply_stream(MachineConfig& config, std::string_view value) {
  if (auto checked = check_stream(value, {"stdio", "file", "unix", "pty", "none"}); !checked) return checked;
  config.*Member = value;
  return {};
}

Result<> check_port_name(const MachineConfig& config, std::string_view name) {
  constexpr std::size_t kLongestName = 64;
  if (name.size() > kLongestName) return fail("the name \"{}\" has more than {} characters", name, kLongestName);
  const bool is_taken = std::ranges::find(config.virtio_ports, name, &PortConfig::name) != config.virtio_ports.end() ||
                        std::ranges::find(config.spice_ports, name) != config.spice_ports.end();
  if (is_taken) return fail("there are two ports \"{}\"", name);
  return {};
}

Result<> apply_spice_port(MachineConfig& config, std::string_view value) {
  if (value.empty()) return fail("needs a name");
  if (value == kAgentPort) return fail("\"{}\" is the agent's: --agent on gives the guest that one", value);
  if (auto checked = check_port_name(config, value); !checked) return checked;
  config.spice_ports.emplace_back(value);
  return {};
}

template <std::optional<bool> MachineConfig::* Member>
Result<> apply_choice(MachineConfig& config, std::string_view value) {
  const auto on = parse_switch({"", std::string(value)});
  if (!on) return fail("\"{}\": give on or off", value);
  config.*Member = *on;
  return {};
}

Result<> apply_virtio_port(MachineConfig& config, std::string_view value) {
  const auto end = value.find('=');
  if (end == 0 || end == std::string_view::npos) return fail("\"{}\": write NAME=STREAM", value);
  const auto name = value.substr(0, end);
  const auto stream = value.substr(end + 1);
  if (auto checked = check_port_name(config, name); !checked) return checked;
  if (auto checked = check_stream(stream, {"stdio", "file", "unix", "pty", "none"}); !checked) return checked;
  config.virtio_ports.push_back({std::string(name), std::string(stream)});
  return {};
}

template <std::string MachineConfig::* Member>
Result<> apply_control(MachineConfig& config, std::string_view value) {
  if (auto checked = check_stream(value, {"stdio", "unix", "pty", "none"}); !checked) return checked;
  config.*Member = value == "none" ? "" : value;
  return {};
}

constexpr std::string_view kMachine = "Machine";
constexpr std::string_view kDisks = "Disks and boot";
constexpr std::string_view kPorts = "Serial and debug ports";
constexpr std::string_view kDisplay = "Display and control";
constexpr std::string_view kProcess = "The process";
constexpr std::string_view kInformation = "Information";

constexpr Option kOptions[] = {
    {kDisks, "--disk", "FILE[,if=ide|ahci|virtio][,snapshot=on][,readonly=on]",
     "A raw disk image or block device as an IDE disk, with if=ahci as a SATA disk on an AHCI controller, or with "
     "if=virtio as a virtio-blk device. snapshot=on keeps writes in a temporary file and leaves FILE untouched; "
     "readonly=on refuses them. Up to four IDE, six SATA and eight virtio drives. A comma in FILE is written twice.",
     true, apply_disk},
    {kDisks, "--cdrom", "FILE[,if=ide|ahci]",
     "An ISO image in an IDE CD-ROM drive, or with if=ahci in a SATA one. An empty FILE gives a drive without a disc, "
     "to be filled by the monitor's change command.",
     false, apply_cdrom},
    {kDisks, "--snapshot", "",
     "Keep what is written to any disk in temporary files, as snapshot=on does for one, and leave all images "
     "untouched.",
     false, apply_snapshot},
    {kDisks, "--boot", "ORDER|menu=on",
     "What to boot from, in order: letters of c (disk), d (CD-ROM) and n (network); the default is cdn. menu=on lets "
     "SeaBIOS offer its boot menu. Both: --boot order=dc,menu=on.",
     true, apply_boot},
    {kDisks, "--kernel", "FILE",
     "Boot this kernel directly: a Linux bzImage, an ELF file with a PVH entry, or a Multiboot 1 image.", false,
     apply_text<&MachineConfig::kernel>},
    {kDisks, "--initrd", "FILE", "The initial RAM disk of --kernel (the modules of a Multiboot image).", false,
     apply_text<&MachineConfig::initrd>},
    {kDisks, "--append", "TEXT", "The command line of --kernel.", false, apply_append},

    {kDisks, "--restore", "FILE",
     "Go on from a snapshot that the monitor's savevm has written, with the same options and disks as then.", false,
     apply_text<&MachineConfig::restore>},

    {kMachine, "--memory", "SIZE", "RAM of the guest: a number of MiB, or with a suffix K, M, G, T. The default is 1G.",
     false, apply_memory},
    {kMachine, "--cpus", "N", "How many CPUs the guest has. The default is 1.", false, apply_cpus},
    {kMachine, "--accel", "kvm|soft|auto[,icount=N[,sleep=on|off]]",
     "Which CPU runs the guest: KVM, the built-in software CPU, or the better of what there is (the default). With "
     "soft,icount=N guest time is made by instructions, each of which takes 2^N ns (N up to 10): the same inputs give "
     "the "
     "same screens, run after run. An idle guest waits in real time, or with sleep=off not at all.",
     false, apply_accel},
    {kMachine, "--machine", "[pc,]hpet=on|off", "Whether the board has high precision event timers. The default is on.",
     true, apply_machine},
    {kMachine, "--rtc", "base=utc|localtime|DATE[,driftfix=slew|none]",
     "What the guest's clock shows at power-on: the host's UTC (the default), its local time, or a date such as "
     "2020-01-01T00:00:00 (the default with icount). Periodic interrupts that the guest was too late for come again in "
     "quick succession, or with driftfix=none not at all.",
     false, apply_rtc},
    {kMachine, "--pit", "lost_tick_policy=slew|discard",
     "Whether timer ticks that the host let slip, or that came before the guest had taken the last one, come later in "
     "quick succession (the default) or not at all.",
     false, apply_pit},
    {kMachine, "--action", "panic=pause|shutdown|exit-failure|none",
     "What is done when the guest says that it has panicked: it is paused (the default), the machine ends with status "
     "0 "
     "or 1, or nothing but an event in QMP.",
     false, apply_action},
    {kMachine, "--rng", "on|off", "Whether there is a virtio source of entropy. The default is off.", false,
     apply_switch<&MachineConfig::rng>},
    {kMachine, "--balloon", "on|off",
     "Whether there is a virtio balloon, by which the monitor's balloon command takes memory from the guest. The "
     "default "
     "is off.",
     false, apply_switch<&MachineConfig::balloon>},
    {kMachine, "--usb", "on|off[,controllers=ehci|uhci][,tablet=on|off]",
     "Whether there is USB: an ICH9's enhanced controller with six ports and its companions, or with controllers=uhci "
     "a PIIX3's controller with two. There is a tablet in the first port, unless it says tablet=off. The default is "
     "on.",
     false, apply_usb},
    {kMachine, "--usb-device",
     "tablet|keyboard|mouse|hub|storage,file=FILE[,snapshot=on][,readonly=on][,port=N[.M]][,usb_version=1|2]",
     "A USB device, and USB with it. It takes the next free port or, with port=, that one; N.M is port M of the hub in "
     "port N. A stick shows FILE, a raw image. usb_version=1 makes a tablet, keyboard or mouse a full-speed device of "
     "USB 1.1.",
     true, apply_usb_device},
    {kMachine, "--cpu", "MODEL|help",
     "Which CPU the guest sees: a model of the software CPU, or host, which is the only one with KVM; help lists them.",
     false, apply_cpu},
    {kMachine, "--bios", "FILE|none", "A BIOS image instead of the built-in SeaBIOS; none starts --kernel without any.",
     false, apply_text<&MachineConfig::bios>},
    {kMachine, "--vgabios", "FILE", "A VGA BIOS image instead of the built-in one.", false,
     apply_text<&MachineConfig::vgabios>},
    {kMachine, "--name", "TEXT", "The name of the machine, shown to clients and in the monitor.", false,
     apply_text<&MachineConfig::name>},
    {kMachine, "--uuid", "UUID", "The machine's UUID in SMBIOS and for clients. The default is a random one.", false,
     apply_uuid},

    {kPorts, "--serial", "stdio|file:PATH|unix:PATH|pty|none",
     "Where COM1 goes; given twice, COM2. unix: listens on a socket, pty prints its name.", true, apply_serial},
    {kPorts, "--debugcon", "stdio|file:PATH[,port=N]",
     "A debug console at a port, 0x402 if not said otherwise: what a guest writes there appears in the stream.", false,
     apply_debugcon},
    {kPorts, "--debug-exit", "on|off",
     "Whether a byte written to port 0xf4 ends minivmm with the exit status (byte << 1) | 1. The default is on.", false,
     apply_switch<&MachineConfig::debug_exit>},

    {kPorts, "--virtio-console", "stdio|file:PATH|unix:PATH|pty|none",
     "A virtio console, which Linux knows as hvc0, and where it goes.", false,
     apply_stream<&MachineConfig::virtio_console>},
    {kPorts, "--virtio-port", "NAME=stdio|file:PATH|unix:PATH|pty|none",
     "A named port of the virtio-serial device, which Linux shows as /dev/virtio-ports/NAME, and where it goes. Up to "
     "31 "
     "times.",
     true, apply_virtio_port},

    {kDisplay, "--display", "none|sdl[,KEY=VALUE...]",
     "With sdl, a window on this computer's screen for each display, by SDL2 and X11. Keys as QEMU has them: "
     "full-screen=on, window-close=off (closing a window does not end the machine), show-cursor=on (the host's pointer "
     "over the guest's), grab-mod=lctrl-lalt|lshift-lctrl-lalt|rctrl (the keys to hold for what follows). In a window "
     "Ctrl+Alt+G takes keyboard and mouse for the guest and frees them, as a click does where the guest has no tablet; "
     "Ctrl+Alt+F is full screen and back, Ctrl+Alt+U the guest's own size, Ctrl+Alt+S saves a picture as a PNG file in "
     "the current directory. A window that is resized resizes the guest's screen if its driver can do that, and the "
     "picture otherwise. The default is none.",
     false, apply_display},
    {kDisplay, "--spice", "PORT|KEY=VALUE,...",
     "Serve SPICE. A bare port listens on loopback without a password; the keys are those of QEMU's -spice, listed "
     "below.",
     false, apply_spice},
    {kDisplay, "--qxl", "KEY=VALUE,...",
     "The QXL display; given again, up to three more, each with a window of its own at the client. The keys are those "
     "of QEMU's qxl-vga: revision (1 to 5), ram_size, vram_size, ram_size_mb, vram_size_mb, vram64_size_mb, vgamem_mb, "
     "surfaces, max_outputs, xres and yres (the first monitor). For driver developers: debug=1 prints what ports are "
     "used, guestdebug=1 what the driver logs, cmdlog=1 what it draws; record=FILE writes down all that the display is "
     "asked to show, for minivmm replay, each display into a file of its own. A full disk ends the recording, with an "
     "error in the log.",
     true, apply_qxl},
    {kDisplay, "--agent", "on|off",
     "Whether the guest has the port com.redhat.spice.0 of SPICE's agent (package spice-vdagent): copy and paste, "
     "files, "
     "the display's size, the pointer. The default is on with --spice.",
     false, apply_choice<&MachineConfig::agent>},
    {kDisplay, "--webdav", "on|off",
     "Whether the guest has the port org.spice-space.webdav.0, by which it sees a folder of the client (package "
     "spice-webdavd). The default is on with --spice.",
     false, apply_choice<&MachineConfig::webdav>},
    {kDisplay, "--spiceport", "NAME",
     "A named port of the virtio-serial device that SPICE clients have as a channel of that name. Any number of times, "
     "up to the device's 31 ports.",
     true, apply_spice_port},
    {kDisplay, "--monitor", "stdio|unix:PATH|pty",
     "A monitor for people: try its help command. On a terminal Tab completes, the arrow keys edit and go through what "
     "was "
     "typed before. pty prints its name.",
     false, apply_control<&MachineConfig::monitor>},
    {kDisplay, "--qmp", "unix:PATH|stdio|pty", "A monitor for programs: QMP, as QEMU speaks it.", false,
     apply_control<&MachineConfig::qmp>},

    {kProcess, "--sandbox", "on|off",
     "Whether each thread is held to the system calls that it needs; any other one ends the process. The default is "
     "on.",
     false, apply_switch<&MachineConfig::sandbox>},
    {kProcess, "--user", "NAME|UID:GID",
     "Run the guest with this user's rights; for root. Files and ports that the options name are opened before, those "
     "that the monitor names later with that user's rights.",
     false, apply_text<&MachineConfig::user>},

    {kInformation, "--help", "", "Show this text."},
    {kInformation, "--version", "", "Show the version."},
    {kInformation, "--man-page", "", "Print the manual page, to be read with man -l."},
};

}  // namespace

std::span<const Option> options() {
  return kOptions;
}

}  // namespace vmm::config
