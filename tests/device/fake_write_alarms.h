// Write alarms that go off when a test says what has been written.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/memory/memory_block.h"
#include "core/memory/write_alarm.h"

namespace tests {

class FakeWriteAlarms final : public core::WriteAlarms {
 public:
  std::unique_ptr<core::WriteAlarm> create_alarm(core::DeviceLock& lock, std::function<void()> ring) override {
    return std::make_unique<Alarm>(*this, lock, std::move(ring));
  }
  // No device lock may be held.
  void written(core::Gpa at) {
    const core::Gpa page(at.value() / core::kPageSize * core::kPageSize);
    for (auto* const alarm : std::vector(alarms_)) {
      if (std::ranges::find(alarm->pages, page) == alarm->pages.end()) continue;
      const std::scoped_lock guard(alarm->lock);
      alarm->pages.clear();
      alarm->ring();
    }
  }
  std::size_t watched_pages() const {
    std::size_t pages = 0;
    for (const auto* const alarm : alarms_)
      pages += alarm->pages.size();
    return pages;
  }
  bool refuses = false;  // whatever is to be watched

 private:
  struct Alarm final : core::WriteAlarm {
    Alarm(FakeWriteAlarms& owner, core::DeviceLock& device_lock, std::function<void()> on_ring)
        : alarms(owner), lock(device_lock), ring(std::move(on_ring)) {
      alarms.alarms_.push_back(this);
    }
    ~Alarm() override { std::erase(alarms.alarms_, this); }
    bool set(std::span<const core::Gpa> wanted) override {
      pages.clear();
      if (!alarms.refuses) pages.assign(wanted.begin(), wanted.end());
      return !pages.empty();
    }
    void clear() override { pages.clear(); }

    FakeWriteAlarms& alarms;
    core::DeviceLock& lock;
    std::function<void()> ring;
    std::vector<core::Gpa> pages;
  };
  std::vector<Alarm*> alarms_;
};

}  // namespace tests
