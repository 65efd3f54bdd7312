#include "tests/bench/guest/pci.h"

#include "tests/guest/bare/bare.h"

namespace bench {

namespace {

constexpr unsigned kCommand = 0x04;
constexpr std::uint32_t kMemoryAndMaster = 0x6;
constexpr std::uint32_t kIntxDisable = 1U << 10;
constexpr unsigned kFirstBar = 0x10;
constexpr unsigned kCapabilities = 0x34;
constexpr unsigned kInterruptLine = 0x3c;

constexpr std::uint8_t kMsi = 0x05;
constexpr std::uint8_t kMsix = 0x11;
constexpr std::uint32_t kMsiEnable = 1U << 16;
constexpr std::uint32_t kMsi64 = 1U << 23;
constexpr std::uint32_t kMsixEnable = 1U << 31;
constexpr std::uint32_t kMsixFunctionMask = 1U << 30;
constexpr std::uint32_t kMessageAddress = 0xfee0'0000;  // local APIC 0, physical

constexpr std::uintptr_t kIoApic = 0xfec0'0000;

void write_io_apic(std::uint32_t index, std::uint32_t value) {
  bare::at<std::uint32_t>(kIoApic) = index;
  bare::at<std::uint32_t>(kIoApic + 0x10) = value;
}

}  // namespace

std::uint32_t PciFunction::config(unsigned offset) const {
  bare::out32(0xcf8, 1U << 31 | device << 11 | function << 8 | (offset & 0xfc));
  return bare::in32(0xcfc);
}

std::uint8_t PciFunction::config8(unsigned offset) const {
  return static_cast<std::uint8_t>(config(offset) >> 8 * (offset & 3));
}

void PciFunction::set_config(unsigned offset, std::uint32_t value) const {
  bare::out32(0xcf8, 1U << 31 | device << 11 | function << 8 | (offset & 0xfc));
  bare::out32(0xcfc, value);
}

std::uintptr_t PciFunction::bar(unsigned index) const {
  const auto low = config(kFirstBar + 4 * index);
  bare::expect((low & 1) == 0, "a memory BAR");
  if ((low & 4) != 0) bare::expect(config(kFirstBar + 4 * index + 4) == 0, "a BAR below 4 GiB");
  bare::expect((low & ~0xfU) != 0, "a BAR that the BIOS has placed");
  return low & ~0xfU;
}

unsigned PciFunction::capability(std::uint8_t id, unsigned from) const {
  auto at = from == 0 ? config8(kCapabilities) : config8(from + 1);
  while (at != 0 && config8(at) != id)
    at = config8(at + 1U);
  return at;
}

bool PciFunction::open(std::uint8_t vector) const {
  const auto command = (config(kCommand) & 0xffff) | kMemoryAndMaster;
  set_config(kCommand, command | kIntxDisable);
  if (route_msix(vector) || route_msi(vector)) return true;
  set_config(kCommand, command & ~kIntxDisable);
  route_line(vector);
  return false;
}

bool PciFunction::route_msix(std::uint8_t vector) const {
  const auto capability_at = capability(kMsix);
  if (capability_at == 0) return false;
  const auto place = config(capability_at + 4);
  const auto table = bar(place & 7) + (place & ~7U);
  set_config(capability_at, (config(capability_at) | kMsixEnable) & ~kMsixFunctionMask);
  bare::at<std::uint32_t>(table) = kMessageAddress;
  bare::at<std::uint32_t>(table + 4) = 0;
  bare::at<std::uint32_t>(table + 8) = vector;
  bare::at<std::uint32_t>(table + 12) = 0;  // not masked
  return true;
}

bool PciFunction::route_msi(std::uint8_t vector) const {
  const auto capability_at = capability(kMsi);
  if (capability_at == 0) return false;
  const auto control = config(capability_at);
  const bool wide = (control & kMsi64) != 0;
  set_config(capability_at + 4, kMessageAddress);
  if (wide) set_config(capability_at + 8, 0);
  set_config(capability_at + (wide ? 12 : 8), vector);
  set_config(capability_at, control | kMsiEnable);
  return true;
}

// By its rising edge: a level interrupt that comes while CPL 3 runs is delivered without end by KVM where it emulates
// kernel-mode code. So a handler has to leave the line low. PIRQs are active high behind a PIIX3.
void PciFunction::route_line(std::uint8_t vector) const {
  route_isa_interrupt(config8(kInterruptLine), vector);
}

void route_isa_interrupt(unsigned line, std::uint8_t vector) {
  const std::uint32_t entry = 0x10 + 2U * line;
  write_io_apic(entry + 1, 0);
  write_io_apic(entry, vector);
}

PciFunction find_function(unsigned offset, std::uint32_t mask, std::uint32_t value, const char* what) {
  for (unsigned device = 0; device < 32; ++device) {
    const PciFunction candidate{device, 0};
    if (candidate.present() && (candidate.config(offset) & mask) == value) return candidate;
  }
  bare::expect(false, what);
  return {};
}

}  // namespace bench
