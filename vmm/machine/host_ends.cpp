#include "vmm/machine/host_ends.h"

#include <array>
#include <fmt/format.h>

#include "devices/block/open_disk.h"
#include "devices/character/open.h"
#include "firmware/images.h"

namespace vmm::machine {

namespace {

using core::Result;

// Disks take these places in turn, as QEMU's -drive does; the third is the CD-ROM's if there is one.
struct Place {
  unsigned channel;
  unsigned unit;
};
constexpr std::array<Place, 4> kPlaces{{{0, 0}, {0, 1}, {1, 0}, {1, 1}}};
constexpr std::size_t kCdromPlace = 2;

Result<std::vector<DrivePlace>> open_drives(const config::MachineConfig& config) {
  std::vector<DrivePlace> drives;
  const bool has_cdrom = config.cdrom || config.disks.size() < kPlaces.size();
  std::size_t place = 0;
  for (const auto& disk : config.disks) {
    if (place == kCdromPlace && has_cdrom) ++place;
    auto medium = devices::block::open_disk({disk.path, disk.read_only, disk.snapshot});
    if (!medium) return core::fail_with("--disk", medium);
    const auto [channel, unit] = kPlaces[place++];
    drives.push_back({fmt::format("ide{}-hd{}", channel, unit), channel, unit, false, std::move(*medium)});
  }
  if (!has_cdrom) return drives;
  const auto [channel, unit] = kPlaces[kCdromPlace];
  DrivePlace cdrom{fmt::format("ide{}-cd{}", channel, unit), channel, unit, true, nullptr};
  if (config.cdrom && !config.cdrom->empty()) {
    auto disc = open_disc(*config.cdrom);
    if (!disc) return core::fail_with("--cdrom", disc);
    cdrom.medium = std::move(*disc);
  }
  drives.push_back(std::move(cdrom));
  return drives;
}

Result<std::vector<std::uint8_t>> image_or(const std::string& path, std::span<const std::uint8_t> built_in,
                                           Result<std::vector<std::uint8_t>> (*load)(const std::string&)) {
  if (!path.empty()) return load(path);
  return std::vector<std::uint8_t>(built_in.begin(), built_in.end());
}

}  // namespace

Result<std::unique_ptr<core::BlockBackend>> open_disc(const std::string& path) {
  return devices::block::open_disk({path, true, false});
}

Result<HostEnds> open_host_ends(const config::MachineConfig& config) {
  HostEnds ends;
  auto drives = open_drives(config);
  if (!drives) return std::unexpected(drives.error());
  ends.drives = std::move(*drives);
  for (const auto& spec : config.serial) {
    auto stream = devices::character::open(spec);
    if (!stream) return core::fail_with("--serial", stream);
    ends.serial.push_back(std::move(*stream));
  }
  if (!config.debugcon.stream.empty() && config.debugcon.stream != "none") {
    auto stream = devices::character::open(config.debugcon.stream);
    if (!stream) return core::fail_with("--debugcon", stream);
    ends.debugcon = std::move(*stream);
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
