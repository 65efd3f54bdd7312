#include "tests/unit/vmm/cpu/soft/system/machine.h"
#include "vmm/cpu/soft/system_flags.h"

namespace vmm::cpu::soft {
namespace {

constexpr unsigned kInterrupt16 = 6, kTaskGate = 5, kInterrupt32 = 14, kTrap32 = 15;
constexpr std::uint8_t kTimer = 0x30;

class Delivery : public MachineTest {
 protected:
  static constexpr std::uint32_t kHandler = 0x11000;

  void gate(unsigned vector, unsigned type, unsigned dpl = 0, std::uint16_t selector = kCode0, bool present = true) {
    put_gate(kIdt + 8 * vector, selector, kHandler, type, dpl, present);
  }
  bool interrupt(std::uint8_t vector = kTimer) {
    return deliver_event(cpu, {EventKind::External, vector, false, 0}, cpu.rip);
  }
  bool fault(Vector vector, std::uint32_t error_code = 0, std::uint64_t address = 0) {
    cpu.raise(vector, error_code, address);
    return deliver_fault(cpu);
  }
  std::uint32_t pushed(unsigned n) { return peek<std::uint32_t>(rsp() + 4 * n); }
  std::uint64_t pushed64(unsigned n) { return peek<std::uint64_t>(rsp() + 8 * n); }
  // Ring 3 of virtual-8086 mode with the segments 0x1000 and a stack at 0x2000:0x100.
  void enter_virtual_8086(std::uint32_t flags = 0) {
    enter_protected_mode();
    load_flags(cpu, kVm | kIf | flags, ~0u);
    set_cpl(cpu, 3);
    for (const SegmentIndex index : {kEs, kDs, kFs, kGs, kCs})
      set_real_segment(cpu, index, 0x1000);
    set_real_segment(cpu, kSs, 0x2000);
    cpu.set_reg<std::uint64_t>(4 * 8, 0x100);
    cpu.rip = 0x20;
  }
};

TEST_F(Delivery, real_mode_uses_the_vector_table) {
  poke<std::uint32_t>(4 * kTimer, 0xf000e123);
  set_real_segment(cpu, kCs, 0x1234);
  set_real_segment(cpu, kSs, 0x2000);
  cpu.rip = 0x5678;
  cpu.set_reg<std::uint64_t>(4 * 8, 0xabcd0002);
  cpu.set_rflags(kIf | kTf | kCf);
  ASSERT_TRUE(interrupt());
  EXPECT_EQ(cpu.segments[kCs].selector, 0xf000);
  EXPECT_EQ(cpu.segments[kCs].base, 0xf0000u);
  EXPECT_EQ(cpu.rip, 0xe123u);
  EXPECT_EQ(rsp(), 0xabcdfffcu) << "a 16-bit stack wraps";
  EXPECT_EQ(peek<std::uint16_t>(0x2fffc), 0x5678);
  EXPECT_EQ(peek<std::uint16_t>(0x2fffe), 0x1234);
  EXPECT_EQ(peek<std::uint16_t>(0x20000), kIf | kTf | kCf | 2);
  EXPECT_EQ(cpu.rflags(), kCf | 2);
}

TEST_F(Delivery, real_mode_beyond_the_table_ends_in_shutdown) {
  cpu.idt.limit = 0x1f;
  EXPECT_FALSE(interrupt());
}

TEST_F(Delivery, the_same_ring_keeps_its_stack) {
  enter_protected_mode();
  gate(kTimer, kInterrupt32);
  cpu.set_rflags(kIf | kNt | kZf);
  ASSERT_TRUE(interrupt());
  EXPECT_EQ(cpu.rip, kHandler);
  EXPECT_EQ(rsp(), kStack + 0x2000 - 12);
  EXPECT_EQ(pushed(0), kCode);
  EXPECT_EQ(pushed(1), kCode0);
  EXPECT_EQ(pushed(2), kIf | kNt | kZf | 2);
  EXPECT_EQ(cpu.rflags(), kZf | 2);
}

TEST_F(Delivery, a_trap_gate_leaves_interrupts_on) {
  enter_protected_mode();
  gate(kTimer, kTrap32);
  cpu.set_rflags(kIf);
  ASSERT_TRUE(interrupt());
  EXPECT_EQ(cpu.rflags(), kIf | 2);
}

TEST_F(Delivery, sixteen_bit_gates_push_words) {
  enter_protected_mode();
  put_gate(kIdt + 8 * 13, kCode0, 0x12345678, kInterrupt16, 0);
  ASSERT_TRUE(fault(Vector::GeneralProtection, 0x18));
  EXPECT_EQ(cpu.rip, 0x5678u);
  EXPECT_EQ(rsp(), kStack + 0x2000 - 8);
  EXPECT_EQ(peek<std::uint16_t>(rsp()), 0x18);
}

TEST_F(Delivery, an_inner_ring_gets_the_stack_of_the_task) {
  enter_protected_mode();
  gate(14, kInterrupt32);
  go_to_ring(3);
  ASSERT_TRUE(fault(Vector::PageFault, 6, 0xdead));
  EXPECT_EQ(cpu.cpl, 0);
  EXPECT_EQ(cpu.cr2, 0xdeadu);
  EXPECT_EQ(cpu.segments[kSs].selector, kData0);
  EXPECT_EQ(rsp(), kStack + 0x1000 - 24);
  EXPECT_EQ(pushed(0), 6u);
  EXPECT_EQ(pushed(1), kCode);
  EXPECT_EQ(pushed(2), kCode3);
  EXPECT_EQ(pushed(3), kRf | 2);
  EXPECT_EQ(pushed(4), kStack + 0x3000);
  EXPECT_EQ(pushed(5), kData3);
}

TEST_F(Delivery, software_interrupts_need_the_privilege_of_the_gate) {
  enter_protected_mode();
  gate(0x21, kInterrupt32);
  gate(0x80, kTrap32, 3);
  gate(3, kTrap32, 3);
  go_to_ring(3);
  EXPECT_EQ(run({0xcd, 0x21}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0x21 * 8 + 2));
  EXPECT_EQ(cpu.cpl, 3);
  EXPECT_EQ(run({0xcd, 0x80}), Flow::Leave);
  EXPECT_EQ(cpu.cpl, 0);
  EXPECT_EQ(pushed(0), kCode + 2) << "the next instruction";
  go_to_ring(3);
  cpu.rip = kCode;
  EXPECT_EQ(run({0xcc}), Flow::Leave);
  EXPECT_EQ(pushed(0), kCode + 1);
  go_to_ring(3);
  cpu.rip = kCode;
  EXPECT_TRUE(interrupt(0x21)) << "an interrupt from outside needs none";
}

TEST_F(Delivery, into_traps_with_overflow_only) {
  enter_protected_mode();
  gate(4, kTrap32, 3);
  EXPECT_EQ(run({0xce}), Flow::Next);
  EXPECT_EQ(cpu.rip, kCode + 1);
  cpu.flags.assign(kOf);
  EXPECT_EQ(run({0xce}), Flow::Leave);
  EXPECT_EQ(cpu.rip, kHandler);
}

TEST_F(Delivery, error_codes_say_what_was_wrong) {
  enter_protected_mode();
  gate(0x40, kInterrupt32, 3, kCode0, false);
  EXPECT_EQ(run({0xcd, 0x40}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::SegmentNotPresent, 0x40 * 8 + 2));
  gate(0x40, kInterrupt32, 3, 0);
  EXPECT_EQ(run({0xcd, 0x40}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  gate(0x40, kInterrupt32, 3, kData0);
  EXPECT_EQ(run({0xcd, 0x40}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, kData0));
  gate(0x40, kInterrupt32, 3, 0x200);
  EXPECT_EQ(run({0xcd, 0x40}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0x200));
  gate(0x40, 12, 3);
  EXPECT_EQ(run({0xcd, 0x40}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0x40 * 8 + 2)) << "no call gates there";
}

TEST_F(Delivery, bad_stacks_of_tasks_are_invalid_tss) {
  enter_protected_mode();
  gate(0x40, kInterrupt32, 3);
  go_to_ring(3);
  poke<std::uint32_t>(kTss + 8, kData3);
  EXPECT_EQ(run({0xcd, 0x40}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::InvalidTss, kData3 & ~3u));
  poke<std::uint32_t>(kTss + 8, 0);
  EXPECT_EQ(run({0xcd, 0x40}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::InvalidTss, 0));
  poke<std::uint32_t>(kTss + 8, kSpare);
  put_descriptor(kSpare, 0, 0xfffff, 0xc013);
  EXPECT_EQ(run({0xcd, 0x40}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::StackFault, kSpare));
  cpu.tr.limit = 6;
  EXPECT_EQ(run({0xcd, 0x40}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::InvalidTss, kTaskSelector));
  EXPECT_EQ(cpu.cpl, 3);
  EXPECT_EQ(rsp(), kStack + 0x3000);
}

TEST_F(Delivery, contributory_faults_double_and_triple) {
  enter_protected_mode();
  gate(8, kInterrupt32);
  ASSERT_TRUE(fault(Vector::GeneralProtection, 8)) << "no gate 13: #GP while delivering #GP";
  EXPECT_EQ(pushed(0), 0u);
  EXPECT_EQ(pushed(1), kCode);
  gate(8, kInterrupt32, 0, kCode0, false);
  EXPECT_FALSE(fault(Vector::GeneralProtection, 8));
}

TEST_F(Delivery, benign_events_fault_serially) {
  enter_protected_mode();
  gate(13, kInterrupt32);
  ASSERT_TRUE(interrupt());
  EXPECT_EQ(pushed(0), kTimer * 8u + 2 + 1) << "EXT";
  ASSERT_TRUE(fault(Vector::InvalidOpcode));
  EXPECT_EQ(pushed(0), 6u * 8 + 2 + 1);
}

TEST_F(Delivery, a_page_fault_after_a_contributory_one_is_delivered) {
  enter_protected_mode();
  gate(14, kInterrupt32);
  // The IDT's entry of #GP is in a page that is not present.
  poke<std::uint32_t>(kTables, 0x87 & ~0x80u);
  for (std::uint32_t i = 0; i < 1024; ++i)
    poke<std::uint32_t>(0x50000 + 4 * i, i << 12 | 7);
  poke<std::uint32_t>(kTables, 0x50000 | 7);
  poke<std::uint32_t>(0x50000 + 4 * 2, 0);  // kIdt's page
  cpu.cr3 = kTables;
  cpu.cr0 |= kCr0Pg;
  cpu.mmu.flush_all();
  EXPECT_FALSE(fault(Vector::GeneralProtection)) << "#GP, #PF, #DF, shutdown: there is no IDT at all";
  EXPECT_EQ(cpu.cr2, kIdt + 8 * 8) << "the gate of #DF";
}

TEST_F(Delivery, debug_exceptions_note_their_cause) {
  enter_protected_mode();
  gate(1, kInterrupt32);
  cpu.dr7 |= 1u << 13;
  ASSERT_TRUE(fault(Vector::Debug, 0, 1u << 14));
  EXPECT_EQ(cpu.dr6, 0xffff4ff0u);
  EXPECT_EQ(cpu.dr7 & (1u << 13), 0u);
  EXPECT_EQ(pushed(2) & kRf, 0u);
}

TEST_F(Delivery, nmis_stay_masked_until_iret) {
  enter_protected_mode();
  gate(2, kInterrupt32);
  ASSERT_TRUE(deliver_event(cpu, {EventKind::Nmi, 2, false, 0}, cpu.rip));
  EXPECT_TRUE(cpu.nmi_masked);
  EXPECT_EQ(run({0xcf}), Flow::Leave);
  EXPECT_FALSE(cpu.nmi_masked);
  EXPECT_EQ(cpu.rip, kCode);
}

TEST_F(Delivery, an_event_wakes_a_halted_cpu) {
  enter_protected_mode();
  gate(kTimer, kInterrupt32);
  EXPECT_EQ(run({0xf4}), Flow::Leave);
  EXPECT_EQ(cpu.activity, Activity::Halted);
  ASSERT_TRUE(interrupt());
  EXPECT_EQ(cpu.activity, Activity::Running);
  EXPECT_EQ(pushed(0), kCode + 1);
}

TEST_F(Delivery, iret_returns_to_the_outer_ring) {
  enter_protected_mode();
  gate(kTimer, kInterrupt32);
  go_to_ring(3);
  cpu.set_rflags(kIf | kCf);
  ASSERT_TRUE(load_segment(cpu, kEs, kData3));
  ASSERT_TRUE(interrupt());
  ASSERT_TRUE(load_segment(cpu, kDs, kData0));
  cpu.set_rflags(0);
  EXPECT_EQ(run({0xcf}), Flow::Leave);
  EXPECT_EQ(cpu.cpl, 3);
  EXPECT_EQ(cpu.segments[kCs].selector, kCode3);
  EXPECT_EQ(rsp(), kStack + 0x3000);
  EXPECT_EQ(cpu.rflags(), kIf | kCf | 2);
  EXPECT_EQ(cpu.segments[kDs].selector, 0) << "ring 3 must not keep a segment of ring 0";
  EXPECT_GT(cpu.segments[kDs].first, cpu.segments[kDs].last);
  EXPECT_EQ(cpu.segments[kEs].selector, kData3);
}

TEST_F(Delivery, iret_changes_only_the_flags_that_the_ring_may) {
  enter_protected_mode();
  go_to_ring(3);
  poke<std::uint32_t>(rsp(), kCode + 0x100);
  poke<std::uint32_t>(rsp() + 4, kCode3);
  poke<std::uint32_t>(rsp() + 8, 0xffffffff & ~kTf & ~kNt);
  EXPECT_EQ(run({0xcf}), Flow::Leave);
  EXPECT_EQ(cpu.rflags() & (kIf | kIopl | kVm | kVif | kVip), 0u);
  EXPECT_NE(cpu.rflags() & kAc, 0u);
  EXPECT_NE(cpu.rflags() & kRf, 0u);
}

TEST_F(Delivery, iret_to_a_bad_segment_changes_nothing) {
  enter_protected_mode();
  const auto before = rsp();
  poke<std::uint32_t>(rsp(), 0x100);
  poke<std::uint32_t>(rsp() + 4, kData3);
  poke<std::uint32_t>(rsp() + 8, 0);
  EXPECT_EQ(run({0xcf}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, kData3 & ~3u));
  poke<std::uint32_t>(before + 4, kCode3);
  poke<std::uint32_t>(before + 16, kData0);
  EXPECT_EQ(run({0xcf}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, kData0));
  EXPECT_EQ(rsp(), before);
  EXPECT_EQ(cpu.rip, kCode);
  EXPECT_EQ(cpu.segments[kCs].selector, kCode0);
}

// --- Virtual-8086 mode. ---

TEST_F(Delivery, interrupts_leave_virtual_8086_mode_and_iret_enters_it) {
  enter_virtual_8086();
  gate(kTimer, kInterrupt32);
  ASSERT_TRUE(interrupt());
  EXPECT_EQ(cpu.cpl, 0);
  EXPECT_FALSE(cpu.virtual_8086());
  EXPECT_EQ(cpu.mode, Mode::kCode32 | Mode::kStack32);
  EXPECT_EQ(cpu.segments[kDs].selector, 0);
  EXPECT_EQ(rsp(), kStack + 0x1000 - 36);
  EXPECT_EQ(pushed(0), 0x20u);
  EXPECT_EQ(pushed(1), 0x1000u);
  EXPECT_EQ(pushed(2), kVm | kIf | 2);
  EXPECT_EQ(pushed(3), 0x100u);
  EXPECT_EQ(pushed(4), 0x2000u);
  poke<std::uint32_t>(rsp() + 5 * 4, 0x3000);  // ES
  put_code(kHandler, {0xcf});
  EXPECT_EQ(step(), Flow::Leave);
  EXPECT_TRUE(cpu.virtual_8086());
  EXPECT_EQ(cpu.cpl, 3);
  EXPECT_EQ(cpu.mode, Mode::kUnprotected);
  EXPECT_EQ(cpu.segments[kEs].base, 0x30000u);
  EXPECT_EQ(cpu.segments[kSs].base, 0x20000u);
  EXPECT_EQ(cpu.segments[kGs].limit, 0xffffu);
  EXPECT_EQ(rsp(), 0x100u);
  EXPECT_EQ(cpu.rip, 0x20u);
}

TEST_F(Delivery, int_n_in_virtual_8086_mode_needs_iopl_3) {
  enter_virtual_8086();
  gate(0x10, kInterrupt32, 3);
  EXPECT_EQ(run({0xcd, 0x10}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  cpu.other_flags |= kIopl;
  EXPECT_EQ(run({0xcd, 0x10}), Flow::Leave);
  EXPECT_FALSE(cpu.virtual_8086());
}

TEST_F(Delivery, vme_redirects_interrupts_to_the_program) {
  enter_virtual_8086(kVif);
  cpu.cr4 |= kCr4Vme;
  poke<std::uint16_t>(kTss + 102, 0x68 + 32);
  poke<std::uint32_t>(4 * 0x10, 0x30004567);
  EXPECT_EQ(run({0xcd, 0x10}), Flow::Leave);
  EXPECT_TRUE(cpu.virtual_8086());
  EXPECT_EQ(cpu.segments[kCs].selector, 0x3000);
  EXPECT_EQ(cpu.rip, 0x4567u);
  EXPECT_EQ(cpu.other_flags & kVif, 0u);
  EXPECT_NE(cpu.other_flags & kIf, 0u);
  EXPECT_EQ(rsp(), 0x100u - 6);
  EXPECT_EQ(peek<std::uint16_t>(0x20000 + rsp() + 4), kIopl | kIf | 2);
  // The way back.
  EXPECT_EQ(run({0xcf}), Flow::Leave);
  EXPECT_EQ(cpu.rip, 0x22u);
  EXPECT_NE(cpu.other_flags & kVif, 0u);
  EXPECT_EQ(cpu.iopl(), 0u);
  poke<std::uint8_t>(kTss + 0x68 + 2, 1);
  EXPECT_EQ(run({0xcd, 0x10}), Flow::Fault) << "with its bit set it is the monitor's";
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
}

TEST_F(Delivery, cli_and_sti_use_the_virtual_flag) {
  enter_virtual_8086();
  EXPECT_EQ(run({0xfa}), Flow::Fault);
  cpu.cr4 |= kCr4Vme;
  EXPECT_EQ(run({0xfb}), Flow::Next);
  EXPECT_NE(cpu.other_flags & kVif, 0u);
  EXPECT_EQ(run({0xfa}), Flow::Next);
  EXPECT_EQ(cpu.other_flags & kVif, 0u);
  EXPECT_NE(cpu.other_flags & kIf, 0u);
  cpu.other_flags |= kVip;
  EXPECT_EQ(run({0xfb}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
}

// --- 64-bit mode. ---

TEST_F(Delivery, long_mode_pushes_five_values_on_an_aligned_stack) {
  enter_long_mode();
  put_gate64(kTimer, kCode64, 0x110000, 0, 0);
  cpu.set_reg<std::uint64_t>(4 * 8, kStack + 0x2009);
  cpu.set_rflags(kIf);
  ASSERT_TRUE(interrupt());
  EXPECT_EQ(rsp(), kStack + 0x2000 - 40);
  EXPECT_EQ(cpu.rip, 0x110000u);
  EXPECT_EQ(pushed64(0), kCode);
  EXPECT_EQ(pushed64(1), kCode64);
  EXPECT_EQ(pushed64(2), kIf | 2);
  EXPECT_EQ(pushed64(3), kStack + 0x2009);
  EXPECT_EQ(pushed64(4), kData0);
  EXPECT_EQ(cpu.segments[kSs].selector, kData0) << "the ring is the same";
  cpu.rip = 0x110000;
  EXPECT_EQ(run({0x48, 0xcf}), Flow::Leave);
  EXPECT_EQ(rsp(), kStack + 0x2009);
  EXPECT_EQ(cpu.rip, kCode);
}

TEST_F(Delivery, rings_and_interrupt_stacks_in_long_mode) {
  enter_long_mode();
  put_gate64(14, kCode64, 0x110000, 0, 0);
  put_gate64(8, kCode64, 0x110000, 2, 0);
  poke<std::uint64_t>(kTss + 0x24 + 8, kStack + 0x4000);
  go_to_ring_64(3);
  ASSERT_TRUE(fault(Vector::PageFault, 4, 0x123));
  EXPECT_EQ(rsp(), kStack + 0x1000 - 48);
  EXPECT_EQ(pushed64(0), 4u);
  EXPECT_EQ(pushed64(2), kCode64User);
  EXPECT_EQ(cpu.segments[kSs].selector, 0);
  EXPECT_EQ(cpu.cpl, 0);
  cpu.set_reg<std::uint64_t>(4 * 8, rsp() + 8);
  EXPECT_EQ(run({0x48, 0xcf}), Flow::Leave);
  EXPECT_EQ(cpu.cpl, 3);
  EXPECT_EQ(cpu.mode, Mode::kCode64);
  EXPECT_EQ(cpu.segments[kSs].selector, kData3);
  ASSERT_TRUE(deliver_event(cpu, {EventKind::Exception, 8, true, 0}, cpu.rip));
  EXPECT_EQ(rsp(), kStack + 0x4000 - 48);
}

TEST_F(Delivery, long_mode_wants_64_bit_handlers) {
  enter_long_mode();
  put_gate64(0x40, kCode0, 0x110000, 0, 3);
  EXPECT_EQ(run({0xcd, 0x40}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, kCode0));
  put_gate64(0x40, kCode64, 0x800000000000, 0, 3);
  EXPECT_EQ(run({0xcd, 0x40}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  poke<std::uint64_t>(kTss + 0x24, 0x800000000000);
  put_gate64(0x40, kCode64, 0x110000, 1, 3);
  EXPECT_EQ(run({0xcd, 0x40}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::StackFault, 0));
}

TEST_F(Delivery, task_gates_switch_and_push_the_error_code_there) {
  enter_protected_mode();
  put_gate(kIdt + 8 * 8, kTask2Selector, 0, kTaskGate, 0);
  poke<std::uint32_t>(kTss2 + 0x20, 0x12000);
  poke<std::uint32_t>(kTss2 + 0x24, 2);
  poke<std::uint32_t>(kTss2 + 0x38, kStack + 0x5000);
  for (unsigned i = 0; i < 6; ++i)
    poke<std::uint32_t>(kTss2 + 0x48 + 4 * i, i == 1 ? kCode0 : kData0);
  ASSERT_TRUE(fault(Vector::GeneralProtection, 0)) << "#DF by a task gate";
  EXPECT_EQ(cpu.tr.selector, kTask2Selector);
  EXPECT_EQ(cpu.rip, 0x12000u);
  EXPECT_EQ(rsp(), kStack + 0x5000 - 4);
  EXPECT_EQ(pushed(0), 0u);
  EXPECT_EQ(peek<std::uint16_t>(kTss2), kTaskSelector);
  EXPECT_NE(cpu.other_flags & kNt, 0u);
  EXPECT_NE(cpu.cr0 & kCr0Ts, 0u);
  EXPECT_EQ(peek<std::uint32_t>(kTss + 0x20), kCode);
}

}  // namespace
}  // namespace vmm::cpu::soft
