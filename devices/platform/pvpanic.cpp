#include "devices/platform/pvpanic.h"

namespace devices::platform {

namespace {
constexpr std::uint64_t kPort = 0x505;
constexpr std::uint64_t kPanicked = 1 << 0;
constexpr std::uint64_t kCrashLoaded = 1 << 1;
}  // namespace

core::Result<> Pvpanic::attach(core::AddressSpace& io) {
  auto range = io.add({.start = kPort, .size = 1, .max_width = 1}, *this, lock(), state_name());
  if (!range) return core::fail_with(state_name(), range);
  range_ = std::move(*range);
  return {};
}

// The events it knows.
std::uint64_t Pvpanic::read(std::uint64_t, unsigned) {
  return kPanicked | kCrashLoaded;
}

// One event a write; a panic is the one that counts.
void Pvpanic::write(std::uint64_t, unsigned, std::uint64_t value) {
  if ((value & kPanicked) != 0) {
    wiring_.panicked();
  } else if ((value & kCrashLoaded) != 0) {
    wiring_.crash_loaded();
  }
}

}  // namespace devices::platform
