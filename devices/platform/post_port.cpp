#include "devices/platform/post_port.h"

namespace devices::platform {

namespace {
constexpr std::uint64_t kPort = 0x80;
}

core::Result<> PostPort::attach(core::AddressSpace& io) {
  auto range = io.add({.start = kPort, .size = 1, .max_width = 1}, *this, lock(), "post");
  if (!range) return std::unexpected(range.error());
  range_ = std::move(*range);
  return {};
}

std::uint64_t PostPort::read(std::uint64_t, unsigned) {
  return code_;
}

void PostPort::write(std::uint64_t, unsigned, std::uint64_t value) {
  code_ = static_cast<std::uint8_t>(value);
}

}  // namespace devices::platform
