#include "tests/unit/vmm/cpu/soft/system/machine.h"
#include "vmm/cpu/soft/control_registers.h"
#include "vmm/cpu/soft/cpuid_leaf.h"
#include "vmm/cpu/soft/msrs.h"
#include "vmm/cpu/soft/operands.h"

namespace vmm::cpu::soft {
namespace {

constexpr std::uint8_t kRaxSlot = 0, kRcxSlot = 8, kRdxSlot = 16, kRbxSlot = 24;

class SystemInstructions : public MachineTest {
 protected:
  void set_eax(std::uint32_t value) { cpu.set_reg(kRaxSlot, value); }
  std::uint32_t eax() const { return cpu.reg<std::uint32_t>(kRaxSlot); }
  std::uint64_t rax() const { return cpu.reg<std::uint64_t>(kRaxSlot); }
};

// --- Segment registers. ---

TEST_F(SystemInstructions, real_mode_keeps_the_limits_of_protected_mode) {
  enter_protected_mode();
  set_eax(static_cast<std::uint32_t>(cpu.cr0 & ~kCr0Pe));
  EXPECT_EQ(run({0x0f, 0x22, 0xc0}), Flow::Leave);
  set_eax(0x2000);
  EXPECT_EQ(run({0x8e, 0xd8}), Flow::Next);
  EXPECT_EQ(cpu.segments[kDs].base, 0x20000u);
  EXPECT_EQ(cpu.segments[kDs].last, 0xffffffffu) << "unreal mode";
}

TEST_F(SystemInstructions, mov_ss_holds_interrupts_back) {
  enter_protected_mode();
  set_eax(kData0);
  EXPECT_EQ(run({0x8e, 0xd0}), Flow::Leave);
  EXPECT_EQ(cpu.shadow, 1);
  EXPECT_NE(cpu.mode & Mode::kStepped, 0);
}

TEST_F(SystemInstructions, segment_loads_are_checked) {
  enter_protected_mode();
  const auto load = [this](SegmentIndex index, std::uint16_t selector) { return load_segment(cpu, index, selector); };
  EXPECT_FALSE(load(kSs, 0));
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  EXPECT_FALSE(load(kSs, kData3));
  EXPECT_TRUE(faulted(Vector::GeneralProtection, kData3 & ~3u));
  EXPECT_FALSE(load(kSs, kCode0));
  EXPECT_TRUE(faulted(Vector::GeneralProtection, kCode0));
  EXPECT_FALSE(load(kDs, 0x70));
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0x70)) << "beyond the table";
  EXPECT_FALSE(load(kDs, 0x0c));
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0x0c)) << "there is no LDT";
  put_descriptor(kSpare, 0, 0xfffff, 0xc013);
  EXPECT_FALSE(load(kDs, kSpare));
  EXPECT_TRUE(faulted(Vector::SegmentNotPresent, kSpare));
  EXPECT_FALSE(load(kSs, kSpare));
  EXPECT_TRUE(faulted(Vector::StackFault, kSpare));
  put_descriptor(kSpare, 0, 0xfffff, 0xc098);
  EXPECT_FALSE(load(kDs, kSpare)) << "execute-only";
  EXPECT_TRUE(faulted(Vector::GeneralProtection, kSpare));
  go_to_ring(3);
  EXPECT_FALSE(load(kDs, kData0));
  EXPECT_TRUE(load(kDs, 3)) << "null";
}

TEST_F(SystemInstructions, limits_of_all_kinds_of_segments) {
  enter_protected_mode();
  std::uint64_t linear = 0;
  const auto address = [&](SegmentIndex index, std::uint64_t offset, unsigned size, Access access) {
    return segment_address(cpu, index, offset, size, access, linear);
  };
  put_descriptor(kSpare, 0x100000, 0xfff, 0x4091);
  ASSERT_TRUE(load_segment(cpu, kDs, kSpare));
  EXPECT_TRUE(address(kDs, 0xffc, 4, Access::Read));
  EXPECT_EQ(linear, 0x100ffcu);
  EXPECT_FALSE(address(kDs, 0xffd, 4, Access::Read));
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  EXPECT_FALSE(address(kDs, 0, 4, Access::Write)) << "read-only";
  put_descriptor(kSpare, 0, 0xfff, 0x4097);
  ASSERT_TRUE(load_segment(cpu, kSs, kSpare));
  EXPECT_FALSE(address(kSs, 0xfff, 1, Access::Read)) << "expands down";
  EXPECT_TRUE(faulted(Vector::StackFault, 0));
  EXPECT_TRUE(address(kSs, 0x1000, 1, Access::Write));
  EXPECT_TRUE(address(kSs, 0xffffffff, 1, Access::Write));
  EXPECT_FALSE(address(kSs, 0xffffffff, 2, Access::Write));
  ASSERT_TRUE(load_segment(cpu, kEs, 0));
  EXPECT_FALSE(address(kEs, 0, 1, Access::Read));
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
}

TEST_F(SystemInstructions, long_mode_ignores_all_segments_but_two) {
  enter_long_mode();
  std::uint64_t linear = 0;
  cpu.segments[kGs].base = 0xffff888000000000;
  cpu.segments[kDs].base = 0x1000;
  EXPECT_TRUE(segment_address(cpu, kGs, 0x10, 8, Access::Read, linear));
  EXPECT_EQ(linear, 0xffff888000000010u);
  EXPECT_TRUE(segment_address(cpu, kDs, 0x10, 8, Access::Read, linear));
  EXPECT_EQ(linear, 0x10u);
  EXPECT_FALSE(segment_address(cpu, kSs, 0x800000000000, 8, Access::Read, linear));
  EXPECT_TRUE(faulted(Vector::StackFault, 0));
}

TEST_F(SystemInstructions, far_pointers_load_both_parts_or_none) {
  enter_protected_mode();
  poke<std::uint32_t>(0x30000, 0x12345678);
  poke<std::uint16_t>(0x30004, kData3);
  EXPECT_EQ(run({0xc4, 0x05, 0, 0, 3, 0}), Flow::Next);  // les eax, [0x30000]
  EXPECT_EQ(eax(), 0x12345678u);
  EXPECT_EQ(cpu.segments[kEs].selector, kData3);
  poke<std::uint16_t>(0x30004, 0x100);
  set_eax(1);
  EXPECT_EQ(run({0xc4, 0x05, 0, 0, 3, 0}), Flow::Fault);
  EXPECT_EQ(eax(), 1u);
}

TEST_F(SystemInstructions, descriptors_can_be_looked_at) {
  enter_protected_mode();
  set_eax(0);
  cpu.set_reg<std::uint32_t>(kRbxSlot, kCode0);
  EXPECT_EQ(run({0x0f, 0x02, 0xc3}), Flow::Next);  // lar eax, ebx
  EXPECT_TRUE(cpu.flags.zf());
  EXPECT_EQ(eax(), 0x00cf9b00u);
  EXPECT_EQ(run({0x0f, 0x03, 0xc3}), Flow::Next);  // lsl eax, ebx
  EXPECT_EQ(eax(), 0xffffffffu);
  EXPECT_EQ(run({0x0f, 0x00, 0xe3}), Flow::Next);  // verr bx
  EXPECT_TRUE(cpu.flags.zf());
  EXPECT_EQ(run({0x0f, 0x00, 0xeb}), Flow::Next);  // verw bx
  EXPECT_FALSE(cpu.flags.zf());
  go_to_ring(3);
  EXPECT_EQ(run({0x0f, 0x02, 0xc3}), Flow::Next);
  EXPECT_FALSE(cpu.flags.zf());
  EXPECT_EQ(eax(), 0xffffffffu) << "left alone";
  cpu.set_reg<std::uint32_t>(kRbxSlot, 0xfff8);
  EXPECT_EQ(run({0x0f, 0x02, 0xc3}), Flow::Next);
  EXPECT_FALSE(cpu.flags.zf());
}

TEST_F(SystemInstructions, arpl_raises_the_requested_privilege) {
  enter_protected_mode();
  set_eax(kData0);
  cpu.set_reg<std::uint32_t>(kRbxSlot, 3);
  EXPECT_EQ(run({0x63, 0xd8}), Flow::Next);  // arpl ax, bx
  EXPECT_EQ(eax(), kData0 | 3u);
  EXPECT_TRUE(cpu.flags.zf());
  EXPECT_EQ(run({0x63, 0xd8}), Flow::Next);
  EXPECT_FALSE(cpu.flags.zf());
}

TEST_F(SystemInstructions, arpl_stores_only_what_changes) {
  enter_protected_mode();
  put_descriptor(kSpare, 0, 0xfffff, 0xc091);  // read-only
  ASSERT_TRUE(load_segment(cpu, kDs, kSpare));
  poke<std::uint16_t>(0x30000, 0x13);
  cpu.set_reg<std::uint32_t>(kRbxSlot, 2);
  EXPECT_EQ(run({0x63, 0x1d, 0, 0, 3, 0}), Flow::Next);  // arpl [0x30000], bx
  EXPECT_FALSE(cpu.flags.zf());
  poke<std::uint16_t>(0x30000, 0x11);
  EXPECT_EQ(run({0x63, 0x1d, 0, 0, 3, 0}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  EXPECT_EQ(peek<std::uint16_t>(0x30000), 0x11);
}

TEST_F(SystemInstructions, table_registers_are_loaded_and_stored) {
  enter_protected_mode();
  poke<std::uint16_t>(0x30000, 0x1ff);
  poke<std::uint32_t>(0x30002, 0xaa123456);
  EXPECT_EQ(run({0x0f, 0x01, 0x1d, 0, 0, 3, 0}), Flow::Next);  // lidt [0x30000]
  EXPECT_EQ(cpu.idt.limit, 0x1ff);
  EXPECT_EQ(cpu.idt.base, 0xaa123456u);
  EXPECT_EQ(run({0x66, 0x0f, 0x01, 0x1d, 0, 0, 3, 0}), Flow::Next);
  EXPECT_EQ(cpu.idt.base, 0x123456u) << "24 bits with 16-bit operands";
  EXPECT_EQ(run({0x0f, 0x01, 0x0d, 0, 1, 3, 0}), Flow::Next);  // sidt [0x30100]
  EXPECT_EQ(peek<std::uint16_t>(0x30100), 0x1ff);
  EXPECT_EQ(peek<std::uint32_t>(0x30102), 0x123456u);
  go_to_ring(3);
  EXPECT_EQ(run({0x0f, 0x01, 0x0d, 0, 1, 3, 0}), Flow::Next);
  EXPECT_EQ(run({0x0f, 0x01, 0x1d, 0, 0, 3, 0}), Flow::Fault);
  cpu.cr4 |= kCr4Umip;
  EXPECT_EQ(run({0x0f, 0x01, 0x0d, 0, 1, 3, 0}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  EXPECT_EQ(run({0x0f, 0x00, 0xc0}), Flow::Fault);  // sldt eax
  EXPECT_EQ(run({0x0f, 0x01, 0xe0}), Flow::Fault);  // smsw eax
}

TEST_F(SystemInstructions, task_and_local_table_registers) {
  enter_protected_mode();
  set_eax(kTask2Selector);
  EXPECT_EQ(run({0x0f, 0x00, 0xd8}), Flow::Next);  // ltr ax
  EXPECT_EQ(peek<std::uint8_t>(kGdt + kTask2Selector + 5), 0x8b);
  EXPECT_EQ(cpu.tr.base, kTss2);
  EXPECT_EQ(run({0x0f, 0x00, 0xd8}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, kTask2Selector)) << "busy";
  EXPECT_EQ(run({0x0f, 0x00, 0xd0}), Flow::Fault);  // lldt ax
  EXPECT_TRUE(faulted(Vector::GeneralProtection, kTask2Selector));
  put_descriptor(kSpare, 0x30000, 0x7, 0x82);
  poke<std::uint64_t>(0x30000, 0x00cf93000000ffff);
  set_eax(kSpare);
  EXPECT_EQ(run({0x0f, 0x00, 0xd0}), Flow::Next);
  EXPECT_TRUE(load_segment(cpu, kEs, 4));
  set_eax(0);
  EXPECT_EQ(run({0x0f, 0x00, 0xd0}), Flow::Next);
  EXPECT_FALSE(load_segment(cpu, kEs, 4));
}

TEST_F(SystemInstructions, task_registers_of_long_mode_have_64_bit_bases) {
  enter_long_mode();
  put_descriptor(kSpare, 0x12345000, 0x67, 0x89);
  poke<std::uint64_t>(kGdt + kSpare + 8, 0xffff8000);
  set_eax(kSpare);
  EXPECT_EQ(run({0x0f, 0x00, 0xd8}), Flow::Next);
  EXPECT_EQ(cpu.tr.base, 0xffff800012345000u);
}

// --- Control registers. ---

TEST_F(SystemInstructions, cr0_refuses_what_cannot_be) {
  enter_protected_mode();
  EXPECT_FALSE(write_cr0(cpu, kCr0Pg));
  EXPECT_FALSE(write_cr0(cpu, kCr0Pe | kCr0Nw));
  EXPECT_FALSE(write_cr0(cpu, std::uint64_t{1} << 32));
  EXPECT_TRUE(write_cr0(cpu, kCr0Pe | 1u << 15));
  EXPECT_EQ(cpu.cr0, kCr0Pe | kCr0Et);
}

TEST_F(SystemInstructions, cr4_has_the_bits_of_the_model) {
  enter_long_mode();
  EXPECT_FALSE(write_cr4(cpu, cpu.cr4 | 1u << 13));
  EXPECT_FALSE(write_cr4(cpu, cpu.cr4 & ~kCr4Pae));
  EXPECT_TRUE(write_cr4(cpu, cpu.cr4 | kCr4Pcide));
  EXPECT_FALSE(write_cr0(cpu, kCr0Pe));
  EXPECT_TRUE(write_cr3(cpu, kTables | std::uint64_t{1} << 63 | 5));
  EXPECT_EQ(cpu.cr3, kTables | 5);
  EXPECT_TRUE(write_cr4(cpu, cpu.cr4 & ~kCr4Pcide));
  EXPECT_FALSE(write_cr4(cpu, cpu.cr4 | kCr4Pcide)) << "CR3 has an identifier";
  EXPECT_FALSE(write_cr3(cpu, std::uint64_t{1} << 40));
}

TEST_F(SystemInstructions, control_registers_are_for_ring_0) {
  enter_protected_mode();
  EXPECT_EQ(run({0x0f, 0x20, 0xc0}), Flow::Next);
  EXPECT_EQ(eax(), cpu.cr0);
  EXPECT_EQ(run({0x0f, 0x06}), Flow::Next);
  EXPECT_EQ(run({0x0f, 0x01, 0xe0}), Flow::Next);
  go_to_ring(3);
  for (const auto& bytes : std::initializer_list<std::initializer_list<int>>{{0x0f, 0x20, 0xc0},
                                                                             {0x0f, 0x22, 0xc0},
                                                                             {0x0f, 0x06},
                                                                             {0x0f, 0x01, 0xf0},
                                                                             {0x0f, 0x30},
                                                                             {0x0f, 0x32},
                                                                             {0xf4},
                                                                             {0x0f, 0x09},
                                                                             {0x0f, 0x01, 0x38},
                                                                             {0x0f, 0x21, 0xc0},
                                                                             {0xfa},
                                                                             {0xfb}}) {
    EXPECT_EQ(run(bytes), Flow::Fault);
    EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  }
}

TEST_F(SystemInstructions, lmsw_sets_pe_and_never_clears_it) {
  set_eax(0xf);
  EXPECT_EQ(run({0x0f, 0x01, 0xf0}), Flow::Leave);
  EXPECT_EQ(cpu.cr0 & 0xf, 0xfu);
  set_eax(0);
  EXPECT_EQ(run({0x0f, 0x01, 0xf0}), Flow::Leave);
  EXPECT_EQ(cpu.cr0 & 0xf, kCr0Pe);
}

TEST_F(SystemInstructions, debug_registers_can_be_guarded) {
  enter_protected_mode();
  set_eax(0x12345);
  EXPECT_EQ(run({0x0f, 0x23, 0xc8}), Flow::Leave);  // mov dr1, eax
  EXPECT_EQ(cpu.debug_address[1], 0x12345u);
  set_eax(0xffffffff & ~(1u << 13));
  EXPECT_EQ(run({0x0f, 0x23, 0xf8}), Flow::Leave);  // mov dr7, eax
  EXPECT_EQ(cpu.dr7, 0xffff07ffu);
  EXPECT_NE(cpu.mode & Mode::kStepped, 0);
  EXPECT_EQ(run({0x0f, 0x21, 0xe0}), Flow::Next) << "DR4 is DR6";
  EXPECT_EQ(eax(), 0xffff0ff0u);
  cpu.cr4 |= kCr4De;
  EXPECT_EQ(run({0x0f, 0x21, 0xe0}), Flow::Fault);
  EXPECT_EQ(cpu.fault.vector, Vector::InvalidOpcode);
  cpu.dr7 |= 1u << 13;
  EXPECT_EQ(run({0x0f, 0x21, 0xc8}), Flow::Fault);
  EXPECT_EQ(cpu.fault.vector, Vector::Debug);
  EXPECT_EQ(cpu.fault.address, 1u << 13);
}

TEST_F(SystemInstructions, invlpg_forgets_a_page) {
  enter_long_mode();
  std::uint32_t value = 0;
  EXPECT_TRUE(cpu.mmu.read(0x400000, value));
  poke<std::uint64_t>(kTables + 0x2010, 0);
  cpu.set_reg<std::uint64_t>(kRaxSlot, 0x400000);
  EXPECT_TRUE(cpu.mmu.read(0x400000, value));
  EXPECT_EQ(run({0x0f, 0x01, 0x38}), Flow::Leave);
  EXPECT_FALSE(cpu.mmu.read(0x400000, value));
}

TEST_F(SystemInstructions, invpcid_checks_its_descriptor) {
  enter_long_mode();
  cpu.set_reg<std::uint64_t>(kRcxSlot, 0x30000);
  cpu.set_reg<std::uint64_t>(kRaxSlot, 2);
  EXPECT_EQ(run({0x66, 0x0f, 0x38, 0x82, 0x01}), Flow::Leave);
  cpu.set_reg<std::uint64_t>(kRaxSlot, 4);
  EXPECT_EQ(run({0x66, 0x0f, 0x38, 0x82, 0x01}), Flow::Fault);
  cpu.set_reg<std::uint64_t>(kRaxSlot, 0);
  poke<std::uint64_t>(0x30008, 0x800000000000);
  EXPECT_EQ(run({0x66, 0x0f, 0x38, 0x82, 0x01}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
}

// --- The rest. ---

TEST_F(SystemInstructions, sti_takes_effect_after_the_next_instruction) {
  enter_protected_mode();
  cpu.interrupt_waits = true;
  EXPECT_EQ(run({0xfb}), Flow::Leave);
  EXPECT_EQ(cpu.shadow, 2);
  EXPECT_EQ(cpu.attention.load(), 1u);
  EXPECT_NE(cpu.mode & Mode::kStepped, 0);
  EXPECT_EQ(run({0xfb}), Flow::Next) << "nothing to wait for";
  EXPECT_EQ(run({0xfa}), Flow::Next);
  EXPECT_EQ(cpu.other_flags & kIf, 0u);
}

TEST_F(SystemInstructions, msrs_exist_or_fault) {
  enter_long_mode();
  std::uint64_t value = 0;
  for (const std::uint32_t index : saved_msrs()) {
    ASSERT_TRUE(read_msr(cpu, index, value)) << std::hex << index;
    EXPECT_TRUE(load_msr(cpu, index, value)) << std::hex << index;
  }
  EXPECT_FALSE(read_msr(cpu, 0x1234567, value));
  EXPECT_FALSE(write_msr(cpu, 0x1234567, 0));
  EXPECT_FALSE(write_msr(cpu, 0xc0000082, 0x800000000000)) << "LSTAR is an address";
  EXPECT_TRUE(write_msr(cpu, 0xc0000082, 0xffffffff81000000));
  EXPECT_EQ(cpu.lstar, 0xffffffff81000000u);
  EXPECT_FALSE(write_msr(cpu, 0x277, 2)) << "no memory type";
  EXPECT_FALSE(write_msr(cpu, 0xc0000080, 1u << 20));
  EXPECT_FALSE(write_msr(cpu, 0xc0000080, kEferNxe)) << "LME stays while paging is on";
  EXPECT_TRUE(write_msr(cpu, 0xc0000080, kEferLme | kEferSce));
  EXPECT_TRUE(cpu.long_mode());
  EXPECT_TRUE(write_msr(cpu, 0x200, 0x6));
  EXPECT_FALSE(write_msr(cpu, 0x200, std::uint64_t{1} << 40));
  EXPECT_TRUE(write_msr(cpu, 0xc0000100, 0x7000));
  EXPECT_EQ(cpu.segments[kFs].base, 0x7000u);
}

TEST_F(SystemInstructions, the_time_stamp_counter_can_be_set) {
  enter_protected_mode();
  platform_.time = 5000;
  EXPECT_TRUE(write_msr(cpu, 0x10, 100));
  EXPECT_EQ(cpu.tsc_adjust, static_cast<std::uint64_t>(-4900));
  platform_.time = 5050;
  EXPECT_EQ(run({0x0f, 0x31}), Flow::Next);
  EXPECT_EQ(eax(), 150u);
  EXPECT_TRUE(write_msr(cpu, 0x3b, 0));
  EXPECT_EQ(time_stamp(cpu), 5050u);
  EXPECT_TRUE(load_msr(cpu, 0x3b, 77));
  EXPECT_EQ(time_stamp(cpu), 5050u);
  go_to_ring(3);
  cpu.cr4 |= kCr4Tsd;
  EXPECT_EQ(run({0x0f, 0x31}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
}

TEST_F(SystemInstructions, cpuid_answers_by_leaf_and_index) {
  enter_protected_mode();
  const std::vector<CpuidEntry> leaves{{0, 0, false, 0xd, 1, 2, 3},
                                       {1, 0, false, 1, 2, 3, 4},
                                       {0xb, 0, true, 0, 1, 0x100, 5},
                                       {0xd, 0, true, 3, 0, 9, 0},
                                       {0x80000000, 0, false, 0x80000001, 0, 0, 0}};
  cpu.cpuid = &leaves;
  cpu.cr4 |= kCr4Osxsave;
  set_eax(1);
  EXPECT_EQ(run({0x0f, 0xa2}), Flow::Next);
  EXPECT_EQ(cpu.reg<std::uint32_t>(kRcxSlot), 3u | 1u << 27);
  EXPECT_EQ(cpuid_leaf(cpu, 0xd, 0).ebx, 576u);
  EXPECT_EQ(cpuid_leaf(cpu, 0x123, 0).ecx, 9u) << "the last basic leaf";
  EXPECT_EQ(cpuid_leaf(cpu, 0xb, 7).ecx, 7u);
  EXPECT_EQ(cpuid_leaf(cpu, 0xb, 7).edx, 5u);
  EXPECT_EQ(cpuid_leaf(cpu, 0x40000000, 0).eax, 0u);
}

TEST_F(SystemInstructions, segment_bases_and_swapgs) {
  enter_long_mode();
  EXPECT_EQ(run({0xf3, 0x48, 0x0f, 0xae, 0xc0}), Flow::Fault);  // rdfsbase rax
  EXPECT_EQ(cpu.fault.vector, Vector::InvalidOpcode);
  cpu.cr4 |= kCr4Fsgsbase;
  cpu.set_reg<std::uint64_t>(kRaxSlot, 0x800000000000);
  EXPECT_EQ(run({0xf3, 0x48, 0x0f, 0xae, 0xd8}), Flow::Fault);  // wrgsbase rax
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  cpu.set_reg<std::uint64_t>(kRaxSlot, 0xffff800000000000);
  EXPECT_EQ(run({0xf3, 0x48, 0x0f, 0xae, 0xd8}), Flow::Next);
  cpu.kernel_gs_base = 5;
  EXPECT_EQ(run({0x0f, 0x01, 0xf8}), Flow::Next);
  EXPECT_EQ(cpu.kernel_gs_base, 0xffff800000000000u);
  EXPECT_EQ(run({0xf3, 0x48, 0x0f, 0xae, 0xc8}), Flow::Next);  // rdgsbase rax
  EXPECT_EQ(rax(), 5u);
}

TEST_F(SystemInstructions, extended_state_needs_its_switch) {
  enter_long_mode();
  cpu.set_reg<std::uint64_t>(kRcxSlot, 0);
  EXPECT_EQ(run({0x0f, 0x01, 0xd0}), Flow::Fault);
  EXPECT_EQ(cpu.fault.vector, Vector::InvalidOpcode);
  cpu.cr4 |= kCr4Osxsave;
  set_eax(2);
  cpu.set_reg<std::uint64_t>(kRdxSlot, 0);
  EXPECT_EQ(run({0x0f, 0x01, 0xd1}), Flow::Fault) << "x87 must be there";
  set_eax(3);
  EXPECT_EQ(run({0x0f, 0x01, 0xd1}), Flow::Leave);
  EXPECT_EQ(run({0x0f, 0x01, 0xd0}), Flow::Next);
  EXPECT_EQ(eax(), 3u);
}

TEST_F(SystemInstructions, stac_and_clac_are_for_ring_0) {
  enter_long_mode();
  EXPECT_EQ(run({0x0f, 0x01, 0xcb}), Flow::Next);
  EXPECT_NE(cpu.other_flags & kAc, 0u);
  EXPECT_EQ(run({0x0f, 0x01, 0xca}), Flow::Next);
  EXPECT_EQ(cpu.other_flags & kAc, 0u);
  go_to_ring_64(3);
  EXPECT_EQ(run({0x0f, 0x01, 0xcb}), Flow::Fault);
  EXPECT_EQ(cpu.fault.vector, Vector::InvalidOpcode);
}

TEST_F(SystemInstructions, what_the_cpu_has_not_is_undefined) {
  enter_protected_mode();
  EXPECT_EQ(run({0x0f, 0x01, 0xc8}), Flow::Fault);  // monitor
  EXPECT_EQ(cpu.fault.vector, Vector::InvalidOpcode);
  EXPECT_EQ(run({0x0f, 0xaa}), Flow::Fault);  // rsm
  EXPECT_EQ(cpu.fault.vector, Vector::InvalidOpcode);
}

}  // namespace
}  // namespace vmm::cpu::soft
