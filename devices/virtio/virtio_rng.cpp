#include "devices/virtio/virtio_rng.h"

#include <algorithm>
#include <array>

namespace devices::virtio {

namespace {
constexpr std::uint16_t kEntropyType = 4;  // [5.4.1]
// Long enough that a guest which asks for ever more still gets to do something else.
constexpr core::GuestTime kPause = std::chrono::microseconds(20);
}  // namespace

VirtioRng::VirtioRng(EntropySource source, core::GuestClock& clock) : source_(std::move(source)), clock_(clock) {}

std::uint16_t VirtioRng::type() const {
  return kEntropyType;
}

void VirtioRng::attached() {
  timer_ = clock_.create_timer(host().device_lock(), [this] { fill_buffers(); });
}

void VirtioRng::queue_notified(unsigned) {
  if (!timer_->armed()) timer_->arm(clock_.now() + kPause);
}

void VirtioRng::fill_buffers() {
  Chain chain;
  unsigned filled = 0;
  for (; filled < kMostBuffers && pop(0, chain); ++filled) {
    std::array<std::uint8_t, kMostBytes> bytes{};
    const auto part = std::span(bytes).first(std::min<std::uint64_t>(chain.writable.size(), bytes.size()));
    source_(part);
    chain.writable.write(0, part);
    push(0, chain, part.size());
  }
  host().notify_used(0);
  if (filled == kMostBuffers) timer_->arm(clock_.now() + kPause);
}

void VirtioRng::reset() {
  if (timer_) timer_->cancel();
}

void VirtioRng::visit(core::StateVisitor&) {}

// What was asked for before the save is answered after the load.
core::Result<> VirtioRng::state_loaded() {
  timer_->arm(clock_.now() + kPause);
  return {};
}

}  // namespace devices::virtio
