// What a vCPU says when it cannot go on: one text with everything a bug report needs.
#include <algorithm>

#include "core/memory/memory_block.h"
#include "vmm/cpu/kvm/ioctl.h"
#include "vmm/cpu/kvm/vcpu.h"

namespace vmm::cpu::kvm {

namespace {
constexpr std::size_t kLongestInstruction = 15;  // [SDM 2A 2.3.11]

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const auto byte : bytes)
    text += fmt::format(" {:02x}", byte);
  return text;
}

const char* mode_of(const CpuState& state) {
  if ((state.cr0 & 1) == 0) return "real mode";
  if ((state.rflags & 1u << 17) != 0) return "virtual 8086 mode";
  const bool is_long = (state.efer & 1u << 10) != 0;
  if (is_long && (state.cs.attributes & 1u << 13) != 0) return "64-bit mode";
  if (is_long) return "compatibility mode";
  return (state.cr0 & 1u << 31) != 0 ? "protected mode with paging" : "protected mode";
}
}  // namespace

std::string KvmVcpu::describe() {
  CpuState state;
  if (auto fetched = fetch(state); !fetched) return fetched.error().message + "\n";
  return state.describe();
}

// The bytes at the instruction pointer, as far as they lie in RAM or ROM.
std::string KvmVcpu::code_bytes(const CpuState& state) const {
  kvm_translation translation{};
  translation.linear_address = state.cs.base + state.rip;
  if (kvm_ioctl(fd_.get(), KVM_TRANSLATE, &translation) < 0 || translation.valid == 0) return " (not mapped)";
  const auto region = common_.wiring.ram_map.find(core::Gpa(translation.physical_address));
  if (!region) return fmt::format(" (at {:#x}, which is no memory)", std::uint64_t{translation.physical_address});
  const auto inside = translation.physical_address - region->start.value();
  const auto length = std::min<std::uint64_t>(kLongestInstruction, region->size - inside);
  std::vector<std::uint8_t> bytes(length);
  const auto slice = region->block->slice(region->offset + inside, length);
  if (!slice || !slice->read(0, bytes)) return " (not readable)";
  return hex(bytes);
}

RunExit KvmVcpu::failed(std::string_view what) {
  CpuState state;
  if (const auto fetched = fetch(state); !fetched) {
    return {ExitReason::Failed, fmt::format("CPU {}: {}; no registers: {}", index_, what, fetched.error().message)};
  }
  return {ExitReason::Failed, fmt::format("CPU {} stopped in {}: {}\ncode at rip:{}\n{}", index_, mode_of(state), what,
                                          code_bytes(state), state.describe())};
}

RunExit KvmVcpu::triple_fault() {
  auto exit = failed("triple fault");
  exit.reason = ExitReason::Reset;
  return exit;
}

RunExit KvmVcpu::internal_error() {
  const auto& error = run_->internal;
  if (error.suberror != KVM_INTERNAL_ERROR_EMULATION) {
    std::string data;
    for (const std::uint64_t word : std::span(error.data).first(std::min<std::size_t>(error.ndata, 16)))
      data += fmt::format(" {:#x}", word);
    return failed(fmt::format("internal error {} of KVM, data{}", error.suberror, data));
  }
  const auto& emulation = run_->emulation_failure;
  if (emulation.ndata >= 3 && (emulation.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES) != 0) {
    const auto length = std::min<std::size_t>(emulation.insn_size, std::size(emulation.insn_bytes));
    return failed(fmt::format("KVM cannot emulate the instruction{}", hex({emulation.insn_bytes, length})));
  }
  return failed("KVM cannot emulate the instruction");
}

}  // namespace vmm::cpu::kvm
