// MOV to and from segment registers, LDS and the like, LAR, LSL, VERR, VERW, ARPL, and the registers of descriptor
// tables. PUSH and POP of segments are with the stack. [SDM 2]
#include "vmm/cpu/soft/decoder.h"
#include "vmm/cpu/soft/descriptors.h"
#include "vmm/cpu/soft/forms.h"
#include "vmm/cpu/soft/segments.h"

namespace vmm::cpu::soft {
namespace {

bool is_protected(const Cpu& cpu) {
  return cpu.protected_mode() && !cpu.virtual_8086();
}

// A selector or another word: a register's low half or memory.
template <bool kMemory>
bool read_word(Cpu& cpu, const Op& op, std::uint16_t& value) {
  if constexpr (kMemory) return load(cpu, op, value);
  value = cpu.reg<std::uint16_t>(op.rm);
  return true;
}

template <bool kMemory>
Flow mov_to_segment(Cpu& cpu, const Op& op) {
  const auto index = static_cast<SegmentIndex>(op.extra);
  const std::uint8_t mode = cpu.mode;
  std::uint16_t selector = 0;
  if (!read_word<kMemory>(cpu, op, selector) || !load_segment(cpu, index, selector)) return Flow::Fault;
  if (index != kSs) return after_load(cpu, mode);
  cpu.shadow |= kShadowMovSs;
  cpu.derive_mode();
  return Flow::Leave;
}

template <class T>
Flow mov_from_segment(Cpu& cpu, const Op& op) {
  cpu.set_reg<T>(op.rm, static_cast<T>(cpu.segments[op.extra].selector));
  return Flow::Next;
}
Flow store_segment(Cpu& cpu, const Op& op) {
  return store(cpu, op, cpu.segments[op.extra].selector) ? Flow::Next : Flow::Fault;
}

// LDS, LES, LFS, LGS, LSS.
template <class T>
Flow load_far_pointer(Cpu& cpu, const Op& op) {
  std::uint64_t linear = 0;
  std::array<std::uint8_t, sizeof(T) + 2> bytes{};
  if (!linear_address(cpu, op, effective_address(cpu, op), bytes.size(), Access::Read, linear) ||
      !cpu.mmu.read_bytes(linear, bytes.data(), bytes.size()))
    return Flow::Fault;
  T offset = 0;
  std::uint16_t selector = 0;
  std::memcpy(&offset, bytes.data(), sizeof offset);
  std::memcpy(&selector, bytes.data() + sizeof offset, sizeof selector);
  const auto index = static_cast<SegmentIndex>(op.extra);
  const std::uint8_t mode = cpu.mode;
  if (!load_segment(cpu, index, selector)) return Flow::Fault;
  cpu.set_reg<T>(op.reg, offset);
  return index == kSs ? Flow::Leave : after_load(cpu, mode);
}

// A descriptor that the program may look at. `visible` is false where ZF says so; false is returned after a page fault.
bool look_at(Cpu& cpu, std::uint16_t selector, Descriptor& descriptor, bool& visible) {
  visible = !is_null(selector) && has_descriptor(cpu, selector);
  if (!visible) return true;
  if (!read_descriptor(cpu, selector, descriptor)) return false;
  visible = descriptor.is_conforming_code() || (descriptor.dpl() >= cpu.cpl && descriptor.dpl() >= rpl_of(selector));
  return true;
}

bool is_tss_type(const Descriptor& descriptor, bool long_mode) {
  switch (descriptor.system_type()) {
    case SystemType::Tss32:
    case SystemType::Tss32Busy: return true;
    case SystemType::Tss16:
    case SystemType::Tss16Busy: return !long_mode;
    default: return false;
  }
}

// [SDM 2A tables 3-53 and 3-54]
bool has_access_rights(const Descriptor& descriptor, bool long_mode) {
  if (!descriptor.is_system() || is_tss_type(descriptor, long_mode)) return true;
  const SystemType type = descriptor.system_type();
  if (type == SystemType::Ldt || type == SystemType::CallGate32) return true;
  return !long_mode && (type == SystemType::CallGate16 || type == SystemType::TaskGate);
}
bool has_limit(const Descriptor& descriptor, bool long_mode) {
  return !descriptor.is_system() || is_tss_type(descriptor, long_mode) || descriptor.system_type() == SystemType::Ldt;
}

template <class T, bool kMemory, bool kLimit>
Flow lar_lsl(Cpu& cpu, const Op& op) {
  std::uint16_t selector = 0;
  Descriptor descriptor;
  bool visible = false;
  if (!is_protected(cpu)) return cpu.raise(Vector::InvalidOpcode);
  if (!read_word<kMemory>(cpu, op, selector) || !look_at(cpu, selector, descriptor, visible)) return Flow::Fault;
  if (visible)
    visible = kLimit ? has_limit(descriptor, cpu.long_mode()) : has_access_rights(descriptor, cpu.long_mode());
  if (visible) cpu.set_reg<T>(op.reg, static_cast<T>(kLimit ? descriptor.limit() : descriptor.high & 0x00ffff00));
  cpu.flags.assign((cpu.flags.value() & ~kZf) | (visible ? kZf : 0));
  return Flow::Next;
}

template <bool kMemory, bool kWrite>
Flow verify(Cpu& cpu, const Op& op) {
  std::uint16_t selector = 0;
  Descriptor descriptor;
  bool visible = false;
  if (!is_protected(cpu)) return cpu.raise(Vector::InvalidOpcode);
  if (!read_word<kMemory>(cpu, op, selector) || !look_at(cpu, selector, descriptor, visible)) return Flow::Fault;
  visible = visible && (kWrite ? descriptor.is_writable_data() : descriptor.is_readable());
  cpu.flags.assign((cpu.flags.value() & ~kZf) | (visible ? kZf : 0));
  return Flow::Next;
}

// [SDM 2A ARPL] The operand is written only where it changes: what stays as it is may lie in a read-only segment.
template <bool kMemory>
Flow arpl(Cpu& cpu, const Op& op) {
  if (!is_protected(cpu)) return cpu.raise(Vector::InvalidOpcode);
  const std::uint16_t wanted = cpu.reg<std::uint16_t>(op.reg) & 3;
  std::uint16_t selector = 0;
  if constexpr (kMemory) {
    if (!load(cpu, op, selector)) return Flow::Fault;
  } else {
    selector = cpu.reg<std::uint16_t>(op.rm);
  }
  const bool raised = (selector & 3) < wanted;
  if (raised) {
    const auto adjusted = static_cast<std::uint16_t>((selector & 0xfffc) | wanted);
    if constexpr (kMemory) {
      if (!store(cpu, op, adjusted)) return Flow::Fault;
    } else {
      cpu.set_reg(op.rm, adjusted);
    }
  }
  cpu.flags.assign((cpu.flags.value() & ~kZf) | (raised ? kZf : 0));
  return Flow::Next;
}

// LGDT, LIDT. The base has 24 bits with a 16-bit operand size.
template <bool kInterrupts, unsigned kBytes, std::uint64_t kMask>
Flow load_table(Cpu& cpu, const Op& op) {
  std::uint64_t linear = 0;
  std::array<std::uint8_t, 2 + kBytes> bytes{};
  if (cpu.cpl != 0) return cpu.raise(Vector::GeneralProtection);
  if (!linear_address(cpu, op, effective_address(cpu, op), bytes.size(), Access::Read, linear) ||
      !cpu.mmu.read_bytes(linear, bytes.data(), bytes.size()))
    return Flow::Fault;
  DescriptorTable table;
  std::memcpy(&table.limit, bytes.data(), 2);
  std::memcpy(&table.base, bytes.data() + 2, kBytes);
  table.base &= kMask;
  if (!cpu.mmu.is_canonical(table.base)) return cpu.raise(Vector::GeneralProtection);
  (kInterrupts ? cpu.idt : cpu.gdt) = table;
  return Flow::Next;
}

// [SDM 2B SGDT] user mode instruction prevention.
bool is_prevented(const Cpu& cpu) {
  return cpu.cpl != 0 && (cpu.cr4 & kCr4Umip) != 0;
}

template <bool kInterrupts, unsigned kBytes>
Flow store_table(Cpu& cpu, const Op& op) {
  if (is_prevented(cpu)) return cpu.raise(Vector::GeneralProtection);
  const DescriptorTable& table = kInterrupts ? cpu.idt : cpu.gdt;
  std::array<std::uint8_t, 2 + kBytes> bytes{};
  std::memcpy(bytes.data(), &table.limit, 2);
  std::memcpy(bytes.data() + 2, &table.base, kBytes);
  std::uint64_t linear = 0;
  const bool stored = linear_address(cpu, op, effective_address(cpu, op), bytes.size(), Access::Write, linear) &&
                      cpu.mmu.write_bytes(linear, bytes.data(), bytes.size());
  return stored ? Flow::Next : Flow::Fault;
}

// SLDT, STR. T is void for memory, which takes 16 bits whatever the operand size.
template <class T, bool kTask>
Flow store_system_selector(Cpu& cpu, const Op& op) {
  if (!is_protected(cpu)) return cpu.raise(Vector::InvalidOpcode);
  if (is_prevented(cpu)) return cpu.raise(Vector::GeneralProtection);
  const std::uint16_t selector = kTask ? cpu.tr.selector : cpu.ldt.selector;
  if constexpr (std::is_void_v<T>) {
    return store(cpu, op, selector) ? Flow::Next : Flow::Fault;
  } else {
    cpu.set_reg<T>(op.rm, static_cast<T>(selector));
    return Flow::Next;
  }
}

template <bool kMemory>
Flow lldt(Cpu& cpu, const Op& op) {
  std::uint16_t selector = 0;
  if (!is_protected(cpu)) return cpu.raise(Vector::InvalidOpcode);
  if (cpu.cpl != 0) return cpu.raise(Vector::GeneralProtection);
  if (!read_word<kMemory>(cpu, op, selector)) return Flow::Fault;
  if (is_null(selector)) {
    fill_unusable(cpu.ldt, selector);
    return Flow::Next;
  }
  Descriptor descriptor;
  if ((selector & 4) != 0) return cpu.raise(Vector::GeneralProtection, selector_error(selector));
  if (!read_descriptor(cpu, selector, descriptor)) return Flow::Fault;
  if (!descriptor.is_system() || descriptor.system_type() != SystemType::Ldt)
    return cpu.raise(Vector::GeneralProtection, selector_error(selector));
  if (!descriptor.is_present()) return cpu.raise(Vector::SegmentNotPresent, selector_error(selector));
  if (cpu.long_mode() && !read_upper_half(cpu, selector, descriptor)) return Flow::Fault;
  fill_segment(cpu.ldt, selector, descriptor);
  return Flow::Next;
}

template <bool kMemory>
Flow ltr(Cpu& cpu, const Op& op) {
  std::uint16_t selector = 0;
  if (!is_protected(cpu)) return cpu.raise(Vector::InvalidOpcode);
  if (cpu.cpl != 0) return cpu.raise(Vector::GeneralProtection);
  if (!read_word<kMemory>(cpu, op, selector)) return Flow::Fault;
  if (is_null(selector)) return cpu.raise(Vector::GeneralProtection, 0);
  Descriptor descriptor;
  if ((selector & 4) != 0) return cpu.raise(Vector::GeneralProtection, selector_error(selector));
  if (!read_descriptor(cpu, selector, descriptor)) return Flow::Fault;
  const bool available =
      descriptor.is_system() && (descriptor.system_type() == SystemType::Tss32 ||
                                 (descriptor.system_type() == SystemType::Tss16 && !cpu.long_mode()));
  if (!available) return cpu.raise(Vector::GeneralProtection, selector_error(selector));
  if (!descriptor.is_present()) return cpu.raise(Vector::SegmentNotPresent, selector_error(selector));
  if (cpu.long_mode() && !read_upper_half(cpu, selector, descriptor)) return Flow::Fault;
  if (!mark_busy(cpu, selector, true)) return Flow::Fault;
  fill_segment(cpu.tr, selector, descriptor);
  cpu.tr.attributes |= 2;
  return Flow::Next;
}

// ES, CS, SS, DS, FS, GS in both namings.
bool segment_operand(const Instruction& instruction, unsigned n, Op& op) {
  if (n >= instruction.operands.size() || instruction.operands[n].type != ZYDIS_OPERAND_TYPE_REGISTER) return false;
  const ZydisRegister name = instruction.operands[n].reg.value;
  if (name < ZYDIS_REGISTER_ES || name > ZYDIS_REGISTER_GS) return false;
  op.extra = static_cast<std::uint32_t>(name - ZYDIS_REGISTER_ES);
  return true;
}

Handler select_mov(const Instruction& instruction, Op& op) {
  if (segment_operand(instruction, 0, op)) {
    take_operands(instruction, op);
    return instruction.operand_is_memory(1) ? mov_to_segment<true> : mov_to_segment<false>;
  }
  if (!segment_operand(instruction, 1, op)) return nullptr;
  take_operands(instruction, op);
  if (instruction.operand_is_memory(0)) return store_segment;
  return for_wide_size(instruction.bits(0), []<class T>() -> Handler { return mov_from_segment<T>; });
}

template <SegmentIndex kSegment>
Handler select_far_pointer(const Instruction& instruction, Op& op) {
  take_operands(instruction, op);
  op.extra = kSegment;
  return for_wide_size(instruction.bits(0), []<class T>() -> Handler { return load_far_pointer<T>; });
}

template <bool kLimit>
Handler select_lar_lsl(const Instruction& instruction, Op& op) {
  take_operands(instruction, op);
  const bool memory = instruction.operand_is_memory(1);
  return for_wide_size(instruction.bits(0), [memory]<class T>() -> Handler {
    return memory ? lar_lsl<T, true, kLimit> : lar_lsl<T, false, kLimit>;
  });
}

template <Handler kRegister, Handler kMemory>
Handler select_word(const Instruction& instruction, Op& op) {
  take_operands(instruction, op);
  return instruction.operand_is_memory(0) ? kMemory : kRegister;
}

// ARPL names its destination by ModRM.rm.
Handler select_arpl(const Instruction& instruction, Op& op) {
  if (!is_general(instruction, 1)) return nullptr;
  op.reg = general_operand(instruction, 1);
  if (instruction.operand_is_memory(0)) return arpl<true>;
  op.rm = general_operand(instruction, 0);
  return arpl<false>;
}

template <bool kInterrupts>
Handler select_load_table(const Instruction& instruction, Op&) {
  if (instruction.bits(0) == 80) return load_table<kInterrupts, 8, ~std::uint64_t{0}>;
  if (instruction.decoded.operand_width == 16) return load_table<kInterrupts, 4, 0xffffff>;
  return load_table<kInterrupts, 4, 0xffffffff>;
}

template <bool kInterrupts>
Handler select_store_table(const Instruction& instruction, Op&) {
  return instruction.bits(0) == 80 ? store_table<kInterrupts, 8> : store_table<kInterrupts, 4>;
}

template <bool kTask>
Handler select_store_selector(const Instruction& instruction, Op& op) {
  take_operands(instruction, op);
  if (instruction.operand_is_memory(0)) return store_system_selector<void, kTask>;
  return for_wide_size(instruction.bits(0), []<class T>() -> Handler { return store_system_selector<T, kTask>; });
}

constexpr SelectorTable kSelectors{
    {ZYDIS_MNEMONIC_MOV, select_mov},
    {ZYDIS_MNEMONIC_LDS, select_far_pointer<kDs>},
    {ZYDIS_MNEMONIC_LES, select_far_pointer<kEs>},
    {ZYDIS_MNEMONIC_LFS, select_far_pointer<kFs>},
    {ZYDIS_MNEMONIC_LGS, select_far_pointer<kGs>},
    {ZYDIS_MNEMONIC_LSS, select_far_pointer<kSs>},
    {ZYDIS_MNEMONIC_LAR, select_lar_lsl<false>},
    {ZYDIS_MNEMONIC_LSL, select_lar_lsl<true>},
    {ZYDIS_MNEMONIC_VERR, select_word<verify<false, false>, verify<true, false>>},
    {ZYDIS_MNEMONIC_VERW, select_word<verify<false, true>, verify<true, true>>},
    {ZYDIS_MNEMONIC_ARPL, select_arpl},
    {ZYDIS_MNEMONIC_LGDT, select_load_table<false>},
    {ZYDIS_MNEMONIC_LIDT, select_load_table<true>},
    {ZYDIS_MNEMONIC_SGDT, select_store_table<false>},
    {ZYDIS_MNEMONIC_SIDT, select_store_table<true>},
    {ZYDIS_MNEMONIC_LLDT, select_word<lldt<false>, lldt<true>>},
    {ZYDIS_MNEMONIC_LTR, select_word<ltr<false>, ltr<true>>},
    {ZYDIS_MNEMONIC_SLDT, select_store_selector<false>},
    {ZYDIS_MNEMONIC_STR, select_store_selector<true>},
};

}  // namespace

Handler segment_family(const Instruction& instruction, Op& op) {
  return kSelectors(instruction, op);
}

}  // namespace vmm::cpu::soft
