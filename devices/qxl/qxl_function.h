// The function half of a QXL device: PCI 1b36:0100 with its BARs, ROM, RAM header, interrupt, and, on the machine's
// first display, the VGA. Its ports are `qxl_ports`; what they ask for is done by the source half on the display
// worker.
//
// While reset() runs or state is saved or loaded, the display worker is paused, and the CPUs stand still.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/fd.h"
#include "core/bus/address_space.h"
#include "core/event/guest_clock.h"
#include "core/memory/memory_block.h"
#include "core/memory/ram_map.h"
#include "core/pci/pci_function.h"
#include "core/ports/display.h"
#include "devices/qxl/native_mode.h"
#include "devices/qxl/qxl_abi.h"
#include "devices/qxl/qxl_layout.h"
#include "devices/qxl/qxl_ports.h"
#include "devices/qxl/qxl_ram_header.h"
#include "devices/qxl/qxl_rom.h"
#include "devices/qxl/qxl_source.h"
#include "devices/qxl/vga.h"

namespace devices::qxl {

class QxlFunction final : public core::PciFunction, private QxlPortsHost, private SourceEvents {
 public:
  struct Config {
    std::string name = "qxl0";  // of its saved state
    bool primary = true;        // it is the machine's VGA, too
    QxlSizes sizes = {};
    QxlRomOptions rom = {};
    std::uint16_t max_outputs = 0;            // monitors; 0: as many as the interface has
    std::vector<std::uint8_t> vga_bios = {};  // the option ROM's image; empty for none
    bool trace = false;                       // print which ports are used
    bool guest_log = false;                   // print what the driver logs
    bool command_log = false;                 // print what the driver draws
    bool counted_time = false;                // the clock stands still while the source works for the guest
    bool doorbell = false;                    // the worker watches an eventfd that notifications ring
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
  // Mode, rings, slots, surfaces and the driver's mistakes, in lines for people. Any thread, no lock held.
  std::string describe();

  // core::Device
  void reset() override;
  std::string_view state_name() const override { return config_.name; }
  unsigned state_version() const override { return 2; }
  void visit_state(core::StateVisitor& visitor) override;
  core::Result<> state_loaded() override;

 private:
  struct Blocks {
    std::unique_ptr<core::MemoryBlock> ram;
    std::unique_ptr<core::MemoryBlock> vram;
    std::unique_ptr<core::MemoryBlock> rom;
    std::unique_ptr<core::MemoryBlock> bios;
  };

  static core::Result<Blocks> create_blocks(const QxlLayout& layout, const Config& config);
  QxlFunction(Config config, const QxlLayout& layout, Blocks blocks, const Wiring& wiring);
  NativeMode::Config native_config() const;
  std::function<void()> settling();
  static std::optional<core::EventFd> make_doorbell(const Config& config);
  void declare_bars();
  void restart_contents();

  // QxlPortsHost, with the lock held.
  void raise_locked(std::uint32_t interrupts) override;
  void update_irq() override;
  void port_log() override;
  std::optional<std::uint64_t> bar_address(unsigned bar) const override;

  // SourceEvents, which takes it.
  void raise(std::uint32_t interrupts) override;
  void guest_bug(std::string_view what) override;
  bool has_guest_bug() const override { return ports_.has_guest_bug(); }
  void async_done(std::uint32_t ticket) override;
  void restart_memory(std::optional<std::uint32_t> mode) override;
  void updated(std::uint32_t update_id) override;
  void clients_changed(const core::DisplayClients& clients) override;
  void set_compression_level(std::uint32_t level) override;
  bool takes_client_monitors() override;
  void set_client_monitors(std::span<const core::ClientMonitor> monitors) override;

  Config config_;
  QxlLayout layout_;
  Blocks blocks_;
  std::vector<core::MemoryBlock*> saved_blocks_;
  Wiring wiring_;
  QxlRamHeader header_;
  QxlRom rom_;
  SourceMailbox mailbox_;
  std::optional<core::EventFd> doorbell_;
  QxlPorts ports_;
  Vga vga_;
  NativeMode native_;
  QxlSource source_;
};

}  // namespace devices::qxl
