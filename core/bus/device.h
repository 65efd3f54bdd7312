// What every device is to the machine: named, resettable, savable, with one lock.
#pragma once

#include "core/base/device_lock.h"
#include "core/state/state.h"

namespace core::inline bus {

class Device : public Stateful {
 public:
  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  DeviceLock& lock() { return lock_; }
  // Power-on state; recomputes the interrupt line. The caller holds the lock.
  virtual void reset() = 0;

 private:
  DeviceLock lock_;
};

}  // namespace core::inline bus
