// The FPU and vector registers as memory has them: the area of FXSAVE, and of XSAVE in standard form, whose first 512
// bytes are the same. [SDM 1 10.5, 13.4]
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "vmm/cpu/soft/cpu.h"

namespace vmm::cpu::soft {

// State components. [SDM 1 13.1]
constexpr std::uint64_t kXstateX87 = 1u << 0, kXstateSse = 1u << 1, kXstateAvx = 1u << 2,
                        kXstateAll = kXstateX87 | kXstateSse | kXstateAvx;

// Offsets. [SDM 1 table 10-2, 13.4]
constexpr unsigned kFxsavePointers = 8, kFxsaveMxcsr = 24, kFxsaveMxcsrMask = 28, kFxsaveSt = 32, kFxsaveXmm = 160,
                   kFxsaveReserved = 416, kFxsaveBytes = 512, kXsaveHeader = 512, kXsaveBytes = 576;
// Behind the header: the upper halves of the YMM registers. [SDM 1 13.5.3]
constexpr unsigned kXsaveYmm = kXsaveBytes, kXsaveYmmBytes = 256, kXsaveBytesAvx = kXsaveYmm + kXsaveYmmBytes;
// Of an area for these components. [SDM 1 13.4]
constexpr unsigned xsave_bytes(std::uint64_t components) {
  return (components & kXstateAvx) != 0 ? kXsaveBytesAvx : kXsaveBytes;
}

using FxsaveImage = std::array<std::uint8_t, kFxsaveBytes>;

// `wide`: with REX.W, pointers of 64 bits without selectors. The register forms write and read nothing else.
void write_x87(const X87& fpu, bool wide, FxsaveImage& image);
void read_x87(X87& fpu, bool wide, const FxsaveImage& image);
void write_mxcsr(const Cpu& cpu, FxsaveImage& image);  // and its mask
std::uint32_t read_mxcsr(const FxsaveImage& image);
// The first `count` XMM registers.
void write_xmm(const Cpu& cpu, unsigned count, FxsaveImage& image);
void read_xmm(Cpu& cpu, unsigned count, const FxsaveImage& image);

// CpuState::xsave. Cpu::mode is to be right: it decides how wide the x87 pointers are. Upper halves of YMM registers
// are in it if one of them is not zero, so that a machine that does not use them goes to CPUs that do not have them,
// too.
std::vector<std::uint8_t> save_xsave_image(const Cpu& cpu);
// Refuses an image whose header or MXCSR no processor writes, or that holds registers which this CPU does not have.
core::Result<> load_xsave_image(Cpu& cpu, std::span<const std::uint8_t> image);

}  // namespace vmm::cpu::soft
