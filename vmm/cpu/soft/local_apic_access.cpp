#include "vmm/cpu/soft/local_apic_access.h"

#include <algorithm>

#include "vmm/cpu/soft/local_apic.h"

namespace vmm::cpu::soft {

namespace {

constexpr std::uint32_t kApicBase = 0x1b, kTscDeadline = 0x6e0, kX2apicFirst = 0x800, kX2apicLast = 0x8ff;
constexpr std::uint64_t kOffsetMask = 0xfff;

}  // namespace

bool is_local_apic_page(const Cpu& cpu, std::uint64_t physical) {
  return cpu.apic != nullptr && cpu.apic->mmio_covers(physical);
}

// [SDM 3A 11.4.1] registers are 32 bits wide, a paragraph each. Other accesses are undefined; ours read the bytes that
// are meant and ignore such stores.
void read_local_apic_page(Cpu& cpu, std::uint64_t physical, std::uint8_t* bytes, unsigned size) {
  for (unsigned done = 0; done < size;) {
    const std::uint64_t at = physical + done;
    const unsigned skip = at % 4;
    const unsigned piece = std::min(size - done, 4 - skip);
    const std::uint32_t value = cpu.apic->mmio_read(static_cast<std::uint32_t>(at & kOffsetMask & ~std::uint64_t{3}));
    std::memcpy(bytes + done, reinterpret_cast<const char*>(&value) + skip, piece);
    done += piece;
  }
}

void write_local_apic_page(Cpu& cpu, std::uint64_t physical, const std::uint8_t* bytes, unsigned size) {
  if (physical % 4 != 0) return;
  for (unsigned done = 0; done + 4 <= size; done += 4) {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes + done, sizeof value);
    cpu.apic->mmio_write(static_cast<std::uint32_t>((physical + done) & kOffsetMask), value);
  }
}

bool is_local_apic_msr(std::uint32_t index) {
  return index == kApicBase || index == kTscDeadline || (index >= kX2apicFirst && index <= kX2apicLast);
}

bool read_local_apic_msr(Cpu& cpu, std::uint32_t index, std::uint64_t& value) {
  return cpu.apic != nullptr && cpu.apic->read_msr(index, value);
}

bool write_local_apic_msr(Cpu& cpu, std::uint32_t index, std::uint64_t value) {
  if (cpu.apic == nullptr || !cpu.apic->write_msr(index, value)) return false;
  if (index == kApicBase) cpu.mmu.flush_all();  // its page may have moved
  return true;
}

std::uint64_t read_cr8(const Cpu& cpu) {
  return cpu.apic != nullptr ? cpu.apic->tpr() >> 4 : 0;
}

void write_cr8(Cpu& cpu, std::uint64_t value) {
  if (cpu.apic != nullptr) cpu.apic->set_tpr(static_cast<std::uint8_t>(value << 4));
}

}  // namespace vmm::cpu::soft
