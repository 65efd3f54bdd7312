#include "core/pci/msi.h"

namespace core::inline pci {

namespace {

constexpr std::uint8_t kMsiId = 0x05;
// [PCI 3.0 6.8.1] Offsets in the capability, and bits of Message Control.
constexpr std::uint32_t kControl = 2;
constexpr std::uint32_t kAddress = 4;
constexpr std::uint32_t kUpperAddress = 8;
constexpr std::uint32_t kData = 12;
constexpr std::uint32_t kBytes = 14;
constexpr std::uint16_t kEnable = 1;
constexpr std::uint16_t k64Bit = 1 << 7;

constexpr std::array kRows{
    Register{.name = "MC", .offset = kControl, .width = 2, .reset = k64Bit, .writable = kEnable},
    Register{.name = "MA", .offset = kAddress, .width = 4, .writable = 0xffff'fffc},
    Register{.name = "MUA", .offset = kUpperAddress, .width = 4, .writable = 0xffff'ffff},
    Register{.name = "MD", .offset = kData, .width = 2, .writable = 0xffff},
};

}  // namespace

std::uint32_t Msi::announce(CapabilityList& list) {
  return list.add(kMsiId, kBytes, kRows);
}

bool Msi::enabled() const {
  return (config_.value(capability_ + kControl, 2) & kEnable) != 0;
}

void Msi::notify() {
  if (!enabled()) return;
  const auto address = config_.value(capability_ + kAddress, 4) | config_.value(capability_ + kUpperAddress, 4) << 32;
  sink_.deliver({address, static_cast<std::uint32_t>(config_.value(capability_ + kData, 2))});
}

}  // namespace core::inline pci
