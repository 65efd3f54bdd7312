#include "devices/usb/schedule_watch.h"

#include <algorithm>
#include <utility>

namespace devices::usb {

ScheduleWatch::ScheduleWatch(core::WriteAlarms* alarms, core::DeviceLock& lock, std::function<void()> touched)
    : alarm_(alarms != nullptr ? alarms->create_alarm(lock, std::move(touched)) : nullptr) {}

void ScheduleWatch::watch(bool on) {
  if (alarm_ == nullptr || on == is_noting_) return;
  is_noting_ = on;
  is_set_ = is_beyond_ = false;
  pages_.clear();
  if (!on) alarm_->clear();
}

void ScheduleWatch::note(std::uint32_t address, std::uint32_t bytes) {
  const std::uint64_t first = address / core::kPageSize;
  const std::uint64_t last = (std::uint64_t{address} + bytes - 1) / core::kPageSize;
  note_page(first);
  if (last != first) note_page(last);
}

void ScheduleWatch::note_page(std::uint64_t page) {
  const core::Gpa start(page * core::kPageSize);
  const auto at = std::ranges::lower_bound(pages_, start);
  if (at != pages_.end() && *at == start) return;
  is_set_ = false;
  is_beyond_ = is_beyond_ || pages_.size() >= kMostPages;
  if (!is_beyond_) pages_.insert(at, start);
}

bool ScheduleWatch::is_settled(std::uint64_t passes, std::uint64_t round) {
  if (!is_noting_ || is_beyond_ || pages_.empty()) return false;
  if (is_set_) {
    quiet_ += passes;
    return quiet_ >= round;
  }
  quiet_ = 0;
  is_set_ = alarm_->set(pages_);
  is_beyond_ = !is_set_;
  return false;
}

}  // namespace devices::usb
