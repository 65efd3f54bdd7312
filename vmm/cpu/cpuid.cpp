#include "vmm/cpu/cpuid.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string_view>

#include "core/base/bits.h"

namespace vmm::cpu {

namespace {

constexpr std::uint32_t kHypervisorBase = 0x4000'0000;
constexpr std::uint32_t kExtendedBase = 0x8000'0000;
constexpr std::uint32_t kTopologyLeaf = 0xb;
constexpr std::uint32_t kLastExtended = 0x8000'0008;
constexpr std::string_view kBrand = "minivmm virtual CPU";

// Leaf 1 ECX.
constexpr std::uint32_t kLeaf1EcxAbsent = 1u << 2 |   // DTES64
                                          1u << 3 |   // MONITOR/MWAIT
                                          1u << 4 |   // DS-CPL
                                          1u << 5 |   // VMX
                                          1u << 6 |   // SMX
                                          1u << 7 |   // EIST
                                          1u << 8 |   // TM2
                                          1u << 11 |  // SDBG
                                          1u << 14 |  // xTPR
                                          1u << 15 |  // PDCM
                                          1u << 18 |  // DCA
                                          1u << 27;   // OSXSAVE: follows CR4, the accelerator sets it
constexpr unsigned kTscDeadlineBit = 24;
constexpr unsigned kHypervisorBit = 31;
// Leaf 1 EDX.
constexpr std::uint32_t kLeaf1EdxAbsent = 1u << 21 |  // DS
                                          1u << 22 |  // ACPI thermal
                                          1u << 29 |  // TM
                                          1u << 31;   // PBE
constexpr unsigned kHttBit = 28;
// Leaf 7.0 EBX: SGX, RTM and HLE are not ours to offer; Intel PT and resource control neither.
constexpr std::uint32_t kLeaf7EbxAbsent = 1u << 2 | 1u << 4 | 1u << 11 | 1u << 12 | 1u << 15 | 1u << 25;
constexpr std::uint32_t kLeaf6EaxPresent = 1u << 2;  // ARAT: the local APIC's timer always runs
// Leaf 8000_0001 ECX.
constexpr std::uint32_t kExtendedEcxAbsent = 1u << 2 |                         // SVM
                                             1u << 3 |                         // extended APIC space
                                             1u << 10 |                        // IBS
                                             1u << 12 |                        // SKINIT
                                             1u << 13 |                        // WDT
                                             1u << 15 |                        // LWP
                                             1u << 19 |                        // node id MSR
                                             1u << 22 |                        // topology extensions: leaf 0xb says it
                                             1u << 23 | 1u << 24 | 1u << 28 |  // performance counters
                                             1u << 29;                         // MONITORX
constexpr unsigned kCmpLegacyBit = 1;
// What of KVM's paravirtual interface is in the guest's memory and in MSRs, and so in a saved state. Asynchronous page
// faults are not: some may be on their way. [cpuid.rst]
constexpr std::uint32_t kKvmFeatures = 1u << 0 |   // CLOCKSOURCE
                                       1u << 1 |   // NOP_IO_DELAY
                                       1u << 3 |   // CLOCKSOURCE2
                                       1u << 5 |   // STEAL_TIME
                                       1u << 6 |   // PV_EOI
                                       1u << 7 |   // PV_UNHALT
                                       1u << 9 |   // PV_TLB_FLUSH, of CPUs that STEAL_TIME says run
                                       1u << 11 |  // PV_SEND_IPI
                                       1u << 13 |  // PV_SCHED_YIELD
                                       1u << 24;   // CLOCKSOURCE_STABLE

std::uint32_t four_letters(std::string_view text, std::size_t at) {
  std::array<char, 4> letters{};
  for (std::size_t i = 0; i < letters.size() && at + i < text.size(); ++i)
    letters[i] = text[at + i];
  return std::bit_cast<std::uint32_t>(letters);
}

// Leaves whose subject the machine has not, or which are made anew below.
bool is_replaced(std::uint32_t function) {
  switch (function) {
    case 0x5:            // MONITOR
    case 0xa:            // performance counters
    case kTopologyLeaf:  // made below
    case 0x12:           // SGX
    case 0x14:           // processor trace
    case 0x1b:           // PCONFIG
    case 0x1f: return true;
    default:
      return (function >= kHypervisorBase && function < kHypervisorBase + 0x100) ||
             (function > kLastExtended && function < kExtendedBase + 0x100);
  }
}

class Composer {
 public:
  Composer(std::span<const CpuidEntry> host, const CpuModel& model, unsigned index)
      : host_(host), model_(model), index_(index) {}

  std::vector<CpuidEntry> compose() {
    for (const auto& entry : host_) {
      if (entry.function == kHypervisorBase + 1) kvm_features_ = entry.eax;
      if (is_replaced(entry.function)) continue;
      leaves_.push_back(entry);
      adapt(leaves_.back());
    }
    add_topology();
    add_hypervisor();
    return std::move(leaves_);
  }

 private:
  void adapt(CpuidEntry& leaf) const {
    switch (leaf.function) {
      case 0: leaf.eax = std::max(leaf.eax, kTopologyLeaf); break;
      case 1: adapt_features(leaf); break;
      case 4: adapt_cache(leaf); break;
      case 6:
        leaf.eax &= kLeaf6EaxPresent;
        leaf.ebx = leaf.ecx = leaf.edx = 0;
        break;
      case 7:
        if (leaf.index == 0) leaf.ebx &= ~kLeaf7EbxAbsent;
        break;
      case kExtendedBase: leaf.eax = std::min(leaf.eax, kLastExtended); break;
      case kExtendedBase + 1:
        leaf.ecx &= ~kExtendedEcxAbsent;
        leaf.ecx = core::with_bit(leaf.ecx, kCmpLegacyBit, is_amd() && model_.count > 1);
        break;
      case kExtendedBase + 2:
      case kExtendedBase + 3:
      case kExtendedBase + 4: adapt_brand(leaf); break;
      // A host's invariant TSC cannot be promised to a machine that may be loaded on another one.
      case kExtendedBase + 7:
        if (!model_.has_portable_tsc) leaf.edx &= ~(1u << 8);
        break;
      case kExtendedBase + 8: leaf.ecx = is_amd() ? core_bits() << 12 | (model_.count - 1) : 0; break;
      default: break;
    }
  }

  void adapt_features(CpuidEntry& leaf) const {
    const auto visible = std::min(model_.count, 255u);
    leaf.ebx = (leaf.ebx & 0xff00) | visible << 16 | (index_ & 0xff) << 24;
    leaf.ecx &= ~kLeaf1EcxAbsent;
    leaf.ecx = core::with_bit(leaf.ecx, kHypervisorBit, true);
    leaf.ecx = core::with_bit(leaf.ecx, kTscDeadlineBit, model_.has_tsc_deadline);
    leaf.edx &= ~kLeaf1EdxAbsent;
    leaf.edx = core::with_bit(leaf.edx, kHttBit, model_.count > 1);
  }

  // [SDM 2A leaf 4] each core has its own level 1 and 2; the package shares level 3.
  void adapt_cache(CpuidEntry& leaf) const {
    if ((leaf.eax & 0x1f) == 0) return;
    const auto cores = std::min(std::bit_ceil(model_.count), 64u);
    const bool shared = core::bits(leaf.eax, 5, 3) >= 3;
    const auto sharing = shared ? std::bit_ceil(model_.count) : 1u;
    leaf.eax = (leaf.eax & 0x3fff) | (sharing - 1) << 14 | (cores - 1) << 26;
  }

  // A KVM without hardware behind it passes no name.
  void adapt_brand(CpuidEntry& leaf) const {
    const auto named = [](const CpuidEntry& entry) {
      return entry.function >= kExtendedBase + 2 && entry.function <= kExtendedBase + 4 && entry.eax != 0;
    };
    if (std::ranges::any_of(host_, named)) return;
    const auto at = (leaf.function - kExtendedBase - 2) * 16;
    leaf.eax = four_letters(kBrand, at);
    leaf.ebx = four_letters(kBrand, at + 4);
    leaf.ecx = four_letters(kBrand, at + 8);
    leaf.edx = four_letters(kBrand, at + 12);
  }

  void add_topology() {
    // Level 0: one thread a core; level 1: the cores of the only package; level 2: no such level.
    leaves_.push_back({kTopologyLeaf, 0, true, 0, 1, 1u << 8 | 0, index_});
    leaves_.push_back({kTopologyLeaf, 1, true, core_bits(), model_.count, 2u << 8 | 1, index_});
    leaves_.push_back({kTopologyLeaf, 2, true, 0, 0, 2, index_});
  }

  void add_hypervisor() {
    if (!model_.has_kvm_hypercalls) return;
    constexpr std::string_view kSignature = "KVMKVMKVM";
    leaves_.push_back({kHypervisorBase, 0, false, kHypervisorBase + 1, four_letters(kSignature, 0),
                       four_letters(kSignature, 4), four_letters(kSignature, 8)});
    leaves_.push_back({kHypervisorBase + 1, 0, false, kvm_features_ & kKvmFeatures, 0, 0, 0});
  }

  std::uint32_t core_bits() const { return static_cast<std::uint32_t>(std::bit_width(model_.count - 1)); }

  bool is_amd() const {
    const auto first = std::ranges::find(host_, 0u, &CpuidEntry::function);
    return first != host_.end() && (first->ebx == four_letters("Auth", 0) || first->ebx == four_letters("Hygo", 0));
  }

  std::span<const CpuidEntry> host_;
  CpuModel model_;
  unsigned index_;
  std::uint32_t kvm_features_ = 0;
  std::vector<CpuidEntry> leaves_;
};

}  // namespace

std::vector<CpuidEntry> compose_cpuid(std::span<const CpuidEntry> host, const CpuModel& model, unsigned index) {
  return Composer(host, model, index).compose();
}

}  // namespace vmm::cpu
