#include "vmm/cpu/soft/physical_access.h"

#include <algorithm>
#include <bit>

#include "vmm/cpu/soft/local_apic_access.h"
#include "vmm/cpu/soft/platform.h"

namespace vmm::cpu::soft {

namespace {

constexpr std::uint64_t kOffsetMask = core::kPageSize - 1;

void read_device(Cpu& cpu, std::uint64_t physical, std::uint8_t* bytes, unsigned size) {
  if (is_local_apic_page(cpu, physical)) return read_local_apic_page(cpu, physical, bytes, size);
  for (unsigned done = 0; done < size;) {
    const unsigned width = std::bit_floor(std::min(size - done, 8u));
    cpu.platform->reaches_device();
    const std::uint64_t value = cpu.platform->physical().mmio().read(physical + done, width);
    std::memcpy(bytes + done, &value, width);
    done += width;
  }
}

void write_device(Cpu& cpu, std::uint64_t physical, const std::uint8_t* bytes, unsigned size) {
  if (is_local_apic_page(cpu, physical)) return write_local_apic_page(cpu, physical, bytes, size);
  for (unsigned done = 0; done < size;) {
    const unsigned width = std::bit_floor(std::min(size - done, 8u));
    std::uint64_t value = 0;
    std::memcpy(&value, bytes + done, width);
    cpu.platform->reaches_device();
    cpu.platform->physical().mmio().write(physical + done, width, value);
    done += width;
  }
}

}  // namespace

HostPage physical_page(const Cpu& cpu, std::uint64_t physical) {
  if (is_local_apic_page(cpu, physical)) return {};
  return cpu.platform->physical().find(physical);
}

bool announce_store(Cpu& cpu, const HostPage& page) {
  constexpr auto kWatchers = static_cast<std::uint8_t>(static_cast<std::uint8_t>(core::Watcher::Scanout) |
                                                       static_cast<std::uint8_t>(core::Watcher::Migration));
  if ((page.flags->load(std::memory_order_relaxed) & kWatchers) != kWatchers) page.flags->fetch_or(kWatchers);
  return !cpu.platform->blocks().has_code(page.bytes);
}

void read_page(Cpu& cpu, const HostPage& page, std::uint64_t physical, void* bytes, unsigned size) {
  if (page.bytes != nullptr) {
    std::memcpy(bytes, page.bytes + (physical & kOffsetMask), size);
  } else {
    read_device(cpu, physical, static_cast<std::uint8_t*>(bytes), size);
  }
}

bool write_page(Cpu& cpu, const HostPage& page, std::uint64_t physical, const void* bytes, unsigned size) {
  if (page.bytes == nullptr || !page.writable) {
    // Stores to ROM go to the bus too, where nobody answers: as KVM has it.
    write_device(cpu, physical, static_cast<const std::uint8_t*>(bytes), size);
    return false;
  }
  const auto offset = static_cast<unsigned>(physical & kOffsetMask);
  bool quick = announce_store(cpu, page);
  if (!quick) quick = cpu.platform->blocks().code_written(page.bytes, offset, size);
  std::memcpy(page.bytes + offset, bytes, size);
  return quick;
}

void read_physical(Cpu& cpu, std::uint64_t physical, void* bytes, unsigned size) {
  physical = cpu.platform->physical().mask_a20(physical);
  read_page(cpu, physical_page(cpu, physical), physical, bytes, size);
}

void write_physical(Cpu& cpu, std::uint64_t physical, const void* bytes, unsigned size) {
  physical = cpu.platform->physical().mask_a20(physical);
  write_page(cpu, physical_page(cpu, physical), physical, bytes, size);
}

}  // namespace vmm::cpu::soft
