// A bounded queue of bytes or packets inside a saved state.
#pragma once

#include <array>
#include <cstdint>

#include "core/state/state.h"

namespace devices::platform {

template <class T, std::size_t Capacity>
class Ps2Queue {
 public:
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  std::size_t room() const { return Capacity - count_; }
  // Drops the value if there is no room.
  void push(const T& value) {
    if (room() == 0) return;
    items_[(head_ + count_) % Capacity] = value;
    ++count_;
  }
  const T& front() const { return items_[head_]; }  // not of an empty queue
  T pop() {                                         // a default value from an empty queue
    if (empty()) return {};
    const T value = items_[head_];
    head_ = static_cast<std::uint16_t>((head_ + 1U) % Capacity);
    --count_;
    return value;
  }
  void clear() { *this = {}; }

  void visit(core::StateVisitor& v) {
    v.field("items", items_);
    v.field("head", head_);
    v.field("count", count_);
  }
  void sanitise() {  // after a load
    if (head_ >= Capacity || count_ > Capacity) clear();
    if constexpr (requires(T item) { item.sanitise(); }) {
      for (auto& item : items_)
        item.sanitise();
    }
  }

 private:
  std::array<T, Capacity> items_{};
  std::uint16_t head_ = 0;
  std::uint16_t count_ = 0;
};

}  // namespace devices::platform
