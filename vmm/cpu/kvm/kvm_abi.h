// KVM's structures that end in a counted array, and the requests that carry their size.
//
// linux/kvm.h of several kernels (6.1 stable among them) declares these arrays in a way that makes the structures
// larger in C++ than in C, so that the request numbers built from their size are wrong. The heads are therefore stated
// here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <linux/kvm.h>
#include <span>
#include <sys/ioctl.h>
#include <vector>

namespace vmm::cpu::kvm {

// kvm_cpuid2 (nent, padding), kvm_msrs (nmsrs, pad), kvm_irq_routing (nr, flags)
struct CountHead {
  std::uint32_t count = 0;
  std::uint32_t reserved = 0;
};
// kvm_msr_list (nmsrs)
struct MsrListHead {
  std::uint32_t count = 0;
};
// kvm_xsave without its extension
struct XsaveHead {
  std::uint8_t region[4096];
};

// kvm_coalesced_mmio_ring, which fills a page
struct PostedRing {
  static constexpr std::size_t kPageBytes = 4096;
  static constexpr std::uint32_t kEntries = (kPageBytes - 2 * sizeof(std::uint32_t)) / sizeof(kvm_coalesced_mmio);

  std::uint32_t first;  // ours
  std::uint32_t last;   // the kernel's
  std::array<kvm_coalesced_mmio, kEntries> entries;
};

constexpr unsigned long kGetMsrIndexList = _IOWR(KVMIO, 0x02, MsrListHead);
constexpr unsigned long kGetSupportedCpuid = _IOWR(KVMIO, 0x05, CountHead);
constexpr unsigned long kSetGsiRouting = _IOW(KVMIO, 0x6a, CountHead);
constexpr unsigned long kGetMsrs = _IOWR(KVMIO, 0x88, CountHead);
constexpr unsigned long kSetMsrs = _IOW(KVMIO, 0x89, CountHead);
constexpr unsigned long kSetCpuid2 = _IOW(KVMIO, 0x90, CountHead);
constexpr unsigned long kGetXsave = _IOR(KVMIO, 0xa4, XsaveHead);
constexpr unsigned long kSetXsave = _IOW(KVMIO, 0xa5, XsaveHead);
constexpr unsigned long kGetXsave2 = _IOR(KVMIO, 0xcf, XsaveHead);

// A head followed by `count` elements.
template <class Head, class Element>
class Counted {
 public:
  explicit Counted(std::size_t count) : storage_((sizeof(Head) + count * sizeof(Element) + 7) / 8), count_(count) {
    head()->count = static_cast<std::uint32_t>(count);
  }

  Head* head() { return reinterpret_cast<Head*>(storage_.data()); }
  std::span<Element> elements() {
    auto* first = reinterpret_cast<std::uint8_t*>(storage_.data()) + sizeof(Head);
    return {reinterpret_cast<Element*>(first), count_};
  }

 private:
  std::vector<std::uint64_t> storage_;
  std::size_t count_;
};

using CpuidList = Counted<CountHead, kvm_cpuid_entry2>;
using MsrList = Counted<CountHead, kvm_msr_entry>;
using MsrIndexList = Counted<MsrListHead, std::uint32_t>;
using RouteList = Counted<CountHead, kvm_irq_routing_entry>;

}  // namespace vmm::cpu::kvm
