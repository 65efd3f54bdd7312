#include "devices/platform/debugcon.h"

namespace devices::platform {

namespace {
constexpr std::uint8_t kPresent = 0xe9;
}

core::Result<> Debugcon::attach(core::AddressSpace& io) {
  auto range = io.add({.start = config_.port, .size = 1, .max_width = 1}, *this, lock(), "debugcon");
  if (!range) return std::unexpected(range.error());
  range_ = std::move(*range);
  return {};
}

std::uint64_t Debugcon::read(std::uint64_t, unsigned) {
  return kPresent;
}

void Debugcon::write(std::uint64_t, unsigned, std::uint64_t value) {
  const auto byte = static_cast<std::uint8_t>(value);
  wiring_.stream.write(std::span(&byte, 1));
}

std::size_t Debugcon::read_string(std::uint64_t, unsigned, std::span<std::uint8_t>) {
  return 0;  // element by element does
}

std::size_t Debugcon::write_string(std::uint64_t, unsigned width, std::span<const std::uint8_t> bytes) {
  if (width != 1) return 0;
  wiring_.stream.write(bytes);
  return bytes.size();
}

}  // namespace devices::platform
