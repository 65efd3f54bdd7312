// The state of one x86 CPU as it is saved and loaded: one form for every accelerator, so that a machine saved under KVM
// runs on under the software CPU.
//
// Registers by their names; the FPU and vector registers as one XSAVE image in standard (not compacted) form [SDM 1
// 13.4]; the local APIC as its register page [SDM 3A 11.4.1]; everything else by MSR number.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/state/state.h"

namespace vmm::cpu {

struct Segment {
  // In `attributes`: access rights as a descriptor has them in bits 8-23 of its second word, shifted down by eight
  // [SDM 3A 3.4.5], and this bit for a segment that cannot be used.
  static constexpr std::uint32_t kUnusable = 1u << 16;
  static constexpr std::uint32_t kPrivilege = 3u << 5;  // DPL

  std::uint64_t base = 0;
  std::uint32_t limit = 0;
  std::uint16_t selector = 0;
  std::uint32_t attributes = 0;

  void visit(core::StateVisitor& v) {
    v.field("base", base);
    v.field("limit", limit);
    v.field("selector", selector);
    v.field("attributes", attributes);
  }
};

struct DescriptorTable {
  std::uint64_t base = 0;
  std::uint16_t limit = 0;
  void visit(core::StateVisitor& v) {
    v.field("base", base);
    v.field("limit", limit);
  }
};

struct Msr {
  std::uint32_t index = 0;
  std::uint64_t value = 0;
  void visit(core::StateVisitor& v) {
    v.field("index", index);
    v.field("value", value);
  }
};

// An exception or interrupt between its cause and its handler.
struct PendingEvents {
  bool exception_injected = false;
  bool exception_pending = false;
  bool exception_has_error_code = false;
  std::uint8_t exception_vector = 0;
  std::uint32_t exception_error_code = 0;
  bool interrupt_injected = false;
  bool interrupt_soft = false;
  std::uint8_t interrupt_vector = 0;
  std::uint8_t interrupt_shadow = 0;  // bit 0: MOV SS, bit 1: STI
  bool nmi_injected = false;
  bool nmi_pending = false;
  bool nmi_masked = false;
  std::uint32_t sipi_vector = 0;
  // The 8259 was acknowledged, the CPU has not taken the vector yet.
  bool ext_int_acknowledged = false;
  std::uint8_t ext_int_vector = 0;

  void visit(core::StateVisitor& v);
};

enum class Activity : std::uint8_t { Running, WaitForInit, InitReceived, Halted, SipiReceived };

struct CpuState {
  static constexpr std::size_t kLocalApicBytes = 4096;
  static constexpr std::size_t kMaxXsaveBytes = 64 * 1024;
  static constexpr std::size_t kMaxMsrs = 1024;

  // In encoding order: rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8-r15.
  std::array<std::uint64_t, 16> general{};
  std::uint64_t rip = 0;
  std::uint64_t rflags = 2;
  Segment es, cs, ss, ds, fs, gs, ldt, tr;
  DescriptorTable gdt, idt;
  std::uint64_t cr0 = 0, cr2 = 0, cr3 = 0, cr4 = 0, cr8 = 0;
  std::uint64_t efer = 0;
  std::uint64_t apic_base = 0;
  std::uint64_t xcr0 = 1;
  std::array<std::uint64_t, 4> debug_address{};
  std::uint64_t dr6 = 0xffff0ff0;
  std::uint64_t dr7 = 0x400;
  Activity activity = Activity::Running;
  PendingEvents events;
  std::array<std::uint8_t, kLocalApicBytes> local_apic{};
  std::vector<std::uint8_t> xsave;
  std::vector<Msr> msrs;

  void visit(core::StateVisitor& v);
  // Registers in a few readable lines.
  std::string describe() const;
};

}  // namespace vmm::cpu
