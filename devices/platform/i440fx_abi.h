// [82441FX: Intel 440FX PCIset, order number 290549-001] configuration registers of the host bridge that this model
// acts on.
#pragma once

#include <cstdint>

namespace devices::platform::i440fx_abi {

// [82441FX 3.2.18] Programmable attribute map: a nibble a section of the BIOS area, PAM0's low nibble reserved.
constexpr std::uint32_t PAM0 = 0x59;
constexpr std::uint32_t PAM6 = 0x5f;
constexpr unsigned PAM_RE = 1;  // reads come from DRAM
constexpr unsigned PAM_WE = 2;  // writes go to DRAM

// [82441FX 3.2.23] System management RAM control
constexpr std::uint32_t SMRAM = 0x72;
constexpr std::uint8_t G_SMRAME = 1 << 3;  // system management RAM exists
constexpr std::uint8_t D_LCK = 1 << 4;     // locks the register until reset
constexpr std::uint8_t D_CLS = 1 << 5;
constexpr std::uint8_t D_OPEN = 1 << 6;  // its RAM shows at A0000h outside system management mode as well

// [82441FX 3.1] ports of the configuration mechanism
constexpr std::uint64_t CONFADD = 0xcf8;
constexpr std::uint64_t TRC = 0xcf9;
constexpr std::uint64_t CONFDATA = 0xcfc;
constexpr std::uint32_t CONE = 0x8000'0000;  // CONFADD: accesses to CONFDATA are configuration cycles
// [82371SB 2.5.4] the same port in the south bridge, whose bits 2:1 are those of TRC
constexpr std::uint8_t SRST = 1 << 1;  // a hard reset rather than one of the CPU
constexpr std::uint8_t RCPU = 1 << 2;  // its rising edge resets

}  // namespace devices::platform::i440fx_abi
