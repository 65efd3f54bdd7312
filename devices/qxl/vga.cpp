#include "devices/qxl/vga.h"

namespace devices::qxl {

using namespace abi;

Vga::Vga(std::uint32_t memory_bytes, const Wiring& wiring)
    : clock_(wiring.clock),
      on_register_write_(wiring.on_register_write),
      on_written_(wiring.on_written),
      vbe_(memory_bytes),
      memory_(wiring.memory, memory_bytes, wiring.ram_map) {
  memory_.update(registers_, vbe_);
}

core::Result<> Vga::attach(core::AddressSpace& io, core::AddressSpace& mmio, core::DeviceLock& lock) {
  struct Claim {
    core::AddressSpace& space;
    core::IoRange range;
    core::IoHandler& handler;
  };
  const Claim claims[] = {
      // Registers have one byte each: an access to an index and its data at once is two accesses.
      {io, {kMonoPorts, kMonoPortsSize, 1}, mono_},
      {io, {kColourPorts, kColourPortsSize, 1}, colour_},
      {io, {kVbePorts, kVbePortsSize, 2}, vbe_ports_},
      {mmio, {kWindow, kWindowSize, 8}, memory_},
  };
  std::size_t index = 0;
  for (const auto& claim : claims) {
    auto range = claim.space.add(claim.range, claim.handler, lock, "vga");
    if (!range) return std::unexpected(range.error());
    registrations_[index++] = std::move(*range);
  }
  // Planes are drawn byte by byte, and nobody looks before the next refresh or the next port.
  mmio_ = &mmio;
  posted_ = mmio.add_posted({kWindow, kWindowSize});
  return {};
}

std::uint64_t Vga::Ports::read(std::uint64_t offset, unsigned) {
  return vga_.registers_.read(static_cast<std::uint16_t>(first_ + offset), vga_.clock_.now());
}

void Vga::Ports::write(std::uint64_t offset, unsigned, std::uint64_t value) {
  vga_.write_port(static_cast<std::uint16_t>(first_ + offset), static_cast<std::uint8_t>(value));
}

void Vga::Ports::written() {
  if (vga_.on_written_) vga_.on_written_();
}

void Vga::write_port(std::uint16_t port, std::uint8_t value) {
  if (on_register_write_) on_register_write_();
  registers_.write(port, value);
  // Miscellaneous output, sequencer and graphics controller decide how the window decodes.
  if (port == 0x3c2 || port == 0x3c5 || port == 0x3cf) memory_.update(registers_, vbe_);
}

std::uint64_t Vga::read_vbe(std::uint64_t offset, unsigned width) {
  if (width != 2 || offset > 2) return ~std::uint64_t{0};
  return offset == 0 ? vbe_.index() : vbe_.read();
}

void Vga::write_vbe(std::uint64_t offset, unsigned width, std::uint64_t value) {
  if (width != 2 || offset > 2) return;
  if (offset == 0) return vbe_.select(static_cast<std::uint16_t>(value));
  if (vbe_.write(static_cast<std::uint16_t>(value))) memory_.clear(vbe_.clear_bytes());
  registers_.dac().set_eight_bit(vbe_.dac_eight_bit());
  memory_.update(registers_, vbe_);
}

void Vga::settle() const {
  if (mmio_ != nullptr) mmio_->settle();
}

VgaSnapshot Vga::snapshot() const {
  VgaSnapshot result;
  registers_.copy_to(result);
  result.vbe = vbe_.scanout();
  return result;
}

void Vga::reset() {
  registers_.reset();
  vbe_.reset();
  memory_.reset_latches();
  memory_.update(registers_, vbe_);
}

void Vga::visit(core::StateVisitor& visitor) {
  visitor.field("registers", registers_);
  visitor.field("vbe", vbe_);
  visitor.field("memory", memory_);
}

void Vga::state_loaded() {
  vbe_.state_loaded();
  registers_.dac().set_eight_bit(vbe_.dac_eight_bit());
  memory_.update(registers_, vbe_);
}

}  // namespace devices::qxl
