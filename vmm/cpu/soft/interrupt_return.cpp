// IRET, IRETD, IRETQ in all modes. [SDM 2A IRET]
#include "vmm/cpu/soft/far_transfer.h"
#include "vmm/cpu/soft/segments.h"
#include "vmm/cpu/soft/stack_frame.h"
#include "vmm/cpu/soft/system_flags.h"
#include "vmm/cpu/soft/task_switch.h"

namespace vmm::cpu::soft {

namespace {

struct Popped {
  std::uint64_t rip = 0;
  std::uint16_t cs = 0;
  std::uint32_t flags = 0;
};

bool pop_return(StackReader& reader, Popped& popped) {
  std::uint64_t flags = 0;
  if (!reader.pop(popped.rip) || !reader.pop_selector(popped.cs) || !reader.pop(flags)) return false;
  popped.flags = static_cast<std::uint32_t>(flags);
  return true;
}

std::uint32_t flags_mask(const Cpu& cpu, unsigned width) {
  std::uint32_t mask = changeable_flags(cpu, width);
  if (width > 2) mask |= kRf;
  if (width > 2 && cpu.cpl == 0 && cpu.protected_mode()) mask |= kVif | kVip;
  return mask;
}

bool return_real(Cpu& cpu, unsigned width) {
  StackReader reader(cpu, width);
  Popped popped;
  if (!pop_return(reader, popped)) return false;
  std::uint32_t mask = flags_mask(cpu, width);
  std::uint32_t flags = popped.flags;
  if (cpu.virtual_8086() && cpu.iopl() < 3) {
    // [SDM 3B 20.3.3.4] the virtual interrupt flag takes the place of IF.
    if ((cpu.cr4 & kCr4Vme) == 0 || width != 2) return refuse(cpu, Vector::GeneralProtection, 0);
    const bool enables = (flags & kIf) != 0;
    if ((flags & kTf) != 0 || (enables && (cpu.other_flags & kVip) != 0))
      return refuse(cpu, Vector::GeneralProtection, 0);
    flags = (flags & ~kVif) | (enables ? kVif : 0);
    mask = (mask & ~kIf) | kVif;
  }
  if (popped.rip > cpu.segments[kCs].limit) return refuse(cpu, Vector::GeneralProtection, 0);
  set_stack_pointer(cpu, reader.pointer());
  set_real_segment(cpu, kCs, popped.cs);
  load_flags(cpu, flags, mask);
  cpu.set_next_rip(popped.rip);
  return true;
}

// [SDM 3B 20.2.5]
bool return_to_virtual_8086(Cpu& cpu, StackReader& reader, const Popped& popped) {
  std::uint64_t pointer = 0;
  std::array<std::uint16_t, 5> selectors{};
  if (!reader.pop(pointer)) return false;
  for (auto& selector : selectors)
    if (!reader.pop_selector(selector)) return false;
  if (popped.rip > 0xffff) return refuse(cpu, Vector::GeneralProtection, 0);
  load_flags(cpu, popped.flags, ~0u);
  set_cpl(cpu, 3);
  set_real_segment(cpu, kCs, popped.cs);
  constexpr std::array<SegmentIndex, 5> kOrder{kSs, kEs, kDs, kFs, kGs};
  for (unsigned i = 0; i < kOrder.size(); ++i)
    set_real_segment(cpu, kOrder[i], selectors[i]);
  cpu.set_reg(4 * 8, static_cast<std::uint32_t>(pointer));
  cpu.set_next_rip(popped.rip);
  return true;
}

bool return_to_task(Cpu& cpu) {
  std::uint16_t link = 0;
  if (cpu.long_mode()) return refuse(cpu, Vector::GeneralProtection, 0);
  if (!cpu.mmu.read_system(cpu.tr.base, link)) return false;
  return switch_task(cpu, {TaskCause::Return, link, cpu.next_rip(), cpu.rflags(), 0, std::nullopt});
}

bool return_protected(Cpu& cpu, unsigned width) {
  if ((cpu.other_flags & kNt) != 0) return return_to_task(cpu);
  StackReader reader(cpu, width);
  Popped popped;
  if (!pop_return(reader, popped)) return false;
  if ((popped.flags & kVm) != 0 && cpu.cpl == 0 && width == 4 && !cpu.long_mode())
    return return_to_virtual_8086(cpu, reader, popped);
  ReturnTarget target;
  target.rip = popped.rip;
  target.selector = popped.cs;
  if (!check_return_code(cpu, target)) return false;
  target.stack_pointer = reader.pointer();
  if (cpu.code64() || target.cpl() != cpu.cpl) {
    std::uint16_t selector = 0;
    if (!reader.pop(target.stack_pointer) || !reader.pop_selector(selector)) return false;
    if (!check_return_stack(cpu, target, selector)) return false;
  }
  if (!check_rip(cpu, target.code, target.rip) || !mark_accessed(cpu, target.selector, target.code)) return false;
  const std::uint32_t mask = flags_mask(cpu, width);
  commit_return(cpu, target);
  load_flags(cpu, popped.flags, mask);
  return true;
}

}  // namespace

bool interrupt_return(Cpu& cpu, unsigned width) {
  const bool real = !cpu.protected_mode() || cpu.virtual_8086();
  if (!(real ? return_real(cpu, width) : return_protected(cpu, width))) return false;
  cpu.nmi_masked = false;
  return true;
}

}  // namespace vmm::cpu::soft
