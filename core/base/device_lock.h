// The one mutex of a device. The bus, timers and completions take it before they call into the device, so a device's
// own code runs single-threaded and never locks itself. Host-side callers (input, control) take it explicitly.
//
// Lock order, outermost first (docs/threads.md): device that was accessed -> interrupt controllers -> clock, address
// tables, mailboxes. A device lock is never held while waiting for a worker, a socket or a disk.
#pragma once

#include <mutex>

namespace core::inline base {

class DeviceLock {
 public:
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }
  bool try_lock() { return mutex_.try_lock(); }

 private:
  std::mutex mutex_;
};

}  // namespace core::inline base
