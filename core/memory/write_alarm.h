// Tells when somebody writes to pages of guest memory, without anybody looking for it: for devices that guests give
// work by writing to memory and nothing else.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "core/base/device_lock.h"
#include "core/memory/gpa.h"

namespace core::inline memory {

// An alarm goes off once: set() makes it ready again.
class WriteAlarm {
 public:
  // Waits until `ring` is not running: never with its device's lock held.
  virtual ~WriteAlarm() = default;
  // Both with the device's lock held. The next write of anybody, CPU or device, to one of `pages` (where they begin)
  // calls `ring`; what was written before can be read once set() has returned. Replaces earlier pages. False: these
  // pages cannot be watched, and the alarm is off.
  virtual bool set(std::span<const Gpa> pages) = 0;
  virtual void clear() = 0;  // afterwards `ring` does not run until the next set()
};

class WriteAlarms {
 public:
  virtual ~WriteAlarms() = default;
  // `ring` is called with `lock` held, soon after the write, on a thread of the alarms.
  virtual std::unique_ptr<WriteAlarm> create_alarm(DeviceLock& lock, std::function<void()> ring) = 0;
};

}  // namespace core::inline memory
