// Whether a schedule may be left alone: nothing moves in it, however often the controller goes round, and the pages
// that it reads on its way are watched, so that a guest that adds something is heard.
//
// First the alarm is set for the pages that have been read, and then the controller goes round once more, since it may
// have been overtaken; a page that is new then begins this again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/memory/guest_memory.h"
#include "core/memory/write_alarm.h"

namespace devices::usb {

class ScheduleWatch {
 public:
  static constexpr std::size_t kMostPages = 64;  // a schedule that is spread over more is looked at for ever

  // Without `alarms`, too. `touched`: the guest has written to the schedule.
  ScheduleWatch(core::WriteAlarms* alarms, core::DeviceLock& lock, std::function<void()> touched);

  // Reads a structure of the schedule; nullopt: it is not in RAM.
  template <core::GuestPod T>
  std::optional<T> read(const core::GuestMemory& memory, std::uint32_t address) {
    if (is_noting_) note(address, sizeof(T));
    return memory.read<T>(core::Gpa(address));
  }
  // The schedule is so quiet that its pages are of interest; false: they are not any more.
  void watch(bool on);
  // `passes` of the `round` that it takes to come by everything went without anything moving. True: it may be left.
  bool is_settled(std::uint64_t passes, std::uint64_t round);

 private:
  void note(std::uint32_t address, std::uint32_t bytes);
  void note_page(std::uint64_t page);

  std::unique_ptr<core::WriteAlarm> alarm_;  // null: there are none
  bool is_noting_ = false;
  bool is_set_ = false;           // for all of pages_
  bool is_beyond_ = false;        // of what can be watched
  std::uint64_t quiet_ = 0;       // passes since the alarm was set
  std::vector<core::Gpa> pages_;  // sorted
};

}  // namespace devices::usb
