// The state of one software CPU, as its instructions see it. Plain data, hot fields first; whoever needs more than a
// field (memory, segments, exceptions) has a file of its own here.
//
// One thread runs all software CPUs, so nothing here is shared but `attention`.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/bus/address_space.h"
#include "vmm/cpu/cpu_state.h"
#include "vmm/cpu/cpuid.h"
#include "vmm/cpu/soft/flags.h"
#include "vmm/cpu/soft/mmu.h"
#include "vmm/cpu/soft/op.h"
#include "vmm/cpu/soft/xmm.h"

namespace vmm::cpu::soft {

class LocalApic;
class CpuFeatures;
class Platform;

// [SDM 3A table 6-1]
enum class Vector : std::uint8_t {
  DivideError = 0,
  Debug = 1,
  Nmi = 2,
  Breakpoint = 3,
  Overflow = 4,
  BoundRange = 5,
  InvalidOpcode = 6,
  DeviceNotAvailable = 7,
  DoubleFault = 8,
  InvalidTss = 10,
  SegmentNotPresent = 11,
  StackFault = 12,
  GeneralProtection = 13,
  PageFault = 14,
  X87Error = 16,
  AlignmentCheck = 17,
  MachineCheck = 18,
  SimdError = 19,
};

// An exception that an instruction met and that has not been delivered yet.
struct Fault {
  Vector vector = Vector::InvalidOpcode;
  std::uint32_t error_code = 0;  // where the vector has one
  // PageFault: for CR2. Debug: the bits for DR6. GeneralProtection: an address that is not canonical, which is for the
  // stack segment's users to turn into StackFault; else 0.
  std::uint64_t address = 0;
};

enum SegmentIndex : std::uint8_t { kEs, kCs, kSs, kDs, kFs, kGs };

// A segment register with what its descriptor permits worked out: an access of `size` bytes at `offset` is allowed if
// offset - first <= last - first and the same holds for its last byte. An empty range (first > last) allows none.
struct SegmentRegister : Segment {
  std::uint64_t first = 0, last = 0xffff;
  bool readable = true, writable = true;
  bool is_flat() const { return base == 0 && first == 0 && last == 0xffffffff && readable && writable; }
  // After any change of the fields of Segment. `protection`: protected mode, not virtual-8086.
  void derive(bool protection);
};

// RFLAGS but the six arithmetic ones.
constexpr std::uint32_t kTf = 1u << 8, kIf = 1u << 9, kDf = 1u << 10, kIopl = 3u << 12, kNt = 1u << 14, kRf = 1u << 16,
                        kVm = 1u << 17, kAc = 1u << 18, kVif = 1u << 19, kVip = 1u << 20, kId = 1u << 21;

// Cpu::shadow, as PendingEvents has it.
constexpr std::uint8_t kShadowMovSs = 1, kShadowSti = 2;

constexpr std::uint64_t kCr0Pe = 1u << 0, kCr0Mp = 1u << 1, kCr0Em = 1u << 2, kCr0Ts = 1u << 3, kCr0Et = 1u << 4,
                        kCr0Ne = 1u << 5, kCr0Wp = 1u << 16, kCr0Am = 1u << 18, kCr0Nw = 1u << 29, kCr0Cd = 1u << 30,
                        kCr0Pg = 1u << 31;
constexpr std::uint64_t kCr4Vme = 1u << 0, kCr4Pvi = 1u << 1, kCr4Tsd = 1u << 2, kCr4De = 1u << 3, kCr4Pse = 1u << 4,
                        kCr4Pae = 1u << 5, kCr4Mce = 1u << 6, kCr4Pge = 1u << 7, kCr4Pce = 1u << 8,
                        kCr4Osfxsr = 1u << 9, kCr4Osxmmexcpt = 1u << 10, kCr4Umip = 1u << 11, kCr4La57 = 1u << 12,
                        kCr4Fsgsbase = 1u << 16, kCr4Pcide = 1u << 17, kCr4Osxsave = 1u << 18, kCr4Smep = 1u << 20,
                        kCr4Smap = 1u << 21;
constexpr std::uint64_t kEferSce = 1u << 0, kEferLme = 1u << 8, kEferLma = 1u << 10, kEferNxe = 1u << 11,
                        kEferFfxsr = 1u << 14;

// What blocks are decoded for; two CPUs in the same mode share them.
struct Mode {
  static constexpr std::uint8_t kCode16 = 0, kCode32 = 1, kCode64 = 2, kCodeMask = 3;
  static constexpr std::uint8_t kStack32 = 4;      // SS.B; in 64-bit mode neither it nor kUnprotected is set
  static constexpr std::uint8_t kUnprotected = 8;  // real or virtual-8086 mode
  static constexpr std::uint8_t kStepped = 16;     // one instruction a block: single step, breakpoints, shadows
  // Protected 32-bit code (compatibility mode too) with a 32-bit stack whose DS, ES and SS are flat.
  static constexpr std::uint8_t kFlat32 = 32;
};

// x87 and MMX. [SDM 1 8.1] Registers are physical: ST(i) is registers[(top + i) & 7]; MM(i) is registers[i].
struct X87 {
  struct alignas(16) Register {
    std::uint64_t mantissa = 0;
    std::uint16_t sign_exponent = 0;
  };
  std::array<Register, 8> registers{};
  std::uint16_t control = 0x37f;
  std::uint16_t status = 0;  // without TOP
  std::uint8_t top = 0;
  std::uint8_t occupied = 0;  // bit n: registers[n] is not empty
  std::uint16_t last_opcode = 0;
  std::uint16_t last_cs = 0, last_ds = 0;
  std::uint64_t last_ip = 0, last_dp = 0;
};

struct Cpu {
  // What can be in an address beyond the sixteen registers, as byte offsets like all operands.
  static constexpr std::uint8_t kZero = 16 * 8;
  static constexpr std::uint8_t kRip = 17 * 8;

  // rax rcx rdx rbx rsp rbp rsi rdi r8-r15, and a zero.
  alignas(64) std::array<std::uint64_t, 17> general{};
  std::uint64_t rip = 0xfff0;   // of the next instruction to execute; while a block runs, of its first one
  std::uint64_t after = 0;      // next_rip()
  const Op* current = nullptr;  // while a block runs: the instruction that is executed
  const Op* first = nullptr;    // and the block's first one; between blocks the same as `current`
  ArithmeticFlags flags;
  std::uint32_t other_flags = 2;  // RFLAGS without the arithmetic ones
  std::uint8_t cpl = 0;
  std::uint8_t mode = 0;  // Mode; derive_mode() after a change of CS, SS, DS, ES, CR0, EFER or the VM flag
  std::array<SegmentRegister, 6> segments;
  Fault fault;
  // Somebody wants the executor to come out between two blocks: kick, interrupt, timer, map change. Any thread sets it.
  std::atomic<std::uint32_t> attention{0};

  Mmu mmu{*this};

  std::uint64_t cr0 = 0x60000010, cr2 = 0, cr3 = 0, cr4 = 0, efer = 0;
  std::array<std::uint64_t, 4> page_directory_pointers{};  // PAE paging outside long mode
  SegmentRegister ldt, tr;
  DescriptorTable gdt, idt;
  std::array<std::uint64_t, 4> debug_address{};
  std::uint64_t dr6 = 0xffff0ff0, dr7 = 0x400;
  std::uint64_t debug_hits = 0;  // DR6 bits of data breakpoints that the instruction met: #DB after it

  X87 x87;
  alignas(16) std::array<Xmm, 16> xmm{};
  std::array<Xmm, 16> ymm_high{};  // bits 128-255 of the YMM registers, whose lower halves are the XMM ones
  std::uint32_t mxcsr = 0x1f80;
  std::uint64_t xcr0 = 1;

  // [SDM 3A 6.8.3] interrupts wait for the instruction after STI, and debug exceptions too after MOV SS.
  std::uint8_t shadow = 0;
  Activity activity = Activity::Running;
  bool nmi_pending = false, nmi_masked = false;
  bool init_pending = false;
  bool interrupt_waits = false;  // the runner has one that IF holds back
  // Instructions. One that faults counts too, and each part of a long repeated string: a guest that gets no further
  // than that lets time pass.
  std::uint64_t retired = 0;

  // msrs.cpp says what can be read and written.
  static constexpr unsigned kStoredMsrs = 80;
  std::uint64_t kernel_gs_base = 0, star = 0, lstar = 0, cstar = 0, sfmask = 0;
  std::uint64_t sysenter_cs = 0, sysenter_esp = 0, sysenter_eip = 0;
  std::uint64_t tsc_aux = 0, pat = 0x0007040600070406, misc_enable = 1;
  std::uint64_t tsc_offset = 0, tsc_adjust = 0;  // added to the platform's time stamp; what the guest knows of it
  std::array<std::uint64_t, kStoredMsrs> stored_msrs{};  // those that nothing hangs on

  unsigned index = 0;
  LocalApic* apic = nullptr;
  const CpuFeatures* features = nullptr;
  const std::vector<CpuidEntry>* cpuid = nullptr;  // what CPUID answers; nullptr: zeros
  Platform* platform = nullptr;                    // ports, time stamp counter, halting: what is outside the CPU

  template <class T>
  T reg(std::uint8_t offset) const {
    T value;
    std::memcpy(&value, reinterpret_cast<const char*>(this) + offset, sizeof value);
    return value;
  }
  // Writes of 32 bits clear the upper half [SDM 1 3.4.1.1].
  template <class T>
  void set_reg(std::uint8_t offset, T value) {
    if constexpr (sizeof(T) == 4) {
      const std::uint64_t wide = value;
      std::memcpy(reinterpret_cast<char*>(this) + offset, &wide, sizeof wide);
    } else {
      std::memcpy(reinterpret_cast<char*>(this) + offset, &value, sizeof value);
    }
  }
  // Of the instruction that is executed, once the CPU is settled at it; a branch sets another one.
  std::uint64_t next_rip() const { return after; }
  void set_next_rip(std::uint64_t rip_after) { after = rip_after; }
  // Also exact while a block runs.
  std::uint64_t retired_by_now() const { return retired + static_cast<std::uint64_t>(current - first); }

  // `current` and next_rip() are those of `op`.
  void settle(const Op& op) {
    current = &op;
    set_next_rip(rip + op.after);
  }
  // The end of every step: on to the next op of the block, without the executor. Each so has an indirect jump of its
  // own, which the host predicts by itself. A step settles before it does anything else: returns, or calls what may
  // fault or ask for the time.
  Flow proceed(const Op& op, std::uint64_t last = 0) {
    const Op& next = *(&op + 1);
    return next.run(*this, next, last);
  }

  // Records a fault and says so: return cpu.raise(Vector::GeneralProtection, 0).
  [[gnu::cold]] Flow raise(Vector vector, std::uint32_t error_code = 0, std::uint64_t address = 0) {
    fault = {vector, error_code, address};
    return Flow::Fault;
  }

  bool protected_mode() const { return (cr0 & kCr0Pe) != 0; }
  bool virtual_8086() const { return (other_flags & kVm) != 0; }
  bool long_mode() const { return (efer & kEferLma) != 0; }
  bool code64() const { return (mode & Mode::kCodeMask) == Mode::kCode64; }
  unsigned iopl() const { return (other_flags & kIopl) >> 12; }
  std::uint32_t rflags() const { return flags.value() | other_flags; }
  // Every bit as given; who may change which is the instruction's business.
  void set_rflags(std::uint32_t value) {
    flags.assign(value);
    other_flags = (value & ~kArithmeticFlags) | 2;
  }
  void derive_mode();
  // IF was set: what waits for that is looked at now.
  void interrupts_may_pass() {
    if (interrupt_waits && (other_flags & kIf) != 0) attention.store(1, std::memory_order_relaxed);
  }
};

}  // namespace vmm::cpu::soft
