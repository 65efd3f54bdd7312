// One experiment: registers and memory before, a few instructions, and what they made of it. The host's processor and
// the software CPU do the same ones, at the same addresses and in the same mode (64-bit, or compatibility with code and
// data of 32 or 16 bits; CPL 3).
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

namespace vmm::cpu::soft::differential {

// Code and data have a page each; the pages around them are not mapped, on either side.
constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kCodeAddress = 0x10000000, kDataAddress = 0x10010000;

// Bits of code and data segments. Those of 16 bits have 64 KiB: code from its page on, data with its page in the
// middle.
enum class Segments : std::uint8_t { Bits16, Bits32, Bits64 };
constexpr std::uint64_t kData16Base = kDataAddress - 0x8000, kLimit16 = 0xffff;
constexpr std::uint64_t code_base(Segments segments) {
  return segments == Segments::Bits16 ? kCodeAddress : 0;
}
constexpr std::uint64_t data_base(Segments segments) {
  return segments == Segments::Bits16 ? kData16Base : 0;
}

// The part of an FXSAVE image that holds registers. [SDM 1 10.5.1]
constexpr unsigned kFxBytes = 416;
// Bits 128-255 of the YMM registers. [SDM 1 13.5.3]
constexpr unsigned kYmmHighBytes = 256;
struct Registers {
  std::array<std::uint64_t, 16> general{};
  std::uint32_t flags = 2;
  alignas(16) std::array<std::uint8_t, kFxBytes> fx{};
  alignas(16) std::array<std::uint8_t, kYmmHighBytes> ymm_high{};

  template <class T>
  T fx_field(unsigned offset) const {
    T value;
    std::memcpy(&value, fx.data() + offset, sizeof value);
    return value;
  }
  template <class T>
  void set_fx_field(unsigned offset, T value) {
    std::memcpy(fx.data() + offset, &value, sizeof value);
  }
};
// Offsets in `fx`.
constexpr unsigned kFxControl = 0, kFxStatus = 2, kFxTag = 4, kFxOpcode = 6, kFxIp = 8, kFxDp = 16, kFxMxcsr = 24;
constexpr unsigned kFxSt = 32, kFxXmm = 160;

struct Case {
  static constexpr unsigned kMaxBytes = 120;
  std::array<std::uint8_t, kMaxBytes> code{};
  std::uint8_t size = 0;
  Segments segments = Segments::Bits64;
  Registers before;
};

using Memory = std::array<std::uint8_t, kPage>;

// INT3. Whatever of the code page is no code is that.
constexpr std::uint8_t kBreakpoint = 0xcc;

// Ends with a breakpoint after the last instruction, or with an earlier fault.
constexpr std::uint8_t kDone = 3;
struct Outcome {
  std::uint8_t vector = kDone;
  std::uint32_t error_code = 0;
  std::uint64_t address = 0;  // of a page fault
  std::uint64_t rip = 0;      // of the instruction that faulted; after the last one
  Registers after;
  Memory memory{};
};

}  // namespace vmm::cpu::soft::differential
