#include "vmm/machine/host_ends.h"

#include <algorithm>
#include <fmt/format.h>

#include "devices/block/open_disk.h"
#include "devices/character/open.h"
#include "firmware/images.h"

namespace vmm::machine {

namespace {

using core::Result;

using config::DiskInterface;

// Disks take the places of their controller in turn, as QEMU's -drive does.
constexpr unsigned kIdePlaces = 4;
constexpr unsigned kCdromPlace = 2;  // of an IDE CD-ROM drive, if there is one

std::string drive_name(DiskInterface interface, unsigned slot, bool is_cdrom) {
  const auto* kind = is_cdrom ? "cd" : "hd";
  if (interface == DiskInterface::Virtio) return fmt::format("virtio{}", slot);
  if (interface == DiskInterface::Ahci) return fmt::format("ahci0-{}{}", kind, slot);
  return fmt::format("ide{}-{}{}", slot / 2, kind, slot % 2);
}

class Places {
 public:
  explicit Places(bool has_ide_cdrom) : has_ide_cdrom_(has_ide_cdrom) {}
  unsigned take_disk(DiskInterface interface) {
    if (interface == DiskInterface::Ahci) return ahci_++;
    if (interface == DiskInterface::Virtio) return virtio_++;
    if (ide_ == kCdromPlace && has_ide_cdrom_) ++ide_;
    return ide_++;
  }
  unsigned take_cdrom(DiskInterface interface) { return interface == DiskInterface::Ahci ? ahci_++ : kCdromPlace; }

 private:
  bool has_ide_cdrom_;
  unsigned ide_ = 0;
  unsigned ahci_ = 0;
  unsigned virtio_ = 0;
};

Result<std::vector<DrivePlace>> open_drives(const config::MachineConfig& config, const core::ThreadStart& start) {
  const auto ide_disks = std::ranges::count(config.disks, DiskInterface::Ide, &config::DiskConfig::interface);
  // A PC has a CD-ROM drive; without --cdrom it is an empty one, if there is a place left.
  auto wanted = config.cdrom;
  if (!wanted && ide_disks < kIdePlaces) wanted.emplace();
  Places places(wanted && wanted->interface == DiskInterface::Ide);
  std::vector<DrivePlace> drives;
  const auto add = [&drives](DiskInterface interface, unsigned slot, bool is_cdrom,
                             std::unique_ptr<core::BlockBackend> medium) {
    drives.push_back({drive_name(interface, slot, is_cdrom), interface, slot, is_cdrom, std::move(medium)});
  };
  for (const auto& disk : config.disks) {
    auto medium =
        devices::block::open_disk({disk.path, disk.read_only, disk.snapshot, config.icount.has_value(), start});
    if (!medium) return core::fail_with("--disk", medium);
    add(disk.interface, places.take_disk(disk.interface), false, std::move(*medium));
  }
  if (!wanted) return drives;
  std::unique_ptr<core::BlockBackend> medium;
  if (!wanted->path.empty()) {
    auto disc = open_disc(config, wanted->path, start);
    if (!disc) return core::fail_with("--cdrom", disc);
    medium = std::move(*disc);
  }
  add(wanted->interface, places.take_cdrom(wanted->interface), true, std::move(medium));
  return drives;
}

Result<> open_usb_disks(const config::MachineConfig& config, const core::ThreadStart& start, HostEnds& ends) {
  for (const auto& device : config.usb.devices) {
    if (device.kind != config::UsbKind::Storage) continue;
    auto disk =
        devices::block::open_disk({device.path, device.read_only, device.snapshot, config.icount.has_value(), start});
    if (!disk) return core::fail_with("--usb-device", disk);
    ends.usb_disks.push_back(std::move(*disk));
  }
  return {};
}

Result<std::vector<std::uint8_t>> image_or(const std::string& path, std::span<const std::uint8_t> built_in,
                                           Result<std::vector<std::uint8_t>> (*load)(const std::string&)) {
  if (!path.empty()) return load(path);
  return std::vector<std::uint8_t>(built_in.begin(), built_in.end());
}

}  // namespace

Result<std::unique_ptr<core::BlockBackend>> open_disc(const config::MachineConfig& config, const std::string& path,
                                                      const core::ThreadStart& start) {
  return devices::block::open_disk({path, true, false, config.icount.has_value(), start});
}

Result<HostEnds> open_host_ends(const config::MachineConfig& config, const core::ThreadStart& start) {
  HostEnds ends;
  ends.start = start;
  auto drives = open_drives(config, start);
  if (!drives) return std::unexpected(drives.error());
  ends.drives = std::move(*drives);
  if (auto opened = open_usb_disks(config, start, ends); !opened) return std::unexpected(opened.error());
  for (const auto& spec : config.serial) {
    auto stream = devices::character::open(spec, start);
    if (!stream) return core::fail_with("--serial", stream);
    ends.serial.push_back(std::move(*stream));
  }
  if (!config.debugcon.stream.empty() && config.debugcon.stream != "none") {
    auto stream = devices::character::open(config.debugcon.stream, start);
    if (!stream) return core::fail_with("--debugcon", stream);
    ends.debugcon = std::move(*stream);
  }
  if (!config.virtio_console.empty() && config.virtio_console != "none") {
    auto stream = devices::character::open(config.virtio_console, start);
    if (!stream) return core::fail_with("--virtio-console", stream);
    ends.virtio_console = std::move(*stream);
  }
  for (const auto& port : config.virtio_ports) {
    auto stream = devices::character::open(port.stream, start);
    if (!stream) return core::fail_with("--virtio-port", stream);
    ends.virtio_ports.push_back({port.name, std::move(*stream)});
  }
  if (config.bios != config::kNoBios) {
    auto bios = image_or(config.bios, firmware::seabios(), firmware::load_bios);
    if (!bios) return core::fail_with("--bios", bios);
    ends.bios = std::move(*bios);
  }
  auto vgabios = image_or(config.vgabios, firmware::vgabios_qxl(), firmware::load_vgabios);
  if (!vgabios) return core::fail_with("--vgabios", vgabios);
  ends.vgabios = std::move(*vgabios);
  return ends;
}

}  // namespace vmm::machine
