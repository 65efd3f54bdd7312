// FXSAVE, XSAVE and their counterparts, MXCSR, EMMS. [SDM 1 9.5, 10.5, 13; SDM 2]
//
// All components count as in use, and XSAVEOPT writes what XSAVE writes: both are permitted. [SDM 1 13.6, 13.9]
#include <algorithm>
#include <array>

#include "vmm/cpu/soft/decoder.h"
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

// The area's linear address, which must be a multiple of kAlignment. As on processors, that comes before the question
// whether the segment holds all of the area.
template <unsigned kAlignment>
bool area_address(Cpu& cpu, const Op& op, unsigned size, Access access, std::uint64_t& linear) {
  const auto offset = effective_address(cpu, op);
  if (!linear_address(cpu, op, offset, 1, access, linear)) return false;
  if (linear % kAlignment == 0) return area_linear_address(cpu, op, offset, size, access, linear);
  cpu.raise(Vector::GeneralProtection);
  return false;
}

bool begin_fxsave(Cpu& cpu) {
  if ((cpu.cr0 & (kCr0Em | kCr0Ts)) == 0) return true;
  cpu.raise(Vector::DeviceNotAvailable);
  return false;
}
// AMD's fast form leaves the XMM registers out for the kernel. [APM 2 3.1.7]
bool saves_xmm(const Cpu& cpu) {
  return (cpu.efer & kEferFfxsr) == 0 || !cpu.code64() || cpu.cpl != 0;
}

template <bool kWide>
Flow fxsave(Cpu& cpu, const Op& op) {
  std::uint64_t linear = 0;
  if (!begin_fxsave(cpu) || !area_address<16>(cpu, op, kFxsaveBytes, Access::Write, linear)) return Flow::Fault;
  FxsaveImage image{};
  // What is not written stays: the part for software, and registers of 64-bit mode elsewhere.
  if (!cpu.mmu.read_bytes(linear, image.data(), kFxsaveBytes)) return Flow::Fault;
  write_x87(cpu.x87, kWide, image);
  write_mxcsr(cpu, image);
  if (saves_xmm(cpu)) write_xmm(cpu, xmm_count(cpu), image);
  return cpu.mmu.write_bytes(linear, image.data(), kFxsaveReserved) ? Flow::Next : Flow::Fault;
}

template <bool kWide>
Flow fxrstor(Cpu& cpu, const Op& op) {
  std::uint64_t linear = 0;
  FxsaveImage image{};
  if (!begin_fxsave(cpu) || !area_address<16>(cpu, op, kFxsaveBytes, Access::Read, linear) ||
      !cpu.mmu.read_bytes(linear, image.data(), kFxsaveBytes)) {
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
  std::uint64_t linear = 0;
  const std::uint64_t components = requested(cpu);
  const unsigned size = xsave_bytes(components);
  if (!begin_xsave(cpu) || !area_address<64>(cpu, op, size, Access::Write, linear) ||
      !cpu.mmu.probe(linear, size, Access::Write)) {
    return Flow::Fault;
  }
  std::uint64_t present = 0;
  if (!cpu.mmu.read(linear + kXsaveHeader, present)) return Flow::Fault;
  FxsaveImage image{};
  write_x87(cpu.x87, kWide, image);
  write_mxcsr(cpu, image);
  write_xmm(cpu, xmm_count(cpu), image);
  const auto write = [&](unsigned first, unsigned end) {
    return cpu.mmu.write_bytes(linear + first, image.data() + first, end - first);
  };
  bool done = true;  // the probe has seen to that
  if ((components & kXstateX87) != 0) done = write(0, kFxsaveMxcsr) && write(kFxsaveSt, kFxsaveXmm);
  if ((components & (kXstateSse | kXstateAvx)) != 0) done = done && write(kFxsaveMxcsr, kFxsaveSt);
  if ((components & kXstateSse) != 0) done = done && write(kFxsaveXmm, kFxsaveXmm + xmm_count(cpu) * 16);
  if ((components & kXstateAvx) != 0) {
    done = done && cpu.mmu.write_bytes(linear + kXsaveYmm, cpu.ymm_high.data(), xmm_count(cpu) * sizeof(Xmm));
  }
  done = done && cpu.mmu.write(linear + kXsaveHeader, present | components);
  return done ? Flow::Next : Flow::Fault;
}

template <bool kWide>
Flow xrstor(Cpu& cpu, const Op& op) {
  struct Area {
    FxsaveImage legacy;
    std::array<std::uint64_t, 8> header;  // XSTATE_BV, XCOMP_BV, reserved
    std::array<Xmm, 16> ymm_high;
  } area{};
  static_assert(sizeof(Area) == kXsaveBytesAvx);
  std::uint64_t linear = 0;
  const std::uint64_t components = requested(cpu);
  const unsigned size = xsave_bytes(components);
  if (!begin_xsave(cpu) || !area_address<64>(cpu, op, size, Access::Read, linear) ||
      !cpu.mmu.read_bytes(linear, &area, size)) {
    return Flow::Fault;
  }
  const bool loads_mxcsr = (components & (kXstateSse | kXstateAvx)) != 0;
  // [SDM 1 13.8.1]
  if ((area.header[0] & ~cpu.xcr0) != 0 || area.header[1] != 0 || area.header[2] != 0 ||
      (loads_mxcsr && (read_mxcsr(area.legacy) & ~kMxcsrAll) != 0)) {
    return cpu.raise(Vector::GeneralProtection);
  }
  if ((components & kXstateX87) != 0) {
    cpu.x87 = X87();
    if ((area.header[0] & kXstateX87) != 0) read_x87(cpu.x87, kWide, area.legacy);
  }
  if (loads_mxcsr) cpu.mxcsr = read_mxcsr(area.legacy);
  if ((components & kXstateSse) != 0) {
    if ((area.header[0] & kXstateSse) == 0) std::memset(area.legacy.data() + kFxsaveXmm, 0, 16 * sizeof(Xmm));
    read_xmm(cpu, xmm_count(cpu), area.legacy);
  }
  if ((components & kXstateAvx) != 0) {
    if ((area.header[0] & kXstateAvx) == 0) area.ymm_high = {};
    std::copy_n(area.ymm_high.begin(), xmm_count(cpu), cpu.ymm_high.begin());
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
