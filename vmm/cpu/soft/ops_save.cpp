// FXSAVE, XSAVE and their counterparts, MXCSR, EMMS. [SDM 1 9.5, 10.5, 13; SDM 2]
//
// All components count as in use, and XSAVEOPT writes what XSAVE writes: both are permitted. [SDM 1 13.6, 13.9]
#include <algorithm>
#include <array>

#include "vmm/cpu/soft/decoder.h"
#include "vmm/cpu/soft/memory_area.h"
#include "vmm/cpu/soft/operands.h"
#include "vmm/cpu/soft/sse_float.h"
#include "vmm/cpu/soft/x87.h"
#include "vmm/cpu/soft/xsave_image.h"

namespace vmm::cpu::soft {
namespace {

constexpr std::uint8_t kRax = 0 * 8, kRdx = 2 * 8;

unsigned xmm_count(const Cpu& cpu) {
  return cpu.code64() ? 16 : 8;
}

// The alignment counts before all that is wrong with the other bytes.
template <unsigned kAlignment>
bool is_aligned(Cpu& cpu, const Op& op, Access access) {
  std::uint64_t linear = 0;
  if (!linear_address(cpu, op, effective_address(cpu, op), 1, access, linear)) return false;
  if (linear % kAlignment == 0) return true;
  cpu.raise(Vector::GeneralProtection);
  return false;
}

bool begin_fxsave(Cpu& cpu) {
  if ((cpu.cr0 & (kCr0Em | kCr0Ts)) == 0) return true;
  cpu.raise(Vector::DeviceNotAvailable);
  return false;
}
// Unlike the others, these come to the last byte first.
bool find_fxsave_area(Cpu& cpu, const Op& op, Access access, MemoryArea& area) {
  return is_aligned<16>(cpu, op, access) && MemoryArea::probe_part(cpu, op, kFxsaveBytes - 1, 1, access) &&
         area.find(cpu, op, kFxsaveBytes, access) && area.probe(cpu, access);
}
// AMD's fast form leaves the XMM registers out for the kernel. [APM 2 3.1.7]
bool saves_xmm(const Cpu& cpu) {
  return (cpu.efer & kEferFfxsr) == 0 || !cpu.code64() || cpu.cpl != 0;
}

template <bool kWide>
Flow fxsave(Cpu& cpu, const Op& op) {
  MemoryArea area;
  FxsaveImage image{};
  // What is not written stays: the part for software, and registers of 64-bit mode elsewhere.
  if (!begin_fxsave(cpu) || !find_fxsave_area(cpu, op, Access::Write, area) ||
      !area.read(cpu, 0, image.data(), kFxsaveBytes)) {
    return Flow::Fault;
  }
  write_x87(cpu.x87, kWide, image);
  write_mxcsr(cpu, image);
  if (saves_xmm(cpu)) write_xmm(cpu, xmm_count(cpu), image);
  return area.write(cpu, 0, image.data(), kFxsaveReserved) ? Flow::Next : Flow::Fault;
}

template <bool kWide>
Flow fxrstor(Cpu& cpu, const Op& op) {
  MemoryArea area;
  FxsaveImage image{};
  if (!begin_fxsave(cpu) || !find_fxsave_area(cpu, op, Access::Read, area) ||
      !area.read(cpu, 0, image.data(), kFxsaveBytes)) {
    return Flow::Fault;
  }
  if ((read_mxcsr(image) & ~kMxcsrAll) != 0) return cpu.raise(Vector::GeneralProtection);
  read_x87(cpu.x87, kWide, image);
  cpu.mxcsr = read_mxcsr(image);
  if (saves_xmm(cpu)) read_xmm(cpu, xmm_count(cpu), image);
  return Flow::Next;
}

bool begin_xsave(Cpu& cpu) {
  if ((cpu.cr4 & kCr4Osxsave) == 0) {
    cpu.raise(Vector::InvalidOpcode);
    return false;
  }
  if ((cpu.cr0 & kCr0Ts) == 0) return true;
  cpu.raise(Vector::DeviceNotAvailable);
  return false;
}
// The requested components: EDX:EAX and XCR0.
std::uint64_t requested(const Cpu& cpu) {
  const std::uint64_t mask = std::uint64_t{cpu.reg<std::uint32_t>(kRdx)} << 32 | cpu.reg<std::uint32_t>(kRax);
  return mask & cpu.xcr0 & kXstateAll;
}

template <bool kWide>
Flow xsave(Cpu& cpu, const Op& op) {
  MemoryArea area;
  const std::uint64_t components = requested(cpu);
  std::uint64_t present = 0;
  if (!begin_xsave(cpu) || !is_aligned<64>(cpu, op, Access::Write) ||
      !area.find(cpu, op, xsave_bytes(components), Access::Write) || !area.probe(cpu, Access::Write) ||
      !area.read(cpu, kXsaveHeader, &present, sizeof present)) {
    return Flow::Fault;
  }
  FxsaveImage image{};
  write_x87(cpu.x87, kWide, image);
  write_mxcsr(cpu, image);
  write_xmm(cpu, xmm_count(cpu), image);
  const auto write = [&](unsigned first, unsigned end) {
    return area.write(cpu, first, image.data() + first, end - first);
  };
  bool done = true;  // the probe has seen to that
  if ((components & kXstateX87) != 0) done = write(0, kFxsaveMxcsr) && write(kFxsaveSt, kFxsaveXmm);
  if ((components & (kXstateSse | kXstateAvx)) != 0) done = done && write(kFxsaveMxcsr, kFxsaveSt);
  if ((components & kXstateSse) != 0) done = done && write(kFxsaveXmm, kFxsaveXmm + xmm_count(cpu) * 16);
  if ((components & kXstateAvx) != 0) {
    done = done && area.write(cpu, kXsaveYmm, cpu.ymm_high.data(), xmm_count(cpu) * sizeof(Xmm));
  }
  present |= components;
  done = done && area.write(cpu, kXsaveHeader, &present, sizeof present);
  return done ? Flow::Next : Flow::Fault;
}

template <bool kWide>
Flow xrstor(Cpu& cpu, const Op& op) {
  struct Image {
    FxsaveImage legacy;
    std::array<std::uint64_t, 8> header;  // XSTATE_BV, XCOMP_BV, reserved
    std::array<Xmm, 16> ymm_high;
  } image{};
  static_assert(sizeof(Image) == kXsaveBytesAvx);
  MemoryArea area;
  const std::uint64_t components = requested(cpu);
  const unsigned size = xsave_bytes(components);
  if (!begin_xsave(cpu) || !is_aligned<64>(cpu, op, Access::Read) || !area.find(cpu, op, size, Access::Read) ||
      !area.read(cpu, 0, &image, size)) {
    return Flow::Fault;
  }
  const bool loads_mxcsr = (components & (kXstateSse | kXstateAvx)) != 0;
  // [SDM 1 13.8.1]
  if ((image.header[0] & ~cpu.xcr0) != 0 || image.header[1] != 0 || image.header[2] != 0 ||
      (loads_mxcsr && (read_mxcsr(image.legacy) & ~kMxcsrAll) != 0)) {
    return cpu.raise(Vector::GeneralProtection);
  }
  if ((components & kXstateX87) != 0) {
    cpu.x87 = X87();
    if ((image.header[0] & kXstateX87) != 0) read_x87(cpu.x87, kWide, image.legacy);
  }
  if (loads_mxcsr) cpu.mxcsr = read_mxcsr(image.legacy);
  if ((components & kXstateSse) != 0) {
    if ((image.header[0] & kXstateSse) == 0) std::memset(image.legacy.data() + kFxsaveXmm, 0, 16 * sizeof(Xmm));
    read_xmm(cpu, xmm_count(cpu), image.legacy);
  }
  if ((components & kXstateAvx) != 0) {
    if ((image.header[0] & kXstateAvx) == 0) image.ymm_high = {};
    std::copy_n(image.ymm_high.begin(), xmm_count(cpu), cpu.ymm_high.begin());
  }
  return Flow::Next;
}

Flow load_mxcsr(Cpu& cpu, const Op& op) {
  std::uint32_t value = 0;
  if (!begin_sse(cpu) || !load(cpu, op, value)) return Flow::Fault;
  if ((value & ~kMxcsrAll) != 0) return cpu.raise(Vector::GeneralProtection);
  cpu.mxcsr = value;
  return Flow::Next;
}
Flow store_mxcsr(Cpu& cpu, const Op& op) {
  return begin_sse(cpu) && store(cpu, op, cpu.mxcsr) ? Flow::Next : Flow::Fault;
}

Flow empty_mmx(Cpu& cpu, const Op&) {
  if (!begin_mmx(cpu)) return Flow::Fault;
  cpu.x87.top = 0;
  cpu.x87.occupied = 0;
  return Flow::Next;
}

}  // namespace

Handler save_family(const Instruction& instruction, Op&) {
  switch (instruction.decoded.mnemonic) {
    case ZYDIS_MNEMONIC_FXSAVE: return fxsave<false>;
    case ZYDIS_MNEMONIC_FXSAVE64: return fxsave<true>;
    case ZYDIS_MNEMONIC_FXRSTOR: return fxrstor<false>;
    case ZYDIS_MNEMONIC_FXRSTOR64: return fxrstor<true>;
    case ZYDIS_MNEMONIC_XSAVE:
    case ZYDIS_MNEMONIC_XSAVEOPT: return xsave<false>;
    case ZYDIS_MNEMONIC_XSAVE64:
    case ZYDIS_MNEMONIC_XSAVEOPT64: return xsave<true>;
    case ZYDIS_MNEMONIC_XRSTOR: return xrstor<false>;
    case ZYDIS_MNEMONIC_XRSTOR64: return xrstor<true>;
    case ZYDIS_MNEMONIC_LDMXCSR: return load_mxcsr;
    case ZYDIS_MNEMONIC_STMXCSR: return store_mxcsr;
    case ZYDIS_MNEMONIC_EMMS: return empty_mmx;
    default: return nullptr;
  }
}

}  // namespace vmm::cpu::soft
