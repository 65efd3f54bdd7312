// What disk controllers have in common for the machine: places with drives in them, the host's side of CD-ROM trays,
// and waiting until the disks are still.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/device_lock.h"
#include "core/base/result.h"
#include "core/ports/block.h"

namespace devices::block {

class IdeDrive;

enum class DriveKind : std::uint8_t { None, Disk, Cdrom };

struct DriveConfig {
  DriveKind kind = DriveKind::None;
  std::unique_ptr<core::BlockBackend> backend;  // a disk has one; a CD-ROM drive may be empty
  std::string serial;                           // empty: one made from the slot
};

class DriveBays {
 public:
  DriveBays(const DriveBays&) = delete;
  DriveBays& operator=(const DriveBays&) = delete;

  core::DeviceLock& bays_lock() const { return bays_lock_; }  // the controller's
  unsigned bay_count() const { return count_; }

  // Waits until no request is under way. Machine stopped, before saving; lock not held.
  void drain();

  // The host's side of a CD-ROM drive; lock held. A slot without such a drive is an error.
  // The disc that was in it, null if none: destroy it (which waits for its requests) after the lock is dropped and
  // before this controller goes. A tray the guest has locked stays shut unless forced; the guest is asked to eject.
  core::Result<std::unique_ptr<core::BlockBackend>> eject(unsigned slot, bool force);
  core::Result<> insert(unsigned slot, std::unique_ptr<core::BlockBackend> disc);

  struct SlotView {
    DriveKind kind = DriveKind::None;
    core::BlockBackend* backend = nullptr;
    bool tray_open = false;
    bool locked = false;
  };
  SlotView slot(unsigned slot) const;  // for `info block`; lock held

 protected:
  DriveBays(core::DeviceLock& lock, std::string_view name, unsigned count)
      : bays_lock_(lock), name_(name), count_(count) {}
  ~DriveBays() = default;

  virtual IdeDrive* drive(unsigned slot) const = 0;    // null: nothing there
  virtual std::uint64_t requests_started() const = 0;  // to backends so far; lock held

 private:
  core::DeviceLock& bays_lock_;
  std::string_view name_;
  unsigned count_;
};

}  // namespace devices::block
