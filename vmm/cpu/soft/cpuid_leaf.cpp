#include "vmm/cpu/soft/cpuid_leaf.h"

#include <algorithm>
#include <span>

#include "vmm/cpu/soft/control_registers.h"
#include "vmm/cpu/soft/xsave_image.h"

namespace vmm::cpu::soft {

namespace {

constexpr std::uint32_t kHypervisorBase = 0x4000'0000, kExtendedBase = 0x8000'0000;
constexpr std::uint32_t kOsxsave = 1u << 27;
constexpr std::uint32_t kTopologyLeaf = 0xb, kXsaveLeaf = 0xd;

const CpuidEntry* find(std::span<const CpuidEntry> leaves, std::uint32_t function, std::uint32_t index) {
  const auto found = std::ranges::find_if(leaves, [&](const CpuidEntry& leaf) {
    return leaf.function == function && (!leaf.has_index || leaf.index == index);
  });
  return found == leaves.end() ? nullptr : &*found;
}

// What follows the CPU's state.
void adapt(const Cpu& cpu, std::uint32_t index, CpuidEntry& leaf) {
  if (leaf.function == 1) leaf.ecx = (leaf.ecx & ~kOsxsave) | ((cpu.cr4 & kCr4Osxsave) != 0 ? kOsxsave : 0);
  if (leaf.function == kXsaveLeaf && index == 0) leaf.ebx = xsave_bytes(cpu.xcr0);
}

}  // namespace

// [SDM 2A CPUID] Beyond the last leaf the last basic one answers; hypervisor leaves that are missing are zeros.
CpuidEntry cpuid_leaf(const Cpu& cpu, std::uint32_t function, std::uint32_t index) {
  CpuidEntry answer{.function = function, .index = index};
  if (cpu.cpuid == nullptr) return answer;
  const CpuidEntry* basic = find(*cpu.cpuid, 0, 0);
  const CpuidEntry* extended = find(*cpu.cpuid, kExtendedBase, 0);
  const std::uint32_t last_basic = basic != nullptr ? basic->eax : 0;
  const std::uint32_t last_extended = extended != nullptr ? extended->eax : 0;
  const bool hypervisor = function >= kHypervisorBase && function < kExtendedBase;
  const std::uint32_t last = function >= kExtendedBase ? last_extended : last_basic;
  const std::uint32_t meant = function > last && !hypervisor ? last_basic : function;
  if (const CpuidEntry* leaf = find(*cpu.cpuid, meant, index)) {
    answer = *leaf;
    adapt(cpu, index, answer);
  } else if (meant == kTopologyLeaf) {
    // Levels beyond the last one still name the level and the CPU.
    const CpuidEntry* first = find(*cpu.cpuid, kTopologyLeaf, 0);
    answer.ecx = index & 0xff;
    answer.edx = first != nullptr ? first->edx : 0;
  }
  return answer;
}

}  // namespace vmm::cpu::soft
