#include "devices/platform/x87_error.h"

namespace devices::platform {

namespace {
constexpr std::uint64_t kPort = 0xf0;
}

core::Result<> X87Error::attach(core::AddressSpace& io) {
  auto port = io.add({.start = kPort, .size = 1, .max_width = 1}, *this, lock(), state_name());
  if (!port) return core::fail_with(state_name(), port);
  port_ = std::move(*port);
  return {};
}

void X87Error::set() {
  is_latched_ = true;
  update_irq();
}

void X87Error::reset() {
  is_latched_ = false;
  update_irq();
}

core::Result<> X87Error::state_loaded() {
  update_irq();
  return {};
}

std::uint64_t X87Error::read(std::uint64_t, unsigned) {
  return 0xff;  // write-only
}

void X87Error::write(std::uint64_t, unsigned, std::uint64_t) {
  reset();
}

}  // namespace devices::platform
