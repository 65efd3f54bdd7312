// Reads and writes of guest physical memory by the CPU: RAM with its watchers and decoded code, the local APIC's page,
// and MMIO for the rest.
#pragma once

#include <cstdint>

#include "vmm/cpu/soft/cpu.h"
#include "vmm/cpu/soft/physical_map.h"

namespace vmm::cpu::soft {

// What lies at `physical` (after the A20 gate); no bytes: a device, be it the CPU's own local APIC over RAM.
HostPage physical_page(const Cpu& cpu, std::uint64_t physical);

// Within a page. Devices see pieces of at most eight bytes.
void read_physical(Cpu& cpu, std::uint64_t physical, void* bytes, unsigned size);
void write_physical(Cpu& cpu, std::uint64_t physical, const void* bytes, unsigned size);

// The same where physical_page() is known already.
void read_page(Cpu& cpu, const HostPage& page, std::uint64_t physical, void* bytes, unsigned size);
// True: later stores to this page need not be told of.
bool write_page(Cpu& cpu, const HostPage& page, std::uint64_t physical, const void* bytes, unsigned size);
// Tells the watchers that a store to this page comes. True: later ones need not be told of.
bool announce_store(Cpu& cpu, const HostPage& page);

}  // namespace vmm::cpu::soft
