#include "vmm/cpu/soft/page_walk.h"

#include "vmm/cpu/soft/features.h"
#include "vmm/cpu/soft/physical_access.h"

namespace vmm::cpu::soft {

namespace {

// Bits of the entries of all formats. [SDM 3A 4.3-4.5]
constexpr std::uint64_t kPresent = 1u << 0, kWritable = 1u << 1, kUserPage = 1u << 2, kAccessed = 1u << 5,
                        kDirty = 1u << 6, kLarge = 1u << 7, kGlobalPage = 1u << 8;
constexpr std::uint64_t kHugePage = 1u << 30;
constexpr std::uint64_t kNoExecute = std::uint64_t{1} << 63;
constexpr std::uint64_t kFrameMask = ((std::uint64_t{1} << Mmu::kPhysicalBits) - 1) & Mmu::kPageMask;
// [SDM 3A 4.7]
constexpr std::uint32_t kErrorPresent = 1, kErrorWrite = 2, kErrorUser = 4, kErrorReserved = 8, kErrorFetch = 16;

constexpr std::uint64_t bits_from_to(unsigned low, unsigned high) {
  return ((std::uint64_t{2} << high) - 1) & ~((std::uint64_t{1} << low) - 1);
}

class Walk {
 public:
  Walk(Cpu& cpu, const PageRequest& request) : cpu_(cpu), request_(request) {}

  bool run(PageFrame& frame) {
    if ((cpu_.cr0 & kCr0Pg) == 0) {
      frame = {request_.linear & Mmu::kPageMask, false, false};
      return true;
    }
    return (cpu_.cr4 & kCr4Pae) != 0 ? walk_wide(frame) : walk_narrow(frame);
  }

 private:
  struct Visited {
    std::uint64_t address = 0;
    std::uint64_t entry = 0;
  };

  bool has(Feature feature) const { return cpu_.features == nullptr || cpu_.features->has(feature); }

  bool fault(std::uint32_t error) {
    if (request_.write) error |= kErrorWrite;
    if (request_.user) error |= kErrorUser;
    const bool no_execute = (cpu_.cr4 & kCr4Pae) != 0 && (cpu_.efer & kEferNxe) != 0;
    if (request_.fetch && (no_execute || (cpu_.cr4 & kCr4Smep) != 0)) error |= kErrorFetch;
    cpu_.raise(Vector::PageFault, error, request_.linear);
    return false;
  }

  // [SDM 3A 4.6.1]
  bool permitted() const {
    const bool user_page = (rights_ & kUserPage) != 0;
    const bool writable = (rights_ & kWritable) != 0;
    if (request_.fetch && no_execute_) return false;
    if (request_.user) return user_page && (writable || !request_.write);
    if (request_.write && !writable && (cpu_.cr0 & kCr0Wp) != 0) return false;
    if (!user_page) return true;
    return request_.fetch ? (cpu_.cr4 & kCr4Smep) == 0 : !request_.spare_user;
  }

  template <class Entry>
  std::uint64_t visit(std::uint64_t address) {
    Entry entry = 0;
    read_physical(cpu_, address, &entry, sizeof entry);
    visited_[count_++] = {address, entry};
    rights_ &= entry;
    return entry;
  }

  // After the last entry is known to translate.
  template <class Entry>
  bool finish(PageFrame& frame, std::uint64_t base, std::uint64_t page_size) {
    if (!permitted()) return fault(kErrorPresent);
    for (unsigned i = 0; i < count_; ++i) {
      const bool leaf = i + 1 == count_;
      const std::uint64_t entry = visited_[i].entry | kAccessed | (leaf && request_.write ? kDirty : 0);
      if (entry == visited_[i].entry) continue;
      const auto stored = static_cast<Entry>(entry);
      write_physical(cpu_, visited_[i].address, &stored, sizeof stored);
    }
    const std::uint64_t leaf = visited_[count_ - 1].entry;
    frame.physical = base | (request_.linear & (page_size - 1) & Mmu::kPageMask);
    frame.global = (leaf & kGlobalPage) != 0 && (cpu_.cr4 & kCr4Pge) != 0;
    frame.huge = page_size == kHugePage;
    frame.large = page_size != core::kPageSize && !frame.huge;
    return true;
  }

  // 32-bit paging. [SDM 3A 4.3]
  bool walk_narrow(PageFrame& frame) {
    const std::uint64_t linear = request_.linear;
    const std::uint64_t directory = visit<std::uint32_t>((cpu_.cr3 & 0xfffff000) | (linear >> 22 & 0x3ff) << 2);
    if ((directory & kPresent) == 0) return fault(0);
    if ((directory & kLarge) != 0 && (cpu_.cr4 & kCr4Pse) != 0) {
      // Bits 20-13 are bits 39-32 of the address with PSE-36.
      const bool pse36 = has(Feature::Pse36);
      if ((directory & (pse36 ? bits_from_to(21, 21) : bits_from_to(13, 21))) != 0)
        return fault(kErrorPresent | kErrorReserved);
      const std::uint64_t high = (directory >> 13 & 0xff) << 32;
      return finish<std::uint32_t>(frame, (directory & 0xffc00000) | high, 4u << 20);
    }
    const std::uint64_t entry = visit<std::uint32_t>((directory & 0xfffff000) | (linear >> 12 & 0x3ff) << 2);
    if ((entry & kPresent) == 0) return fault(0);
    return finish<std::uint32_t>(frame, entry & 0xfffff000, core::kPageSize);
  }

  // Reserved bits of an entry that maps a page at this level, and the large bit where no such page exists.
  std::uint64_t reserved_if_large(unsigned level) const {
    if (level == 2) return bits_from_to(13, 20);
    if (level == 3 && has(Feature::Gbpages)) return bits_from_to(13, 29);
    return kLarge;
  }

  // PAE, 4-level and 5-level paging. [SDM 3A 4.4, 4.5]
  bool walk_wide(PageFrame& frame) {
    std::uint64_t table = cpu_.cr3 & kFrameMask;
    unsigned level = (cpu_.cr4 & kCr4La57) != 0 ? 5 : 4;
    std::uint64_t reserved = bits_from_to(Mmu::kPhysicalBits, 51);
    if (!cpu_.long_mode()) {
      const std::uint64_t pointer = cpu_.page_directory_pointers[request_.linear >> 30 & 3];
      if ((pointer & kPresent) == 0) return fault(0);
      table = pointer & kFrameMask;
      level = 2;
      reserved |= bits_from_to(52, 62);
    }
    if ((cpu_.efer & kEferNxe) == 0) reserved |= kNoExecute;
    for (;; --level) {
      const unsigned shift = 12 + 9 * (level - 1);
      const std::uint64_t entry = visit<std::uint64_t>(table | (request_.linear >> shift & 0x1ff) << 3);
      if ((entry & kPresent) == 0) return fault(0);
      const bool large = level > 1 && (entry & kLarge) != 0;
      if ((entry & (reserved | (large ? reserved_if_large(level) : 0))) != 0)
        return fault(kErrorPresent | kErrorReserved);
      if ((entry & kNoExecute) != 0) no_execute_ = true;
      if (level == 1 || large) {
        const std::uint64_t size = std::uint64_t{1} << shift;
        return finish<std::uint64_t>(frame, entry & kFrameMask & ~(size - 1), size);
      }
      table = entry & kFrameMask;
    }
  }

  Cpu& cpu_;
  const PageRequest& request_;
  std::array<Visited, 5> visited_{};
  unsigned count_ = 0;
  std::uint64_t rights_ = kWritable | kUserPage;
  bool no_execute_ = false;
};

}  // namespace

bool walk_pages(Cpu& cpu, const PageRequest& request, PageFrame& frame) {
  return Walk(cpu, request).run(frame);
}

// [SDM 3A 4.4.1] The four registers are loaded at once; present entries with reserved bits refuse it.
bool Mmu::load_page_directory_pointers(std::uint64_t cr3) {
  constexpr std::uint64_t kReserved = bits_from_to(1, 2) | bits_from_to(5, 8) | bits_from_to(kPhysicalBits, 63);
  std::array<std::uint64_t, 4> entries{};
  read_physical(cpu_, cr3 & 0xffffffe0, entries.data(), sizeof entries);
  for (const std::uint64_t entry : entries) {
    if ((entry & kPresent) != 0 && (entry & kReserved) != 0) {
      cpu_.raise(Vector::GeneralProtection, 0);
      return false;
    }
  }
  cpu_.page_directory_pointers = entries;
  return true;
}

}  // namespace vmm::cpu::soft
