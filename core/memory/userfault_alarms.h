// Write alarms by the kernel's write protection of pages. [Linux, Documentation/admin-guide/mm/userfaultfd.rst]
//
// A write to a page of an alarm that is set, by whatever thread, CPU or system call, waits until a thread here has
// taken the protection away; that thread takes no device's lock, so that whoever writes may hold any.
#pragma once

#include <memory>

#include "core/base/result.h"
#include "core/base/thread_start.h"
#include "core/memory/guest_memory.h"
#include "core/memory/write_alarm.h"

namespace core::inline memory {

class UserfaultAlarms final : public WriteAlarms {
 public:
  // Fails where the kernel has no write protection for this user: it wants CAP_SYS_PTRACE, or access to
  // /dev/userfaultfd, or vm.unprivileged_userfaultfd=1. Before the sandbox is sealed; `memory` outlives it.
  static Result<std::unique_ptr<UserfaultAlarms>> create(const GuestMemory& memory, const ThreadStart& start = {});
  ~UserfaultAlarms() override;  // all alarms are gone
  UserfaultAlarms(const UserfaultAlarms&) = delete;
  UserfaultAlarms& operator=(const UserfaultAlarms&) = delete;

  std::unique_ptr<WriteAlarm> create_alarm(DeviceLock& lock, std::function<void()> ring) override;

 private:
  class Impl;
  explicit UserfaultAlarms(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace core::inline memory
