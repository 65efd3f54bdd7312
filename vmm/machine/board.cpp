#include "vmm/machine/board.h"

#include <algorithm>
#include <chrono>
#include <ctime>

#include "devices/block/ahci_controller.h"
#include "devices/block/ide_controller.h"
#include "devices/platform/debug_exit.h"
#include "devices/platform/debugcon.h"
#include "devices/platform/hpet.h"
#include "devices/platform/i440fx.h"
#include "devices/platform/i8042.h"
#include "devices/platform/ioapic.h"
#include "devices/platform/isa_irqs.h"
#include "devices/platform/legacy_replacement.h"
#include "devices/platform/pci_config_ports.h"
#include "devices/platform/pic.h"
#include "devices/platform/piix3.h"
#include "devices/platform/piix4_pm.h"
#include "devices/platform/pit.h"
#include "devices/platform/port92.h"
#include "devices/platform/post_port.h"
#include "devices/platform/pvpanic.h"
#include "devices/platform/rtc.h"
#include "devices/platform/rtc_abi.h"
#include "devices/platform/uart16550.h"
#include "devices/platform/x87_error.h"
#include "firmware/platform.h"
#include "vmm/machine/accelerators.h"
#include "vmm/machine/input_choice.h"
#include "vmm/machine/qxl_displays.h"
#include "vmm/machine/usb_devices.h"
#include "vmm/machine/virtio_devices.h"

namespace vmm::machine {

namespace platform = devices::platform;
using core::Result;

namespace {

constexpr std::uint64_t kGib = std::uint64_t{1} << 30;
// The PCI hole begins at 3.5 GiB, or at 3 GiB once RAM reaches into it, as QEMU has it.
constexpr std::uint64_t kLargeHole = 3 * kGib;
constexpr std::uint64_t kSmallHole = kLargeHole + kGib / 2;

// Where the functions of docs/machine.md sit on bus 0.
constexpr core::PciAddress kHostBridgeSlot{0, 0};
constexpr core::PciAddress kIsaBridgeSlot{1, 0};
constexpr core::PciAddress kIdeSlot{1, 1};
constexpr core::PciAddress kPmSlot{1, 3};
constexpr core::PciAddress kAhciSlot{6, 0};

struct SerialPort {
  const char* name;
  std::uint16_t port;
  unsigned irq;
};
constexpr SerialPort kSerialPorts[] = {{"uart0", 0x3f8, 4}, {"uart1", 0x2f8, 3}};

firmware::RamLayout ram_layout(std::uint64_t bytes) {
  const auto below = std::min(bytes, bytes >= kSmallHole ? kLargeHole : kSmallHole);
  return {below, bytes - below};
}

Result<std::unique_ptr<core::MemoryBlock>> rom_block(std::string name, const std::vector<std::uint8_t>& image) {
  auto block = core::MemoryBlock::create(std::move(name), image.size());
  if (block) (*block)->all().write(0, image);
  return block;
}

std::string boot_path(const DrivePlace& drive) {
  switch (drive.interface) {
    case config::DiskInterface::Ahci: return firmware::ahci_boot_path(kAhciSlot.device, drive.slot);
    case config::DiskInterface::Virtio: return firmware::virtio_boot_path(VirtioDevices::kFirstDiskSlot + drive.slot);
    default: return firmware::ide_boot_path(drive.slot / 2, drive.slot % 2);
  }
}

Result<firmware::PlatformConfig> firmware_config(const config::MachineConfig& config,
                                                 const std::array<std::uint8_t, 16>& uuid, const HostEnds& ends,
                                                 std::optional<cpu::KeptMemory> kept) {
  std::vector<firmware::BootCandidate> candidates;
  candidates.reserve(ends.drives.size());
  for (const auto& drive : ends.drives) {
    candidates.push_back({drive.is_cdrom ? 'd' : 'c', boot_path(drive)});
  }
  for (const auto& path : UsbDevices::boot_paths(config))
    candidates.push_back({'c', path});
  firmware::PlatformConfig result;
  result.ram = ram_layout(config.memory_bytes);
  result.cpus = config.cpus;
  result.name = config.name;
  result.uuid = uuid;
  result.boot_order = firmware::ordered_paths(config.boot_order, candidates);
  result.boot_menu = config.boot_menu;
  result.serial_ports = static_cast<unsigned>(ends.serial.size());
  result.hpet = config.hpet;
  if (kept) result.reserved.push_back({kept->start, kept->size});
  result.kernel_from = config.bios == config::kNoBios ? firmware::BootFrom::None : firmware::BootFrom::Bios;
  if (config.kernel.empty()) return result;
  // A comma separates modules, which only Multiboot and PVH kernels tell apart.
  std::vector<std::string> modules;
  for (std::string_view rest = config.initrd; !rest.empty();) {
    const auto end = rest.find(',');
    modules.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  auto kernel = firmware::load_kernel_files(config.kernel, modules, config.append);
  if (!kernel) return std::unexpected(kernel.error());
  result.kernel = std::move(*kernel);
  return result;
}

platform::CmosConfig cmos_config(const config::MachineConfig& config) {
  const auto ram = ram_layout(config.memory_bytes);
  platform::CmosConfig cmos;
  cmos.ram_below_4g_bytes = ram.below_4g;
  cmos.ram_above_4g_bytes = ram.above_4g;
  cmos.cpus = config.cpus;
  // SeaBIOS goes by fw_cfg's bootorder; these are for BIOS images that do not know it.
  for (std::size_t i = 0; i < std::min(config.boot_order.size(), cmos.boot_order.size()); ++i) {
    const char letter = config.boot_order[i];
    cmos.boot_order[i] = letter == 'c'   ? platform::BootDevice::Disk
                         : letter == 'd' ? platform::BootDevice::CdRom
                                         : platform::BootDevice::Network;
  }
  return cmos;
}

// The drives of one controller.
template <class Config>
Config drive_config(std::vector<DrivePlace>& drives, config::DiskInterface interface) {
  Config config;
  for (auto& drive : drives) {
    if (drive.interface != interface) continue;
    auto& slot = config.drives[drive.slot];
    slot.kind = drive.is_cdrom ? devices::block::DriveKind::Cdrom : devices::block::DriveKind::Disk;
    slot.backend = std::move(drive.medium);
  }
  return config;
}

// What the clock's fields say when guest time is 0.
std::chrono::sys_time<std::chrono::nanoseconds> rtc_start(const config::MachineConfig& config) {
  const auto base = config.rtc.base;
  if (base == config::RtcBase::Date) return config.rtc.date;
  if (!base && config.icount) return config::kIcountDate;
  const auto now = std::chrono::system_clock::now();
  if (base != config::RtcBase::LocalTime) return now;
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm fields{};
  return ::localtime_r(&seconds, &fields) == nullptr ? now : now + std::chrono::seconds(fields.tm_gmtoff);
}

}  // namespace

// In the order of construction: what comes later may refer to what comes before, and is taken down first.
struct Board::Parts {
  Parts(const BoardClock& board_clock, GuestRequests guest_requests, HostEnds host_ends)
      : clock(board_clock.clock),
        counted_clock(board_clock.counted),
        requests(std::move(guest_requests)),
        ends(std::move(host_ends)) {}
  // The bus holds ranges of functions that are younger than itself.
  ~Parts() {
    if (pci) pci->unplug_all();
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  Result<> build_memory(const config::MachineConfig& config);
  Result<> build_cpus(const config::MachineConfig& config);
  void build_interrupts();
  Result<> build_firmware(const config::MachineConfig& config, const std::array<std::uint8_t, 16>& uuid);
  void build_chipset(const config::MachineConfig& config);
  Result<> build_devices(const config::MachineConfig& config);
  Result<> plug();
  Result<> attach();
  void list_devices();

  core::GuestClock& clock;
  core::VirtualClock* counted_clock;
  GuestRequests requests;
  HostEnds ends;

  core::AddressSpace io{"io", 0x10000};
  core::AddressSpace mmio{"mmio", 0};
  core::RamMap ram_map;
  std::unique_ptr<core::GuestMemory> ram;
  std::unique_ptr<core::MemoryBlock> bios;

  IntrLine intr;
  platform::Pic pic{{intr}};
  std::unique_ptr<cpu::Accelerator> accelerator;
  std::string accelerator_reason;
  std::unique_ptr<platform::IoApic> ioapic;
  std::unique_ptr<platform::IsaIrqs> isa;
  std::unique_ptr<IrqCounter> irqs;
  std::unique_ptr<platform::LegacyReplacement> timer_irqs;
  A20Gate a20{[this](bool open) { accelerator->set_a20(open); }};

  std::unique_ptr<platform::I440fx> host_bridge;
  std::unique_ptr<platform::Piix3> isa_bridge;
  std::unique_ptr<core::PciBus> pci;
  std::unique_ptr<platform::PciConfigPorts> config_ports;
  std::unique_ptr<platform::Piix4Pm> pm;
  std::unique_ptr<platform::Pit> pit;
  std::unique_ptr<platform::Rtc> rtc;
  std::unique_ptr<platform::Hpet> hpet;
  std::unique_ptr<platform::I8042> i8042;
  std::unique_ptr<platform::Port92> port92;
  platform::PostPort post;
  std::unique_ptr<platform::Pvpanic> pvpanic;
  std::unique_ptr<platform::X87Error> x87_error;
  std::vector<std::unique_ptr<platform::Uart16550>> uarts;
  std::unique_ptr<platform::Debugcon> debugcon;
  std::unique_ptr<platform::DebugExit> debug_exit;
  std::unique_ptr<firmware::FwCfg> fw_cfg;
  std::unique_ptr<devices::block::IdeController> ide;
  std::unique_ptr<devices::block::AhciController> ahci;  // only if a drive asks for it
  std::unique_ptr<VirtioDevices> virtio;
  std::unique_ptr<QxlDisplays> displays;
  std::unique_ptr<UsbDevices> usb;  // only if it is asked for
  std::unique_ptr<InputChoice> input;

  std::vector<core::Device*> devices;
};

Result<> Board::Parts::build_memory(const config::MachineConfig& config) {
  auto memory = core::GuestMemory::create(config.memory_bytes, ram_layout(config.memory_bytes).below_4g);
  if (!memory) return core::fail_with("--memory", memory);
  ram = std::move(*memory);
  return {};
}

Result<> Board::Parts::build_cpus(const config::MachineConfig& config) {
  const auto on_x87_error = [this] {
    const std::scoped_lock guard(x87_error->lock());
    x87_error->set();
  };
  const cpu::AcceleratorWiring wiring{ram_map,     io, mmio, pic, [this](std::uint8_t vector) { ioapic->eoi(vector); },
                                      on_x87_error};
  auto created = create_accelerator(config, wiring, counted_clock);
  if (!created) return std::unexpected(created.error());
  accelerator = std::move(created->accelerator);
  accelerator_reason = std::move(created->reason);
  intr.connect([this] { accelerator->kick_ext_int(); });
  return {};
}

void Board::Parts::build_interrupts() {
  ioapic = std::make_unique<platform::IoApic>(platform::IoApic::Wiring{*accelerator, *accelerator});
  isa = std::make_unique<platform::IsaIrqs>(platform::IsaIrqs::Wiring{pic, *ioapic});
  irqs = std::make_unique<IrqCounter>(*isa);
  timer_irqs = std::make_unique<platform::LegacyReplacement>(*irqs);
}

Result<> Board::Parts::build_firmware(const config::MachineConfig& config, const std::array<std::uint8_t, 16>& uuid) {
  fw_cfg = std::make_unique<firmware::FwCfg>(firmware::FwCfg::Wiring{*ram});
  auto wanted = firmware_config(config, uuid, ends, accelerator->kept_memory());
  if (!wanted) return std::unexpected(wanted.error());
  auto filled = firmware::fill_fw_cfg(*fw_cfg, std::move(*wanted));
  if (!filled) return core::fail_with("--kernel", filled);
  auto rom = rom_block("bios", filled->bios.empty() ? ends.bios : filled->bios);
  if (!rom) return std::unexpected(rom.error());
  bios = std::move(*rom);
  return {};
}

void Board::Parts::build_chipset(const config::MachineConfig& config) {
  host_bridge = std::make_unique<platform::I440fx>(platform::I440fx::Wiring{ram_map, *ram, *bios});
  isa_bridge = std::make_unique<platform::Piix3>(platform::Piix3::Wiring{*irqs});
  pci = std::make_unique<core::PciBus>(core::PciBus::Wiring{io, mmio, ram_map, *isa_bridge});
  config_ports = std::make_unique<platform::PciConfigPorts>(platform::PciConfigPorts::Wiring{*pci, requests.reset});
  pm = std::make_unique<platform::Piix4Pm>(platform::Piix4Pm::Wiring{
      clock, core::IrqLine(*irqs, firmware::kSciInterrupt), [this](platform::Piix4Pm::Sleep sleep) {
        switch (sleep) {
          case platform::Piix4Pm::Sleep::SoftOff: return requests.power_off();
          case platform::Piix4Pm::Sleep::ToDisk: return requests.suspend_to_disk();
          case platform::Piix4Pm::Sleep::ToRam: return requests.suspend_to_ram();
        }
      }});
  pit =
      std::make_unique<platform::Pit>(platform::Pit::Config{config.pit_makes_up},
                                      platform::Pit::Wiring{timer_irqs->board(), clock, [this] { return pic.waits(0); },
                                                            [this] { return timer_irqs->board_is_heard(); }});
  rtc = std::make_unique<platform::Rtc>(
      platform::Rtc::Config{rtc_start(config), cmos_config(config), config.rtc.makes_up},
      platform::Rtc::Wiring{timer_irqs->board(), clock, nullptr, requests.alarm});
  if (config.hpet) hpet = std::make_unique<platform::Hpet>(platform::Hpet::Wiring{*timer_irqs, clock});
  i8042 = std::make_unique<platform::I8042>(
      platform::I8042::Wiring{*irqs, [this](bool open) { a20.drive(A20Gate::Keyboard, open); }, requests.reset});
  port92 = std::make_unique<platform::Port92>(
      platform::Port92::Wiring{[this](bool open) { a20.drive(A20Gate::Port92, open); }, requests.reset});
  pvpanic = std::make_unique<platform::Pvpanic>(platform::Pvpanic::Wiring{requests.panicked, requests.crash_loaded});
  x87_error =
      std::make_unique<platform::X87Error>(platform::X87Error::Wiring{core::IrqLine(*irqs, platform::X87Error::kIrq)});
}

Result<> Board::Parts::build_devices(const config::MachineConfig& config) {
  for (std::size_t i = 0; i < ends.serial.size(); ++i) {
    const auto& place = kSerialPorts[i];
    uarts.push_back(std::make_unique<platform::Uart16550>(
        platform::Uart16550::Config{place.name, place.port},
        platform::Uart16550::Wiring{clock, core::IrqLine(*irqs, place.irq), *ends.serial[i]}));
  }
  if (ends.debugcon) {
    debugcon = std::make_unique<platform::Debugcon>(platform::Debugcon::Config{config.debugcon.port},
                                                    platform::Debugcon::Wiring{*ends.debugcon});
  }
  if (config.debug_exit) {
    debug_exit = std::make_unique<platform::DebugExit>(platform::DebugExit::Config{},
                                                       platform::DebugExit::Wiring{requests.exit});
  }
  ide = std::make_unique<devices::block::IdeController>(
      drive_config<devices::block::IdeController::Config>(ends.drives, config::DiskInterface::Ide),
      devices::block::IdeController::Wiring{*ram, clock, core::IrqLine(*irqs, 14), core::IrqLine(*irqs, 15)});
  if (std::ranges::count(ends.drives, config::DiskInterface::Ahci, &DrivePlace::interface) > 0) {
    auto drives = drive_config<devices::block::AhciController::Config>(ends.drives, config::DiskInterface::Ahci);
    drives.reads_at_once = counted_clock == nullptr;
    ahci = std::make_unique<devices::block::AhciController>(
        std::move(drives), devices::block::AhciController::Wiring{*ram, clock, *accelerator});
  }
  virtio = std::make_unique<VirtioDevices>(
      config, ends, VirtioDevices::Wiring{*ram, clock, *accelerator, accelerator->rings_doorbells(), requests.balloon});
  auto made_usb = UsbDevices::create(config, ends, {*ram, clock});
  if (!made_usb) return std::unexpected(made_usb.error());
  usb = std::move(*made_usb);
  input = std::make_unique<InputChoice>(*i8042, *i8042, usb ? usb->keyboard() : nullptr, usb ? usb->mouse() : nullptr);
  auto made_displays = QxlDisplays::create(config, ends.vgabios, {io, mmio, ram_map, clock, counted_clock != nullptr});
  if (!made_displays) return std::unexpected(made_displays.error());
  displays = std::move(*made_displays);
  return {};
}

Result<> Board::Parts::plug() {
  const std::pair<core::PciAddress, core::PciFunction*> functions[] = {{kHostBridgeSlot, host_bridge.get()},
                                                                       {kIsaBridgeSlot, isa_bridge.get()},
                                                                       {kIdeSlot, ide.get()},
                                                                       {kPmSlot, pm.get()},
                                                                       {kAhciSlot, ahci.get()}};
  for (const auto& [address, function] : functions) {
    if (function == nullptr) continue;
    if (auto plugged = pci->plug(address, *function); !plugged) return plugged;
  }
  if (auto plugged = displays->plug(*pci); !plugged) return plugged;
  if (usb) {
    if (auto plugged = usb->plug(*pci); !plugged) return plugged;
  }
  return virtio->plug(*pci);
}

Result<> Board::Parts::attach() {
  Result<> results[] = {pic.attach(io),     ioapic->attach(mmio),  host_bridge->attach(mmio), config_ports->attach(io),
                        pm->attach(io),     pit->attach(io),       rtc->attach(io),           i8042->attach(io),
                        port92->attach(io), post.attach(io),       fw_cfg->attach(io),        ide->attach(io),
                        displays->attach(), x87_error->attach(io), pvpanic->attach(io)};
  for (auto& result : results) {
    if (!result) return result;
  }
  for (auto& uart : uarts) {
    if (auto attached = uart->attach(io); !attached) return attached;
  }
  if (debugcon) {
    if (auto attached = debugcon->attach(io); !attached) return core::fail_with("--debugcon", attached);
  }
  if (hpet) {
    if (auto attached = hpet->attach(mmio); !attached) return attached;
  }
  if (debug_exit) return debug_exit->attach(io);
  return {};
}

void Board::Parts::list_devices() {
  devices = {host_bridge.get(), isa_bridge.get(), config_ports.get(), pm.get(), pit.get(),
             rtc.get(),         i8042.get(),      port92.get(),       &post,    fw_cfg.get(),
             ide.get(),         x87_error.get(),  pvpanic.get()};
  displays->list(devices);
  if (ahci) devices.push_back(ahci.get());
  virtio->list(devices);
  if (usb) usb->list(devices);
  for (auto& uart : uarts)
    devices.push_back(uart.get());
  if (hpet) devices.push_back(hpet.get());
  if (debugcon) devices.push_back(debugcon.get());
  if (debug_exit) devices.push_back(debug_exit.get());
  devices.push_back(ioapic.get());
  devices.push_back(&pic);
}

Result<std::unique_ptr<Board>> Board::create(const config::MachineConfig& config,
                                             const std::array<std::uint8_t, 16>& uuid, HostEnds ends,
                                             const BoardClock& clock, GuestRequests requests) {
  auto parts = std::make_unique<Parts>(clock, std::move(requests), std::move(ends));
  if (auto built = parts->build_memory(config); !built) return std::unexpected(built.error());
  if (auto built = parts->build_cpus(config); !built) return std::unexpected(built.error());
  parts->build_interrupts();
  if (auto built = parts->build_firmware(config, uuid); !built) return std::unexpected(built.error());
  parts->build_chipset(config);
  if (auto built = parts->build_devices(config); !built) return std::unexpected(built.error());
  if (auto plugged = parts->plug(); !plugged) return std::unexpected(plugged.error());
  if (auto attached = parts->attach(); !attached) return std::unexpected(attached.error());
  parts->list_devices();
  return std::unique_ptr<Board>(new Board(std::move(parts)));
}

Board::Board(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Board::~Board() = default;

void Board::reset() {
  reset_all_but(nullptr);
}

void Board::reset_all_but(const core::Device* spared) {
  const core::RamMap::Batch batch(parts_->ram_map);
  for (auto* device : parts_->devices) {
    if (device == spared) continue;
    const std::scoped_lock lock(device->lock());
    device->reset();
  }
  parts_->pci->remap();
}

bool Board::suspended() {
  return parts_->pm->suspended();
}

// The host bridge stays as it is: RAM that shadows the firmware holds what tells it a resume from a cold start.
void Board::wake_up(WakeReason reason) {
  reset_all_but(parts_->host_bridge.get());
  parts_->rtc->set_shutdown_code(platform::rtc_abi::kResumeFromS3);
  parts_->pm->note_wake_up(reason == WakeReason::Alarm ? platform::Piix4Pm::WakeReason::Alarm
                                                       : platform::Piix4Pm::WakeReason::PowerButton);
}

bool Board::alarm_wakes() {
  return parts_->rtc->alarm_rings() && parts_->pm->wakes_by_alarm();
}

std::optional<core::GuestTime> Board::next_alarm() {
  return parts_->pm->wakes_by_alarm() ? parts_->rtc->next_ring() : std::nullopt;
}

const std::string& Board::accelerator_reason() const {
  return parts_->accelerator_reason;
}

cpu::Accelerator& Board::accelerator() {
  return *parts_->accelerator;
}
core::AddressSpace& Board::io() {
  return parts_->io;
}
core::AddressSpace& Board::mmio() {
  return parts_->mmio;
}
core::RamMap& Board::ram_map() {
  return parts_->ram_map;
}
core::PciBus& Board::pci() {
  return *parts_->pci;
}
core::KeyboardSink& Board::keyboard() {
  return *parts_->input;
}
core::MouseSink& Board::mouse() {
  return *parts_->input;
}
core::TabletSink* Board::tablet() {
  return parts_->usb ? parts_->usb->tablet() : nullptr;
}
UsbDevices* Board::usb() {
  return parts_->usb.get();
}
QxlDisplays& Board::displays() {
  return *parts_->displays;
}
devices::block::DriveBays* Board::drives(config::DiskInterface interface) {
  switch (interface) {
    case config::DiskInterface::Ide: return parts_->ide.get();
    case config::DiskInterface::Ahci: return parts_->ahci.get();
    default: return nullptr;
  }
}
VirtioDevices& Board::virtio() {
  return *parts_->virtio;
}
std::vector<core::MemoryBlock*> Board::memory() {
  std::vector<core::MemoryBlock*> blocks{&parts_->ram->block()};
  parts_->displays->list_memory(blocks);
  return blocks;
}
void Board::set_running(bool running) {
  for (auto& uart : parts_->uarts) {
    const std::scoped_lock lock(uart->lock());
    uart->set_running(running);
  }
  parts_->virtio->set_running(running);
}
void Board::drain_disks() {
  parts_->ide->drain();
  if (parts_->ahci) parts_->ahci->drain();
  parts_->virtio->drain();
  if (parts_->usb) parts_->usb->drain();
}
platform::Piix4Pm& Board::power() {
  return *parts_->pm;
}
const IrqCounter& Board::interrupts() {
  return *parts_->irqs;
}
std::span<core::Device* const> Board::devices() {
  return parts_->devices;
}

}  // namespace vmm::machine
