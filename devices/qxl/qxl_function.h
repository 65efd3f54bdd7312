// The function half of a QXL device: PCI 1b36:0100 with its BARs, I/O ports, ROM, RAM header, interrupt, and the VGA.
//
// Built so far is VGA mode, in which the device starts. Ports that would leave it (SET_MODE, CREATE_PRIMARY and its
// async form) and the memory slots that prepare for it put the device into its guest-bug state: the ERROR interrupt is
// raised and ports are ignored until RESET. Native mode takes their place.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/bus/address_space.h"
#include "core/event/guest_clock.h"
#include "core/memory/memory_block.h"
#include "core/memory/ram_map.h"
#include "core/pci/pci_function.h"
#include "core/ports/display.h"
#include "devices/qxl/qxl_abi.h"
#include "devices/qxl/qxl_layout.h"
#include "devices/qxl/qxl_ram_header.h"
#include "devices/qxl/qxl_rom.h"
#include "devices/qxl/qxl_source.h"
#include "devices/qxl/vga.h"

namespace devices::qxl {

class QxlFunction final : public core::PciFunction {
 public:
  struct Config {
    std::string name = "qxl0";  // of its saved state
    QxlSizes sizes;
    QxlRomOptions rom;
    std::vector<std::uint8_t> vga_bios;  // the option ROM's image; empty for none
    bool guest_log = false;              // print what the driver logs
  };
  struct Wiring {
    core::AddressSpace& io;
    core::AddressSpace& mmio;
    core::RamMap& ram_map;
    const core::GuestClock& clock;
  };

  static core::Result<std::unique_ptr<QxlFunction>> create(Config config, const Wiring& wiring);
  ~QxlFunction() override;

  // Claims the VGA's ports and window. The PCI bus maps the BARs.
  core::Result<> attach();
  core::DisplaySource& source() { return source_; }
  // RAM, VRAM and ROM, whose contents the machine saves. Loaded before the device's own state.
  std::span<core::MemoryBlock* const> memory_blocks() const { return saved_blocks_; }
  const QxlLayout& layout() const { return layout_; }

  // core::Device
  void reset() override;
  std::string_view state_name() const override { return config_.name; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override;
  core::Result<> state_loaded() override;

 private:
  enum class Mode : std::uint8_t { Undefined, Vga, Compat, Native };
  struct Blocks {
    std::unique_ptr<core::MemoryBlock> ram;
    std::unique_ptr<core::MemoryBlock> vram;
    std::unique_ptr<core::MemoryBlock> rom;
    std::unique_ptr<core::MemoryBlock> bios;
  };

  static core::Result<Blocks> create_blocks(const QxlLayout& layout, const Config& config);
  QxlFunction(Config config, const QxlLayout& layout, Blocks blocks, const Wiring& wiring);
  void declare_bars();
  void restart();

  std::uint64_t read_port(std::uint64_t offset, unsigned width);
  void write_port(std::uint64_t offset, unsigned width, std::uint64_t value);
  bool acts_in_vga_mode(abi::QxlPort port) const;
  void raise(std::uint32_t interrupts);
  void guest_bug(std::string_view what);
  void update_irq();

  Config config_;
  QxlLayout layout_;
  Blocks blocks_;
  std::vector<core::MemoryBlock*> saved_blocks_;
  Wiring wiring_;
  QxlRamHeader header_;
  Vga vga_;
  QxlSource source_;
  core::Handler<QxlFunction> ports_{*this, &QxlFunction::read_port, &QxlFunction::write_port};
  Mode mode_ = Mode::Vga;
  bool guest_bug_ = false;
};

}  // namespace devices::qxl
