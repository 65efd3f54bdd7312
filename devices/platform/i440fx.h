// The Intel 440FX host bridge as PCI function 00:00.0, and the memory map it makes: RAM around the PCI hole, BIOS ROM
// at the top of 4 GiB and of 1 MiB, shadow RAM over the latter by the PAM registers, SMRAM when it is open. [82441FX,
// order number 290549-001]
//
// Missing on purpose: DRAM timing and row boundaries are storage without effect (firmware asks fw_cfg for the memory
// size), the fixed DRAM hole, system management mode, error reporting.
//
// Config cycles reach it, as any function, through PciConfigPorts.
#pragma once

#include <array>

#include "core/bus/address_space.h"
#include "core/memory/guest_memory.h"
#include "core/memory/ram_map.h"
#include "core/pci/pci_function.h"

namespace devices::platform {

class I440fx final : public core::PciFunction {
 public:
  struct Wiring {
    core::RamMap& map;
    core::GuestMemory& ram;
    core::MemoryBlock& bios;  // its end lies at 4 GiB, its last 128 KiB also below 1 MiB; at most 16 MiB
  };

  // Maps RAM and ROM as after a reset.
  explicit I440fx(const Wiring& wiring);

  // Claims C0000h-FFFFFh of the MMIO space, where the stores arrive that RamMap does not take.
  core::Result<> attach(core::AddressSpace& mmio);

  void reset() override;
  std::string_view state_name() const override { return "i440fx"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override { visit_config(visitor); }
  core::Result<> state_loaded() override;

 private:
  static constexpr unsigned kSections = 13;

  void config_written(std::uint32_t offset, unsigned width) override;
  void map_fixed();
  void update_map();
  void map_section(unsigned section, unsigned attributes);
  void update_smram();
  unsigned attributes_of(unsigned section) const;
  // RAM at a low address, clipped to what there is; unmapped if there is none.
  core::RamMapping map_low_ram(std::uint64_t start, std::uint64_t size, bool writable, int priority);
  std::uint64_t shadow_read(std::uint64_t offset, unsigned width);
  void shadow_write(std::uint64_t offset, unsigned width, std::uint64_t value);

  Wiring wiring_;
  std::vector<core::RamMapping> fixed_;
  std::array<core::RamMapping, kSections> shadow_;
  std::array<unsigned, kSections> mapped_as_{};  // PAM attributes that shadow_ shows
  core::RamMapping smram_;
  core::Handler<I440fx> shadow_handler_{*this, &I440fx::shadow_read, &I440fx::shadow_write};
  core::Registration shadow_range_;
};

}  // namespace devices::platform
