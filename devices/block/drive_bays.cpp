#include "devices/block/drive_bays.h"

#include <mutex>
#include <utility>

#include "devices/block/atapi_cdrom.h"

namespace devices::block {

// A command may take several requests; it is over when a round of waiting has started no new one.
void DriveBays::drain() {
  const auto started = [this] {
    const std::scoped_lock guard(bays_lock_);
    return requests_started();
  };
  for (;;) {
    const auto before = started();
    for (unsigned i = 0; i < count_; ++i) {
      auto* backend = drive(i) != nullptr ? drive(i)->backend() : nullptr;
      if (backend != nullptr) backend->drain();
    }
    if (started() == before) return;
  }
}

core::Result<std::unique_ptr<core::BlockBackend>> DriveBays::eject(unsigned slot, bool force) {
  auto* cdrom = slot < count_ ? dynamic_cast<AtapiCdrom*>(drive(slot)) : nullptr;
  if (cdrom == nullptr) return core::fail("{} {} has no CD-ROM drive", name_, slot);
  return cdrom->eject(force);
}

core::Result<> DriveBays::insert(unsigned slot, std::unique_ptr<core::BlockBackend> disc) {
  auto* cdrom = slot < count_ ? dynamic_cast<AtapiCdrom*>(drive(slot)) : nullptr;
  if (cdrom == nullptr) return core::fail("{} {} has no CD-ROM drive", name_, slot);
  return cdrom->insert(std::move(disc));
}

DriveBays::SlotView DriveBays::slot(unsigned slot) const {
  const auto* device = slot < count_ ? drive(slot) : nullptr;
  if (device == nullptr) return {};
  SlotView result{.kind = device->is_packet_device() ? DriveKind::Cdrom : DriveKind::Disk,
                  .backend = device->backend()};
  if (const auto* cdrom = dynamic_cast<const AtapiCdrom*>(device); cdrom != nullptr) {
    result.tray_open = cdrom->view().tray_open;
    result.locked = cdrom->view().locked;
  }
  return result;
}

}  // namespace devices::block
