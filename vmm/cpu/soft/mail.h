// What other threads tell the CPUs' thread. Whoever tells something never waits for it: the lock is a leaf and held for
// a few instructions.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "core/bus/irq.h"
#include "vmm/cpu/soft/cpu.h"

namespace vmm::cpu::soft {

class Mail {
 public:
  void add_cpu(Cpu& cpu) { cpus_.push_back(&cpu); }  // before there are other threads

  // Any thread.
  void kick() { tell(kicked_); }
  void want_ext_int() { tell(ext_int_); }
  void want_writes_dropped() { tell(drop_writes_); }
  void post(const core::MsiMessage& message);
  void ring();  // come out and look: the memory map changed

  // CPUs' thread. All answer what was told since they were asked last. attend() comes first: what is told after it
  // brings a CPU out again.
  void attend() {
    for (Cpu* cpu : cpus_)
      cpu->attention.exchange(0, std::memory_order_acquire);
  }
  bool take_kick() { return take(kicked_); }
  bool take_ext_int() { return take(ext_int_); }
  // Somebody interrupts a CPU; not taken yet.
  bool has_interrupts() const {
    return has_messages_.load(std::memory_order_relaxed) || ext_int_.load(std::memory_order_relaxed);
  }
  bool take_drop_writes() { return take(drop_writes_); }
  // Replaces the contents of `messages`.
  void take_messages(std::vector<core::MsiMessage>& messages);
  // Until somebody rings, has rung since the last time, or `deadline` passes; at once if there is news.
  void sleep(std::optional<std::chrono::steady_clock::time_point> deadline);

 private:
  // Messages of one kind become one, as they would in an interrupt request register; a guest that thinks of more kinds
  // while its CPU does not look loses them.
  static constexpr std::size_t kMaxMessages = 1024;

  void tell(std::atomic<bool>& what) {
    what.store(true, std::memory_order_release);
    ring();
  }
  static bool take(std::atomic<bool>& what) {
    return what.load(std::memory_order_relaxed) && what.exchange(false, std::memory_order_acquire);
  }

  std::vector<Cpu*> cpus_;
  std::atomic<bool> kicked_{false};
  std::atomic<bool> ext_int_{false};
  std::atomic<bool> drop_writes_{false};
  std::atomic<bool> has_messages_{false};
  std::mutex mutex_;
  std::condition_variable rung_;
  std::vector<core::MsiMessage> messages_;  // guarded by mutex_
  bool has_rung_ = false;                   // guarded by mutex_
  bool sleeps_ = false;                     // guarded by mutex_
};

}  // namespace vmm::cpu::soft
