#include "vmm/cpu/soft/mail.h"

#include <algorithm>

namespace vmm::cpu::soft {

void Mail::ring() {
  for (Cpu* cpu : cpus_)
    cpu->attention.store(1, std::memory_order_release);
  const std::scoped_lock lock(mutex_);
  has_rung_ = true;
  if (sleeps_) rung_.notify_one();
}

void Mail::post(const core::MsiMessage& message) {
  {
    const std::scoped_lock lock(mutex_);
    if (std::ranges::find(messages_, message) != messages_.end() || messages_.size() >= kMaxMessages) return;
    messages_.push_back(message);
    has_messages_.store(true, std::memory_order_release);
  }
  ring();
}

void Mail::take_messages(std::vector<core::MsiMessage>& messages) {
  messages.clear();
  if (!has_messages_.load(std::memory_order_acquire)) return;
  const std::scoped_lock lock(mutex_);
  messages.swap(messages_);
  has_messages_.store(false, std::memory_order_relaxed);
}

void Mail::sleep(std::optional<std::chrono::steady_clock::time_point> deadline) {
  std::unique_lock lock(mutex_);
  sleeps_ = true;
  if (deadline) {
    rung_.wait_until(lock, *deadline, [this] { return has_rung_; });
  } else {
    rung_.wait(lock, [this] { return has_rung_; });
  }
  sleeps_ = false;
  has_rung_ = false;
}

}  // namespace vmm::cpu::soft
