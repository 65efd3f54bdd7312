// Numbers for KVM's memory slots: the lowest free one, up to what the kernel allows.
#pragma once

#include <cstdint>
#include <optional>
#include <set>

namespace vmm::cpu::kvm {

class SlotAllocator {
 public:
  explicit SlotAllocator(std::uint32_t limit) : limit_(limit) {}

  std::optional<std::uint32_t> take() {
    if (!returned_.empty()) return returned_.extract(returned_.begin()).value();
    if (next_ == limit_) return std::nullopt;
    return next_++;
  }
  void give_back(std::uint32_t slot) { returned_.insert(slot); }

 private:
  std::uint32_t limit_;
  std::uint32_t next_ = 0;
  std::set<std::uint32_t> returned_;
};

}  // namespace vmm::cpu::kvm
