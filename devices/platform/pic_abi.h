// 8259A command words and the PIIX edge/level control registers. [8259A data sheet, 231468-003] [PIIX4 4.2.4]
#pragma once

#include <cstdint>

namespace devices::platform::pic_abi {

constexpr std::uint16_t kMasterPort = 0x20;
constexpr std::uint16_t kSlavePort = 0xa0;
constexpr std::uint16_t kElcrPort = 0x4d0;
constexpr unsigned kCascadeInput = 2;
constexpr std::uint8_t kMasterElcrMask = 0xf8;  // IRQ0..2 are always edge
constexpr std::uint8_t kSlaveElcrMask = 0xde;   // so are IRQ8 and IRQ13

// Command port: ICW1 has bit 4, OCW3 bit 3, OCW2 neither.
constexpr std::uint8_t kIcw1 = 1 << 4;
constexpr std::uint8_t kIcw1NeedsIcw4 = 1 << 0;
constexpr std::uint8_t kIcw1Single = 1 << 1;
constexpr std::uint8_t kIcw1Level = 1 << 3;
constexpr std::uint8_t kIcw4AutoEoi = 1 << 1;
constexpr std::uint8_t kIcw4SpecialFullyNested = 1 << 4;
constexpr std::uint8_t kOcw3 = 1 << 3;
constexpr std::uint8_t kOcw3ReadIsr = 1 << 0;
constexpr std::uint8_t kOcw3ReadSelect = 1 << 1;
constexpr std::uint8_t kOcw3Poll = 1 << 2;
constexpr std::uint8_t kOcw3SpecialMask = 1 << 5;
constexpr std::uint8_t kOcw3SpecialMaskSelect = 1 << 6;

// OCW2 bits 7:5.
enum class Ocw2 : std::uint8_t {
  RotateAutoEoiOff = 0,
  Eoi = 1,
  NoOperation = 2,
  SpecificEoi = 3,
  RotateAutoEoiOn = 4,
  RotateEoi = 5,
  SetPriority = 6,
  RotateSpecificEoi = 7,
};

constexpr std::uint8_t kPolledPending = 1 << 7;
constexpr unsigned kSpuriousInput = 7;

}  // namespace devices::platform::pic_abi
