// PCI by configuration mechanism #1, and interrupts as messages or through the I/O APIC. [PCI 3.0]
#pragma once

#include <cstdint>

namespace bench {

struct PciFunction {
  unsigned device = 0;
  unsigned function = 0;

  std::uint32_t config(unsigned offset) const;  // the aligned dword that holds it
  std::uint8_t config8(unsigned offset) const;
  void set_config(unsigned offset, std::uint32_t value) const;

  bool present() const { return config(0) != 0xffff'ffff; }
  std::uintptr_t bar(unsigned index) const;  // where the BIOS has put it, in memory below 4 GiB
  // Offset of the next capability after `from`, or of the first one after 0, with this id; 0: there is none.
  unsigned capability(std::uint8_t id, unsigned from = 0) const;
  // Memory accesses and bus mastering on. Its interrupt (for MSI-X the first message) comes as `vector`. true: as a
  // message; false: by its INTx line, whose handler must not return before it has found no cause left.
  bool open(std::uint8_t vector) const;

 private:
  bool route_msix(std::uint8_t vector) const;
  bool route_msi(std::uint8_t vector) const;
  void route_line(std::uint8_t vector) const;
};

// The same for an interrupt of the board: its line comes as `vector`, by its rising edge.
void route_isa_interrupt(unsigned line, std::uint8_t vector);

// The first function 0 that fits `mask` and `value` at `offset`; ends the guest without one.
PciFunction find_function(unsigned offset, std::uint32_t mask, std::uint32_t value, const char* what);

}  // namespace bench
