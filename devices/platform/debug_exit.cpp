#include "devices/platform/debug_exit.h"

namespace devices::platform {

namespace {
constexpr std::uint64_t kPorts = 4;  // guests write it with any width
}

core::Result<> DebugExit::attach(core::AddressSpace& io) {
  auto range = io.add({.start = config_.port, .size = kPorts, .max_width = 4}, *this, lock(), "debug-exit");
  if (!range) return std::unexpected(range.error());
  range_ = std::move(*range);
  return {};
}

std::uint64_t DebugExit::read(std::uint64_t, unsigned) {
  return 0;
}

// A process has eight bits of status.
void DebugExit::write(std::uint64_t, unsigned, std::uint64_t value) {
  wiring_.exit(static_cast<int>(((value << 1) | 1) & 0xff));
}

}  // namespace devices::platform
