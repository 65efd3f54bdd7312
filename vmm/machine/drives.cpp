#include "vmm/machine/drives.h"

#include <algorithm>

#include "devices/block/drive_bays.h"
#include "vmm/machine/board.h"
#include "vmm/machine/host_ends.h"
#include "vmm/machine/virtio_devices.h"

namespace vmm::machine {

using core::Result;

std::vector<DriveAddress> drive_addresses(const HostEnds& ends) {
  std::vector<DriveAddress> addresses;
  addresses.reserve(ends.drives.size());
  for (const auto& drive : ends.drives)
    addresses.push_back({drive.name, drive.interface, drive.slot});
  // `info block` goes by the places, not by the command line.
  std::ranges::sort(addresses, {},
                    [](const DriveAddress& address) { return std::pair(address.interface, address.slot); });
  return addresses;
}

Drives::Drives(std::vector<DriveAddress> addresses, Board& board) : board_(board) {
  for (auto& address : addresses)
    bays_.push_back({std::move(address.name), board.drives(address.interface), address.slot});
}

const Drives::Bay* Drives::find(std::string_view name) const {
  const auto found = std::ranges::find(bays_, name, &Bay::name);
  return found != bays_.end() ? &*found : nullptr;
}

std::vector<Drive> Drives::list() const {
  std::vector<Drive> drives;
  for (const auto& bay : bays_) {
    if (bay.bays == nullptr) {
      const auto* disk = board_.virtio().disk(bay.slot);
      drives.push_back({.name = bay.name, .path = disk->path(), .read_only = disk->read_only()});
      continue;
    }
    const std::scoped_lock lock(bay.bays->bays_lock());
    const auto view = bay.bays->slot(bay.slot);
    drives.push_back({.name = bay.name,
                      .path = view.backend != nullptr ? view.backend->path() : "",
                      .removable = view.kind == devices::block::DriveKind::Cdrom,
                      .read_only = view.backend != nullptr && view.backend->read_only(),
                      .locked = view.locked,
                      .tray_open = view.tray_open});
  }
  return drives;
}

core::BlockBackend* Drives::fixed_disk(const Bay& bay) const {
  if (bay.bays == nullptr) return board_.virtio().disk(bay.slot);
  const std::scoped_lock lock(bay.bays->bays_lock());
  const auto view = bay.bays->slot(bay.slot);
  return view.kind == devices::block::DriveKind::Disk ? view.backend : nullptr;
}

std::vector<std::pair<std::string, core::BlockBackend*>> Drives::fixed_disks() const {
  std::vector<std::pair<std::string, core::BlockBackend*>> disks;
  for (const auto& bay : bays_) {
    if (auto* disk = fixed_disk(bay); disk != nullptr) disks.emplace_back(bay.name, disk);
  }
  return disks;
}

Result<> Drives::eject(std::string_view name, bool force) {
  return insert(name, nullptr, force);
}

Result<> Drives::insert(std::string_view name, std::unique_ptr<core::BlockBackend> disc, bool force) {
  const auto* bay = find(name);
  if (bay == nullptr) return core::fail("no drive '{}'; info block lists them", name);
  if (bay->bays == nullptr) return core::fail("Device '{}' is not removable", name);
  std::unique_ptr<core::BlockBackend> old;  // destroyed, which may wait, after the lock is dropped
  const std::scoped_lock lock(bay->bays->bays_lock());
  auto taken = bay->bays->eject(bay->slot, force);
  if (!taken) return std::unexpected(taken.error());
  old = std::move(*taken);
  return disc ? bay->bays->insert(bay->slot, std::move(disc)) : Result<>{};
}

}  // namespace vmm::machine
