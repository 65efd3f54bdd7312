#include "vmm/cpu/soft/control_registers.h"

#include "vmm/cpu/soft/descriptors.h"
#include "vmm/cpu/soft/features.h"
#include "vmm/cpu/soft/segments.h"
#include "vmm/cpu/soft/xsave_image.h"

namespace vmm::cpu::soft {

namespace {

constexpr std::uint64_t kCr0Exists =
    kCr0Pe | kCr0Mp | kCr0Em | kCr0Ts | kCr0Et | kCr0Ne | kCr0Wp | kCr0Am | kCr0Nw | kCr0Cd | kCr0Pg;
constexpr std::uint64_t kCr3NoFlush = std::uint64_t{1} << 63;
constexpr std::uint64_t kCr3Pcid = 0xfff;

bool has(const Cpu& cpu, Feature feature) {
  return cpu.features == nullptr || cpu.features->has(feature);
}

bool general_protection(Cpu& cpu) {
  return refuse(cpu, Vector::GeneralProtection, 0);
}

// [SDM 3A 2.5 "CR4"] which bits a model has.
std::uint64_t cr4_bits(const Cpu& cpu) {
  struct Bits {
    Feature feature;
    std::uint64_t bits;
  };
  static constexpr Bits kBits[] = {
      {Feature::Vme, kCr4Vme | kCr4Pvi}, {Feature::Tsc, kCr4Tsd},       {Feature::De, kCr4De},
      {Feature::Pse, kCr4Pse},           {Feature::Pae, kCr4Pae},       {Feature::Mce, kCr4Mce},
      {Feature::Pge, kCr4Pge},           {Feature::Mmx, kCr4Pce},       {Feature::Fxsr, kCr4Osfxsr},
      {Feature::Sse, kCr4Osxmmexcpt},    {Feature::Umip, kCr4Umip},     {Feature::Fsgsbase, kCr4Fsgsbase},
      {Feature::Pcid, kCr4Pcide},        {Feature::Xsave, kCr4Osxsave}, {Feature::Smep, kCr4Smep},
      {Feature::Smap, kCr4Smap},
  };
  std::uint64_t bits = 0;
  for (const Bits& entry : kBits)
    if (has(cpu, entry.feature)) bits |= entry.bits;
  return bits;
}

bool is_busy_tss16(const Cpu& cpu) {
  return static_cast<SystemType>(cpu.tr.attributes & kTypeMask) == SystemType::Tss16Busy;
}

// Whether paging may be switched on or off like this. [SDM 3A 9.8.5]
bool check_paging_switch(const Cpu& cpu, bool on) {
  const bool code_is_long = (cpu.segments[kCs].attributes & kAttributeLong) != 0;
  if (!on) return !(cpu.long_mode() && code_is_long) && (cpu.cr4 & kCr4Pcide) == 0;
  if ((cpu.efer & kEferLme) == 0) return true;
  return (cpu.cr4 & kCr4Pae) != 0 && !code_is_long && !is_busy_tss16(cpu);
}

void derive_all_segments(Cpu& cpu) {
  const bool protection = cpu.protected_mode() && !cpu.virtual_8086();
  for (SegmentRegister& segment : cpu.segments)
    segment.derive(protection);
}

}  // namespace

bool write_cr0(Cpu& cpu, std::uint64_t value) {
  if ((value >> 32) != 0) return general_protection(cpu);
  value = (value & kCr0Exists) | kCr0Et;
  const bool paging = (value & kCr0Pg) != 0;
  const bool protection = (value & kCr0Pe) != 0;
  if ((paging && !protection) || ((value & kCr0Nw) != 0 && (value & kCr0Cd) == 0)) return general_protection(cpu);
  const std::uint64_t changed = value ^ cpu.cr0;
  if ((changed & kCr0Pg) != 0 && !check_paging_switch(cpu, paging)) return general_protection(cpu);
  const bool long_mode = paging && (cpu.efer & kEferLme) != 0;
  if (paging && !long_mode && (cpu.cr4 & kCr4Pae) != 0 && (changed & (kCr0Pg | kCr0Cd | kCr0Nw)) != 0 &&
      !cpu.mmu.load_page_directory_pointers(cpu.cr3))
    return false;
  cpu.cr0 = value;
  cpu.efer = long_mode ? cpu.efer | kEferLma : cpu.efer & ~kEferLma;
  if ((changed & kCr0Pe) != 0) {
    derive_all_segments(cpu);
    if (!protection) cpu.cpl = 0;
  }
  if ((changed & (kCr0Pg | kCr0Wp | kCr0Pe)) != 0) cpu.mmu.flush_all();
  cpu.mmu.privilege_changed();
  cpu.derive_mode();
  return true;
}

bool write_cr3(Cpu& cpu, std::uint64_t value) {
  if (cpu.long_mode()) {
    if ((cpu.cr4 & kCr4Pcide) != 0) value &= ~kCr3NoFlush;
    if ((value >> Mmu::kPhysicalBits) != 0) return general_protection(cpu);
  } else {
    value &= 0xffffffff;
    const bool pae_paging = (cpu.cr0 & kCr0Pg) != 0 && (cpu.cr4 & kCr4Pae) != 0;
    if (pae_paging && !cpu.mmu.load_page_directory_pointers(value)) return false;
  }
  cpu.cr3 = value;
  // Address space identifiers are not kept apart, so that each change forgets them, whatever "no flush" says.
  cpu.mmu.flush_non_global();
  return true;
}

bool write_cr4(Cpu& cpu, std::uint64_t value) {
  const std::uint64_t changed = value ^ cpu.cr4;
  if ((value & ~cr4_bits(cpu)) != 0) return general_protection(cpu);
  if (cpu.long_mode() && (value & kCr4Pae) == 0) return general_protection(cpu);
  if ((changed & value & kCr4Pcide) != 0 && (!cpu.long_mode() || (cpu.cr3 & kCr3Pcid) != 0))
    return general_protection(cpu);
  constexpr std::uint64_t kPaging = kCr4Pse | kCr4Pae | kCr4Pge | kCr4Smep;
  const bool pae_paging = (cpu.cr0 & kCr0Pg) != 0 && (value & kCr4Pae) != 0 && !cpu.long_mode();
  if (pae_paging && (changed & kPaging) != 0 && !cpu.mmu.load_page_directory_pointers(cpu.cr3)) return false;
  cpu.cr4 = value;
  if ((changed & (kPaging | kCr4Smap | kCr4Pcide | kCr4La57)) != 0) cpu.mmu.flush_all();
  cpu.mmu.privilege_changed();
  return true;
}

// [SDM 3B 17.2.3, 17.2.4] fixed bits.
void write_dr6(Cpu& cpu, std::uint64_t value) {
  cpu.dr6 = (value & 0xe00f) | 0xffff0ff0;
}

void write_dr7(Cpu& cpu, std::uint64_t value) {
  cpu.dr7 = (value & 0xffff27ff) | 0x400;
  cpu.mmu.privilege_changed();
  cpu.derive_mode();
}

std::uint64_t supported_xcr0(const Cpu& cpu) {
  return (has(cpu, Feature::Sse) ? 3u : 1u) | (has(cpu, Feature::Avx) ? kXstateAvx : 0u);
}

// [SDM 1 13.3] x87 state cannot be switched off, and AVX state is not without SSE state.
bool write_xcr0(Cpu& cpu, std::uint64_t value) {
  if ((value & ~supported_xcr0(cpu)) != 0 || (value & kXstateX87) == 0) return general_protection(cpu);
  if ((value & kXstateAvx) != 0 && (value & kXstateSse) == 0) return general_protection(cpu);
  cpu.xcr0 = value;
  return true;
}

}  // namespace vmm::cpu::soft
