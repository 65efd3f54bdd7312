#include "devices/platform/port92.h"

#include "core/base/bits.h"

namespace devices::platform {

namespace {
constexpr std::uint16_t kPort = 0x92;
constexpr std::uint8_t kFastReset = 1 << 0;
constexpr unsigned kA20Bit = 1;
}  // namespace

core::Result<> Port92::attach(core::AddressSpace& io) {
  auto port = io.add({.start = kPort, .size = 1, .max_width = 1}, *this, lock(), state_name());
  if (!port) return core::fail_with(state_name(), port);
  port_ = std::move(*port);
  return {};
}

void Port92::reset() {
  state_ = {};
  update_a20();
}

core::Result<> Port92::state_loaded() {
  update_a20();
  return {};
}

std::uint64_t Port92::read(std::uint64_t, unsigned) {
  return state_.value;
}

void Port92::write(std::uint64_t, unsigned, std::uint64_t value) {
  const auto written = static_cast<std::uint8_t>(value);
  const bool reset_edge = (written & ~state_.value & kFastReset) != 0;
  state_.value = written;
  update_a20();
  if (reset_edge && wiring_.reset) wiring_.reset();
}

void Port92::update_a20() {
  const bool enabled = core::bit(state_.value, kA20Bit);
  if (enabled == a20_) return;
  a20_ = enabled;
  if (wiring_.a20) wiring_.a20(enabled);
}

}  // namespace devices::platform
