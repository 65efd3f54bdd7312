// What every device is to the machine: named, resettable, savable, with one lock. Functions of one chip that act on
// each other share theirs.
#pragma once

#include "core/base/device_lock.h"
#include "core/state/state.h"

namespace core::inline bus {

class Device : public Stateful {
 public:
  Device() = default;
  // With a lock that others have, too; it must outlive them all.
  explicit Device(DeviceLock* shared) : lock_(shared != nullptr ? *shared : own_lock_) {}
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  DeviceLock& lock() { return lock_; }
  // Power-on state; recomputes the interrupt line. The caller holds the lock.
  virtual void reset() = 0;

 private:
  DeviceLock own_lock_;
  DeviceLock& lock_ = own_lock_;
};

}  // namespace core::inline bus
