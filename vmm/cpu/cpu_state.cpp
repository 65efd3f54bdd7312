#include "vmm/cpu/cpu_state.h"

#include <fmt/core.h>

namespace vmm::cpu {

void PendingEvents::visit(core::StateVisitor& v) {
  v.field("exception_injected", exception_injected);
  v.field("exception_pending", exception_pending);
  v.field("exception_has_error_code", exception_has_error_code);
  v.field("exception_vector", exception_vector);
  v.field("exception_error_code", exception_error_code);
  v.field("interrupt_injected", interrupt_injected);
  v.field("interrupt_soft", interrupt_soft);
  v.field("interrupt_vector", interrupt_vector);
  v.field("interrupt_shadow", interrupt_shadow);
  v.field("nmi_injected", nmi_injected);
  v.field("nmi_pending", nmi_pending);
  v.field("nmi_masked", nmi_masked);
  v.field("sipi_vector", sipi_vector);
  v.field("ext_int_acknowledged", ext_int_acknowledged);
  v.field("ext_int_vector", ext_int_vector);
}

void CpuState::visit(core::StateVisitor& v) {
  v.field("general", general);
  v.field("rip", rip);
  v.field("rflags", rflags);
  v.field("es", es);
  v.field("cs", cs);
  v.field("ss", ss);
  v.field("ds", ds);
  v.field("fs", fs);
  v.field("gs", gs);
  v.field("ldt", ldt);
  v.field("tr", tr);
  v.field("gdt", gdt);
  v.field("idt", idt);
  v.field("cr0", cr0);
  v.field("cr2", cr2);
  v.field("cr3", cr3);
  v.field("cr4", cr4);
  v.field("cr8", cr8);
  v.field("efer", efer);
  v.field("apic_base", apic_base);
  v.field("xcr0", xcr0);
  v.field("debug_address", debug_address);
  v.field("dr6", dr6);
  v.field("dr7", dr7);
  v.field("activity", activity);
  v.field("events", events);
  v.field("local_apic", local_apic);
  v.field("xsave", xsave, kMaxXsaveBytes);
  v.field("msrs", msrs, kMaxMsrs);
}

std::string CpuState::describe() const {
  static constexpr const char* kNames[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                             "r8 ", "r9 ", "r10", "r11", "r12", "r13", "r14", "r15"};
  std::string text;
  for (std::size_t i = 0; i < general.size(); ++i) {
    text += fmt::format("{}={:016x}{}", kNames[i], general[i], i % 4 == 3 ? "\n" : " ");
  }
  text += fmt::format("rip={:016x} rflags={:08x}\n", rip, rflags);
  const auto segment = [&text](const char* name, const Segment& s, char end) {
    text += fmt::format("{}={:04x} {:016x} {:08x} {:05x}{}", name, s.selector, s.base, s.limit, s.attributes, end);
  };
  segment("cs", cs, ' ');
  segment("ss", ss, '\n');
  segment("ds", ds, ' ');
  segment("es", es, '\n');
  segment("fs", fs, ' ');
  segment("gs", gs, '\n');
  segment("tr", tr, ' ');
  segment("ldt", ldt, '\n');
  text += fmt::format("gdt={:016x} {:04x} idt={:016x} {:04x}\n", gdt.base, gdt.limit, idt.base, idt.limit);
  text += fmt::format("cr0={:08x} cr2={:016x} cr3={:016x} cr4={:08x} efer={:04x}\n", cr0, cr2, cr3, cr4, efer);
  return text;
}

}  // namespace vmm::cpu
