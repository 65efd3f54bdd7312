// The VGA half of the QXL function: ports, window, VBE. The vCPU side; all calls have the function's lock held.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "core/bus/address_space.h"
#include "core/event/guest_clock.h"
#include "core/memory/memory_block.h"
#include "core/memory/ram_map.h"
#include "devices/qxl/vbe.h"
#include "devices/qxl/vga_abi.h"
#include "devices/qxl/vga_memory.h"
#include "devices/qxl/vga_regs.h"
#include "devices/qxl/vga_snapshot.h"

namespace devices::qxl {

class Vga {
 public:
  struct Wiring {
    core::MemoryBlock& memory;  // BAR0; the VGA uses its start
    core::RamMap& ram_map;
    const core::GuestClock& clock;
    std::function<void()> on_register_write = {};  // of the VGA's own, not VBE's
    std::function<void()> on_written = {};         // after it, with no lock held
  };

  Vga(std::uint32_t memory_bytes, const Wiring& wiring);

  // Claims the ports and the window.
  core::Result<> attach(core::AddressSpace& io, core::AddressSpace& mmio, core::DeviceLock& lock);

  VgaSnapshot snapshot() const;
  // What the guest has written to the window is in memory. No lock held.
  void settle() const;
  void reset();
  void visit(core::StateVisitor& visitor);
  void state_loaded();
  const VgaMemory& memory() const { return memory_; }

 private:
  // Registers of its own, from port `first` on.
  class Ports final : public core::IoHandler {
   public:
    Ports(Vga& vga, std::uint16_t first) : vga_(vga), first_(first) {}
    std::uint64_t read(std::uint64_t offset, unsigned width) override;
    void write(std::uint64_t offset, unsigned width, std::uint64_t value) override;
    void written() override;

   private:
    Vga& vga_;
    std::uint16_t first_;
  };

  std::uint64_t read_vbe(std::uint64_t offset, unsigned width);
  void write_vbe(std::uint64_t offset, unsigned width, std::uint64_t value);
  void write_port(std::uint16_t port, std::uint8_t value);

  const core::GuestClock& clock_;
  std::function<void()> on_register_write_;
  std::function<void()> on_written_;
  VgaRegisters registers_;
  Vbe vbe_;
  VgaMemory memory_;
  Ports mono_{*this, abi::kMonoPorts};
  Ports colour_{*this, abi::kColourPorts};
  core::Handler<Vga> vbe_ports_{*this, &Vga::read_vbe, &Vga::write_vbe};
  std::array<core::Registration, 4> registrations_;
  core::AddressSpace* mmio_ = nullptr;  // once it is attached
  core::Registration posted_;
};

}  // namespace devices::qxl
