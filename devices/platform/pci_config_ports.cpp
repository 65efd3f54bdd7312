#include "devices/platform/pci_config_ports.h"

#include "core/base/bits.h"
#include "devices/platform/i440fx_abi.h"

namespace devices::platform {

using namespace i440fx_abi;

namespace {
constexpr std::uint32_t kAddressBits = CONE | 0x00ff'fffc;  // [PCI 3.0 figure 3-2] the others read as zero
constexpr std::uint64_t kResetControlOffset = TRC - CONFADD;
}  // namespace

core::Result<> PciConfigPorts::attach(core::AddressSpace& io) {
  auto address = io.add({.start = CONFADD, .size = 4, .max_width = 4}, address_port_, lock(), "pci-config-address");
  if (!address) return std::unexpected(address.error());
  auto data = io.add({.start = CONFDATA, .size = 4, .max_width = 4}, data_port_, lock(), "pci-config-data");
  if (!data) return std::unexpected(data.error());
  address_range_ = std::move(*address);
  data_range_ = std::move(*data);
  return {};
}

// [PCI 3.0 3.2.2.3.2] only a whole double word is CONFADD; narrower accesses go on to the ISA bus, where CF9h is.
std::uint64_t PciConfigPorts::read_address(std::uint64_t offset, unsigned width) {
  if (width == 4) return state_.address;
  if (offset == kResetControlOffset && width == 1) return state_.reset_control;
  return core::all_ones(width);
}

void PciConfigPorts::write_address(std::uint64_t offset, unsigned width, std::uint64_t value) {
  if (width == 4) {
    state_.address = static_cast<std::uint32_t>(value) & kAddressBits;
  } else if (offset == kResetControlOffset && width == 1) {
    write_reset_control(static_cast<std::uint8_t>(value));
  }
}

void PciConfigPorts::write_reset_control(std::uint8_t value) {
  const bool rises = (value & RCPU) != 0 && (state_.reset_control & RCPU) == 0;
  state_.reset_control = value & (SRST | RCPU);
  if (rises) wiring_.reset();
}

std::uint64_t PciConfigPorts::read_data(std::uint64_t offset, unsigned width) {
  if ((state_.address & CONE) == 0) return core::all_ones(width);
  const auto at = (state_.address & 0xfc) + static_cast<std::uint32_t>(offset);
  if (offset % width == 0) return wiring_.bus.config_read(bus_number(), function(), at, width);
  // A word at CFDh is one cycle with two byte enables; no register of a function cares about the difference.
  std::uint64_t value = 0;
  for (unsigned i = 0; i < width; ++i)
    value |= std::uint64_t{wiring_.bus.config_read(bus_number(), function(), at + i, 1)} << (8 * i);
  return value;
}

void PciConfigPorts::write_data(std::uint64_t offset, unsigned width, std::uint64_t value) {
  if ((state_.address & CONE) == 0) return;
  const auto at = (state_.address & 0xfc) + static_cast<std::uint32_t>(offset);
  if (offset % width == 0) {
    wiring_.bus.config_write(bus_number(), function(), at, width, static_cast<std::uint32_t>(value));
    return;
  }
  for (unsigned i = 0; i < width; ++i)
    wiring_.bus.config_write(bus_number(), function(), at + i, 1, static_cast<std::uint32_t>(value >> (8 * i)) & 0xff);
}

}  // namespace devices::platform
