#include "tests/unit/vmm/cpu/soft/system/machine.h"
#include "vmm/cpu/soft/far_transfer.h"
#include "vmm/cpu/soft/system_flags.h"

namespace vmm::cpu::soft {
namespace {

constexpr std::uint8_t kRaxSlot = 0, kRcxSlot = 8, kRdxSlot = 16, kRspSlot = 32, kR11Slot = 88;

class Transfer : public MachineTest {
 protected:
  std::uint32_t pushed(unsigned n) { return peek<std::uint32_t>(rsp() + 4 * n); }
  std::uint64_t pushed64(unsigned n) { return peek<std::uint64_t>(rsp() + 8 * n); }
  // A TSS for ring 0 code at 0x12000 with a stack of its own.
  void prepare_task(std::uint32_t flags = 2) {
    poke<std::uint32_t>(kTss2 + 0x20, 0x12000);
    poke<std::uint32_t>(kTss2 + 0x24, flags);
    poke<std::uint32_t>(kTss2 + 0x28, 0xaabbccdd);
    poke<std::uint32_t>(kTss2 + 0x38, kStack + 0x5000);
    for (unsigned i = 0; i < 6; ++i)
      poke<std::uint32_t>(kTss2 + 0x48 + 4 * i, i == 1 ? kCode0 : kData0);
  }
  std::uint8_t access_byte(std::uint16_t selector) { return peek<std::uint8_t>(kGdt + selector + 5); }
};

TEST_F(Transfer, real_mode_jumps_and_calls_by_paragraphs) {
  set_real_segment(cpu, kCs, 0x1000);
  set_real_segment(cpu, kSs, 0x2000);
  cpu.set_reg<std::uint64_t>(kRspSlot, 0x100);
  cpu.rip = 0x10;
  EXPECT_EQ(run({0x9a, 0x34, 0x12, 0x00, 0x18}), Flow::Leave);
  EXPECT_EQ(cpu.segments[kCs].base, 0x18000u);
  EXPECT_EQ(cpu.rip, 0x1234u);
  EXPECT_EQ(rsp(), 0xfcu);
  EXPECT_EQ(peek<std::uint32_t>(0x200fc), 0x10000015u);
  EXPECT_EQ(run({0xca, 0x04, 0x00}), Flow::Leave);
  EXPECT_EQ(cpu.rip, 0x15u);
  EXPECT_EQ(rsp(), 0x104u);
  EXPECT_EQ(run({0x66, 0xea, 0, 0, 1, 0, 0, 0x10}), Flow::Fault) << "beyond 64 KiB";
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
}

TEST_F(Transfer, protected_mode_is_entered_by_cr0_and_a_far_jump) {
  enter_protected_mode();
  cpu.cr0 &= ~kCr0Pe;
  for (auto& segment : cpu.segments)
    segment.derive(false);
  set_real_segment(cpu, kCs, 0x1000);
  cpu.segments[kCs].attributes = kRealAttributes;
  cpu.segments[kCs].limit = 0xffff;
  cpu.segments[kCs].derive(false);
  cpu.derive_mode();
  EXPECT_EQ(cpu.mode & ~Mode::kStack32, Mode::kUnprotected);
  cpu.rip = 0;
  cpu.set_reg<std::uint32_t>(kRaxSlot, static_cast<std::uint32_t>(kCr0Pe | kCr0Et));
  EXPECT_EQ(run({0x0f, 0x22, 0xc0}), Flow::Leave);  // mov cr0, eax
  EXPECT_EQ(cpu.mode & Mode::kCodeMask, Mode::kCode16);
  EXPECT_EQ(cpu.mode & Mode::kUnprotected, 0);
  EXPECT_EQ(run({0x66, 0xea, 0, 0, 1, 0, kCode0, 0}), Flow::Leave);
  EXPECT_EQ(cpu.mode & Mode::kCodeMask, Mode::kCode32);
  EXPECT_EQ(cpu.rip, 0x10000u);
}

TEST_F(Transfer, direct_targets_are_checked) {
  enter_protected_mode();
  EXPECT_EQ(run({0xea, 0, 0, 1, 0, 0, 0}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  EXPECT_EQ(run({0xea, 0, 0, 1, 0, kData0, 0}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, kData0));
  EXPECT_EQ(run({0xea, 0, 0, 1, 0, kCode3, 0}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, kCode3 & ~3u));
  put_descriptor(kSpare, 0, 0xfff, 0x401b);
  EXPECT_EQ(run({0xea, 0, 0, 1, 0, kSpare, 0}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::SegmentNotPresent, kSpare));
  put_descriptor(kSpare, 0, 0xfff, 0x409a);
  EXPECT_EQ(run({0xea, 0, 0, 1, 0, kSpare, 0}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0)) << "beyond the limit";
  EXPECT_EQ(access_byte(kSpare), 0x9a);
  EXPECT_EQ(run({0xea, 0xff, 0xf, 0, 0, kSpare, 0}), Flow::Leave);
  EXPECT_EQ(access_byte(kSpare), 0x9b);
  EXPECT_EQ(cpu.rip, 0xfffu);
}

TEST_F(Transfer, conforming_code_keeps_the_ring) {
  enter_protected_mode();
  put_descriptor(kSpare, 0, 0xfffff, 0xc09f);
  go_to_ring(3);
  EXPECT_EQ(run({0x9a, 0, 0, 2, 0, kSpare, 0}), Flow::Leave);
  EXPECT_EQ(cpu.cpl, 3);
  EXPECT_EQ(cpu.segments[kCs].selector, kSpare | 3);
  EXPECT_EQ(pushed(0), kCode + 7);
  EXPECT_EQ(pushed(1), kCode3);
  cpu.rip = kCode + 0x100;
  EXPECT_EQ(run({0xcb}), Flow::Leave);
  EXPECT_EQ(cpu.segments[kCs].selector, kCode3);
}

TEST_F(Transfer, call_gates_change_rings_and_carry_parameters) {
  enter_protected_mode();
  put_gate(kGdt + kSpare, kCode0, 0x12000, 12, 3, true, 2);
  go_to_ring(3);
  cpu.set_reg<std::uint64_t>(kRspSlot, rsp() - 8);
  poke<std::uint32_t>(rsp(), 0x11111111);
  poke<std::uint32_t>(rsp() + 4, 0x22222222);
  ASSERT_TRUE(load_segment(cpu, kDs, kData3));
  EXPECT_EQ(run({0x9a, 1, 2, 3, 4, kSpare, 0}), Flow::Leave);
  EXPECT_EQ(cpu.rip, 0x12000u);
  EXPECT_EQ(cpu.cpl, 0);
  EXPECT_EQ(rsp(), kStack + 0x1000 - 24);
  EXPECT_EQ(pushed(0), kCode + 7);
  EXPECT_EQ(pushed(1), kCode3);
  EXPECT_EQ(pushed(2), 0x11111111u);
  EXPECT_EQ(pushed(3), 0x22222222u);
  EXPECT_EQ(pushed(4), kStack + 0x3000 - 8);
  EXPECT_EQ(pushed(5), kData3);
  EXPECT_EQ(run({0xca, 8, 0}), Flow::Leave);
  EXPECT_EQ(cpu.cpl, 3);
  EXPECT_EQ(rsp(), kStack + 0x3000) << "both stacks are released";
  EXPECT_EQ(cpu.rip, kCode + 7);
  EXPECT_EQ(cpu.segments[kDs].selector, kData3);
}

TEST_F(Transfer, gates_refuse_the_unprivileged_and_jumps_inwards) {
  enter_protected_mode();
  put_gate(kGdt + kSpare, kCode0, 0x12000, 12, 0);
  go_to_ring(3);
  EXPECT_EQ(run({0x9a, 0, 0, 0, 0, kSpare, 0}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, kSpare));
  put_gate(kGdt + kSpare, kCode0, 0x12000, 12, 3, false);
  EXPECT_EQ(run({0x9a, 0, 0, 0, 0, kSpare, 0}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::SegmentNotPresent, kSpare));
  put_gate(kGdt + kSpare, kCode0, 0x12000, 12, 3);
  EXPECT_EQ(run({0xea, 0, 0, 0, 0, kSpare, 0}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, kCode0));
  EXPECT_EQ(rsp(), kStack + 0x3000);
}

TEST_F(Transfer, returns_inwards_are_refused) {
  enter_protected_mode();
  go_to_ring(3);
  poke<std::uint32_t>(rsp(), 0x12000);
  poke<std::uint32_t>(rsp() + 4, kCode0);
  EXPECT_EQ(run({0xcb}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, kCode0));
}

TEST_F(Transfer, a_far_call_without_room_changes_nothing) {
  enter_protected_mode();
  cpu.segments[kSs].limit = 0xfff;
  cpu.segments[kSs].derive(true);
  cpu.derive_mode();
  EXPECT_EQ(run({0x9a, 0, 0, 2, 0, kCode0, 0}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::StackFault, 0));
  EXPECT_EQ(rsp(), kStack + 0x2000);
}

// --- Tasks. ---

TEST_F(Transfer, tasks_call_and_return) {
  enter_protected_mode();
  prepare_task();
  cpu.set_reg<std::uint32_t>(kRaxSlot, 0x1234);
  EXPECT_EQ(run({0x9a, 0, 0, 0, 0, kTask2Selector, 0}), Flow::Leave);
  EXPECT_EQ(cpu.rip, 0x12000u);
  EXPECT_EQ(cpu.reg<std::uint32_t>(kRaxSlot), 0xaabbccddu);
  EXPECT_EQ(rsp(), kStack + 0x5000);
  EXPECT_EQ(peek<std::uint16_t>(kTss2), kTaskSelector) << "the link";
  EXPECT_EQ(access_byte(kTaskSelector), 0x8b);
  EXPECT_EQ(access_byte(kTask2Selector), 0x8b);
  EXPECT_NE(cpu.other_flags & kNt, 0u);
  EXPECT_EQ(run({0xcf}), Flow::Leave);
  EXPECT_EQ(cpu.tr.selector, kTaskSelector);
  EXPECT_EQ(access_byte(kTask2Selector), 0x89);
  EXPECT_EQ(access_byte(kTaskSelector), 0x8b);
  EXPECT_EQ(cpu.rip, kCode + 7);
  EXPECT_EQ(cpu.reg<std::uint32_t>(kRaxSlot), 0x1234u);
  EXPECT_EQ(cpu.other_flags & kNt, 0u);
  EXPECT_EQ(peek<std::uint32_t>(kTss2 + 0x20), 0x12001u);
  EXPECT_EQ(peek<std::uint32_t>(kTss2 + 0x24) & kNt, 0u);
}

TEST_F(Transfer, jumps_to_tasks_free_the_old_one) {
  enter_protected_mode();
  prepare_task();
  EXPECT_EQ(run({0xea, 0, 0, 0, 0, kTask2Selector, 0}), Flow::Leave);
  EXPECT_EQ(access_byte(kTaskSelector), 0x89);
  EXPECT_EQ(access_byte(kTask2Selector), 0x8b);
  EXPECT_EQ(cpu.other_flags & kNt, 0u);
  EXPECT_EQ(run({0xea, 0, 0, 0, 0, kTask2Selector, 0}), Flow::Fault) << "it is busy";
  EXPECT_TRUE(faulted(Vector::GeneralProtection, kTask2Selector));
}

TEST_F(Transfer, the_trap_bit_of_a_task_is_met_in_the_task) {
  enter_protected_mode();
  prepare_task();
  poke<std::uint8_t>(kTss2 + 0x64, 1);
  EXPECT_EQ(run({0xea, 0, 0, 0, 0, kTask2Selector, 0}), Flow::Fault);
  EXPECT_EQ(cpu.fault.vector, Vector::Debug);
  EXPECT_EQ(cpu.fault.address, 0x8000u);
  EXPECT_EQ(cpu.rip, 0x12000u);
  EXPECT_EQ(cpu.tr.selector, kTask2Selector);
}

TEST_F(Transfer, bad_segments_fault_in_the_new_task) {
  enter_protected_mode();
  prepare_task();
  poke<std::uint32_t>(kTss2 + 0x50, kData3);
  EXPECT_EQ(run({0xea, 0, 0, 0, 0, kTask2Selector, 0}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::InvalidTss, kData3 & ~3u));
  EXPECT_EQ(cpu.rip, 0x12000u);
  EXPECT_EQ(cpu.segments[kSs].selector, kData3);
  EXPECT_GT(cpu.segments[kSs].first, cpu.segments[kSs].last);
}

TEST_F(Transfer, small_task_states_are_invalid) {
  enter_protected_mode();
  put_descriptor(kTask2Selector, kTss2, 0x66, 0x89);
  EXPECT_EQ(run({0xea, 0, 0, 0, 0, kTask2Selector, 0}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::InvalidTss, kTask2Selector));
  EXPECT_EQ(cpu.tr.selector, kTaskSelector);
}

TEST_F(Transfer, a_task_may_be_virtual_8086) {
  enter_protected_mode();
  prepare_task(kVm | 2);
  poke<std::uint32_t>(kTss2 + 0x20, 0x2000);
  poke<std::uint32_t>(kTss2 + 0x4c, 0x2345);
  EXPECT_EQ(run({0xea, 0, 0, 0, 0, kTask2Selector, 0}), Flow::Leave);
  EXPECT_TRUE(cpu.virtual_8086());
  EXPECT_EQ(cpu.cpl, 3);
  EXPECT_EQ(cpu.segments[kCs].base, 0x23450u);
}

TEST_F(Transfer, sixteen_bit_tasks_have_words) {
  enter_protected_mode();
  put_descriptor(kTask2Selector, kTss2, 0x2b, 0x81);
  poke<std::uint16_t>(kTss2 + 0x0e, 0x4321);
  poke<std::uint16_t>(kTss2 + 0x10, 2);
  poke<std::uint16_t>(kTss2 + 0x12, 0x5555);
  for (unsigned i = 0; i < 4; ++i)
    poke<std::uint16_t>(kTss2 + 0x22 + 2 * i, i == 1 ? kCode0 : kData0);
  EXPECT_EQ(run({0x9a, 0, 0, 0, 0, kTask2Selector, 0}), Flow::Leave);
  EXPECT_EQ(cpu.rip, 0x4321u);
  EXPECT_EQ(cpu.reg<std::uint16_t>(kRaxSlot), 0x5555);
  EXPECT_EQ(cpu.segments[kFs].selector, 0);
  EXPECT_EQ(run({0xcf}), Flow::Leave);
  EXPECT_EQ(cpu.rip, kCode + 7);
  EXPECT_EQ(peek<std::uint16_t>(kTss2 + 0x0e), 0x4322);
}

// --- Long mode. ---

TEST_F(Transfer, long_mode_is_entered_and_left_through_compatibility_mode) {
  enter_long_mode();
  cpu.cr0 &= ~(kCr0Pg | kCr0Wp);
  cpu.efer = kEferLme;
  cpu.mmu.flush_all();
  go_to_ring(0);
  cpu.set_reg<std::uint32_t>(kRaxSlot, static_cast<std::uint32_t>(kCr0Pe | kCr0Pg));
  cpu.cr4 &= ~kCr4Pae;
  EXPECT_EQ(run({0x0f, 0x22, 0xc0}), Flow::Fault) << "PAE is needed";
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  cpu.cr4 |= kCr4Pae;
  EXPECT_EQ(run({0x0f, 0x22, 0xc0}), Flow::Leave);
  EXPECT_TRUE(cpu.long_mode());
  EXPECT_EQ(cpu.mode, Mode::kCode32 | Mode::kStack32 | Mode::kFlat32);
  EXPECT_EQ(run({0xea, 0, 0, 1, 0, kCode64, 0}), Flow::Leave);
  EXPECT_EQ(cpu.mode, Mode::kCode64);
  cpu.set_reg<std::uint64_t>(kRaxSlot, kCr0Pe);
  EXPECT_EQ(run({0x0f, 0x22, 0xc0}), Flow::Fault) << "paging stays on in 64-bit mode";
  // jmp far [rip], then back to protected mode.
  EXPECT_EQ(run({0xff, 0x2d, 0, 0, 0, 0, 0, 0, 2, 0, kCode0, 0}), Flow::Leave);
  EXPECT_EQ(cpu.rip, 0x20000u);
  EXPECT_EQ(cpu.mode, Mode::kCode32 | Mode::kStack32 | Mode::kFlat32);
  EXPECT_EQ(run({0x0f, 0x22, 0xc0}), Flow::Leave);
  EXPECT_FALSE(cpu.long_mode());
}

TEST_F(Transfer, syscall_and_sysret) {
  enter_long_mode();
  cpu.star = std::uint64_t{kCode3 - 0x10u - 3u} << 48 | std::uint64_t{kCode64} << 32;
  cpu.lstar = 0xffffffff81000000;
  cpu.sfmask = kIf | kTf;
  go_to_ring_64(3);
  cpu.set_rflags(kIf | kCf);
  EXPECT_EQ(run({0x0f, 0x05}), Flow::Leave);
  EXPECT_EQ(cpu.cpl, 0);
  EXPECT_EQ(cpu.rip, 0xffffffff81000000u);
  EXPECT_EQ(cpu.reg<std::uint64_t>(kRcxSlot), kCode + 2);
  EXPECT_EQ(cpu.reg<std::uint64_t>(kR11Slot), kIf | kCf | 2);
  EXPECT_EQ(cpu.rflags(), kCf | 2);
  EXPECT_EQ(cpu.segments[kCs].selector, kCode64);
  EXPECT_EQ(cpu.segments[kSs].selector, kCode64 + 8);
  cpu.rip = kCode + 0x100;
  EXPECT_EQ(run({0x48, 0x0f, 0x07}), Flow::Leave);
  EXPECT_EQ(cpu.cpl, 3);
  EXPECT_EQ(cpu.rip, kCode + 2);
  EXPECT_EQ(cpu.rflags(), kIf | kCf | 2);
  EXPECT_EQ(cpu.segments[kCs].selector, kCode3);
  EXPECT_EQ(cpu.mode, Mode::kCode64);
  cpu.efer &= ~kEferSce;
  EXPECT_EQ(run({0x0f, 0x05}), Flow::Fault);
  EXPECT_EQ(cpu.fault.vector, Vector::InvalidOpcode);
}

TEST_F(Transfer, sysret_refuses_addresses_that_are_not_canonical) {
  enter_long_mode();
  cpu.set_reg<std::uint64_t>(kRcxSlot, 0x800000000000);
  EXPECT_EQ(run({0x48, 0x0f, 0x07}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  EXPECT_EQ(cpu.cpl, 0);
  EXPECT_EQ(run({0x0f, 0x07}), Flow::Leave) << "32 bits of it are";
  EXPECT_EQ(cpu.rip, 0u);
  EXPECT_EQ(cpu.mode, Mode::kCode32 | Mode::kStack32 | Mode::kFlat32);
}

TEST_F(Transfer, sysenter_and_sysexit) {
  enter_protected_mode();
  go_to_ring(3);
  EXPECT_EQ(run({0x0f, 0x34}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  cpu.sysenter_cs = kCode0;
  cpu.sysenter_esp = 0x7000;
  cpu.sysenter_eip = 0x13000;
  cpu.other_flags |= kIf;
  EXPECT_EQ(run({0x0f, 0x34}), Flow::Leave);
  EXPECT_EQ(cpu.rip, 0x13000u);
  EXPECT_EQ(rsp(), 0x7000u);
  EXPECT_EQ(cpu.cpl, 0);
  EXPECT_EQ(cpu.other_flags & kIf, 0u);
  cpu.set_reg<std::uint32_t>(kRcxSlot, 0x8000);
  cpu.set_reg<std::uint32_t>(kRdxSlot, 0x14000);
  EXPECT_EQ(run({0x0f, 0x35}), Flow::Leave);
  EXPECT_EQ(cpu.cpl, 3);
  EXPECT_EQ(cpu.rip, 0x14000u);
  EXPECT_EQ(rsp(), 0x8000u);
  EXPECT_EQ(cpu.segments[kCs].selector, kCode3);
  EXPECT_EQ(cpu.segments[kSs].selector, kData3);
}

TEST_F(Transfer, iretq_goes_to_compatibility_mode) {
  enter_long_mode();
  cpu.set_reg<std::uint64_t>(kRspSlot, rsp() - 40);
  poke<std::uint64_t>(rsp(), 0x15000);
  poke<std::uint64_t>(rsp() + 8, kCode3);
  poke<std::uint64_t>(rsp() + 16, kIf | 2);
  poke<std::uint64_t>(rsp() + 24, 0x9000);
  poke<std::uint64_t>(rsp() + 32, kData3);
  EXPECT_EQ(run({0x48, 0xcf}), Flow::Leave);
  EXPECT_EQ(cpu.mode, Mode::kCode32 | Mode::kStack32) << "not flat: DS and ES were those of ring 0";
  EXPECT_EQ(cpu.cpl, 3);
  EXPECT_EQ(rsp(), 0x9000u);
  EXPECT_EQ(cpu.rip, 0x15000u);
}

TEST_F(Transfer, nested_tasks_do_not_exist_in_long_mode) {
  enter_long_mode();
  cpu.other_flags |= kNt;
  EXPECT_EQ(run({0x48, 0xcf}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
}

TEST_F(Transfer, a_64_bit_call_gate_pushes_quadwords) {
  enter_long_mode();
  put_gate(kGdt + kSpare, kCode64, 0x12000, 12, 3);
  poke<std::uint64_t>(kGdt + kSpare + 8, 0);
  go_to_ring_64(3);
  // call far [rip]
  EXPECT_EQ(run({0xff, 0x1d, 0, 0, 0, 0, 0, 0, 0, 0, kSpare, 0}), Flow::Leave);
  EXPECT_EQ(cpu.cpl, 0);
  EXPECT_EQ(cpu.rip, 0x12000u);
  EXPECT_EQ(rsp(), kStack + 0x1000 - 32);
  EXPECT_EQ(pushed64(0), kCode + 6);
  EXPECT_EQ(pushed64(1), kCode64User);
  EXPECT_EQ(pushed64(2), kStack + 0x3000);
  EXPECT_EQ(pushed64(3), kData3);
  EXPECT_EQ(run({0x48, 0xcb}), Flow::Leave);
  EXPECT_EQ(cpu.cpl, 3);
  EXPECT_EQ(cpu.rip, kCode + 6);
  EXPECT_EQ(rsp(), kStack + 0x3000);
}

}  // namespace
}  // namespace vmm::cpu::soft
