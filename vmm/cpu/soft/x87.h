// The x87 FPU's state as its instructions and its neighbours (MMX, FXSAVE, XSAVE) see it. [SDM 1 8]
#pragma once

#include <cstdint>

#include "vmm/cpu/soft/cpu.h"

namespace vmm::cpu::soft {

// Status word. [SDM 1 8.1.3]
constexpr std::uint16_t kFpuIe = 1u << 0, kFpuDe = 1u << 1, kFpuZe = 1u << 2, kFpuOe = 1u << 3, kFpuUe = 1u << 4,
                        kFpuPe = 1u << 5, kFpuSf = 1u << 6, kFpuEs = 1u << 7, kFpuC0 = 1u << 8, kFpuC1 = 1u << 9,
                        kFpuC2 = 1u << 10, kFpuC3 = 1u << 14, kFpuBusy = 1u << 15;
constexpr std::uint16_t kFpuExceptions = 0x3f;
constexpr std::uint16_t kFpuConditions = kFpuC0 | kFpuC1 | kFpuC2 | kFpuC3;

// X87::status holds neither TOP nor ES and B, which follow from the rest.
inline std::uint16_t pending_exceptions(const X87& fpu) {
  return fpu.status & static_cast<std::uint16_t>(~fpu.control) & kFpuExceptions;
}
inline std::uint16_t status_word(const X87& fpu) {
  return static_cast<std::uint16_t>(fpu.status | fpu.top << 11 |
                                    (pending_exceptions(fpu) != 0 ? kFpuEs | kFpuBusy : 0));
}
inline void set_status_word(X87& fpu, std::uint16_t value) {
  fpu.status = value & (kFpuExceptions | kFpuSf | kFpuConditions);
  fpu.top = value >> 11 & 7;
}
inline void set_control_word(X87& fpu, std::uint16_t value) {
  fpu.control = static_cast<std::uint16_t>((value & 0x1f3f) | 0x40);
}

inline X87::Register& st(X87& fpu, unsigned index) {
  return fpu.registers[(fpu.top + index) & 7];
}
inline const X87::Register& st(const X87& fpu, unsigned index) {
  return fpu.registers[(fpu.top + index) & 7];
}
inline bool is_empty(const X87& fpu, unsigned index) {
  return (fpu.occupied >> ((fpu.top + index) & 7) & 1) == 0;
}

// The full tag word of the two-bit form. [SDM 1 8.1.7]
std::uint16_t tag_word(const X87& fpu);
void set_tag_word(X87& fpu, std::uint16_t tags);
// What FNINIT leaves. The registers' values stay.
void initialize_x87(X87& fpu);

// A pending unmasked exception at a waiting instruction: #MF, or with CR0.NE clear the platform's error line; then the
// instruction runs, as it does on a PC whose board asserts IGNNE#. False if it raised. [SDM 1 8.7]
[[gnu::cold]] bool report_pending(Cpu& cpu);

}  // namespace vmm::cpu::soft
