#include "devices/platform/piix3.h"

#include "core/base/assert.h"

namespace devices::platform {

namespace {

// [82371SB 2.2.10] PIRQRCx: bit 7 disconnects, bits 3:0 name the IRQ.
constexpr std::uint32_t PIRQRCA = 0x60;
constexpr std::uint32_t PIRQRCD = 0x63;
constexpr std::uint8_t kRouteOff = 0x80;
// IRQs 0, 1, 2, 8 and 13 are reserved for the chip's own devices.
constexpr std::uint16_t kRoutableIrqs = 0xdef8;

// [82371SB 2.2] Values after reset are those of the data sheet; registers without effect here are storage.
constexpr core::Register kRegisters[] = {
    {.name = "PCICMD", .offset = 0x04, .width = 2, .reset = 0x0007, .writable = 0x0108},
    {.name = "PCISTS", .offset = 0x06, .width = 2, .reset = 0x0200, .clear_on_one = 0x7800},
    {.name = "IORT", .offset = 0x4c, .width = 1, .reset = 0x4d, .writable = 0xff},
    {.name = "XBCS", .offset = 0x4e, .width = 2, .reset = 0x0003, .writable = 0x01ff},
    {.name = "PIRQRCA", .offset = PIRQRCA, .width = 1, .reset = kRouteOff, .writable = 0x8f},
    {.name = "PIRQRCB", .offset = 0x61, .width = 1, .reset = kRouteOff, .writable = 0x8f},
    {.name = "PIRQRCC", .offset = 0x62, .width = 1, .reset = kRouteOff, .writable = 0x8f},
    {.name = "PIRQRCD", .offset = PIRQRCD, .width = 1, .reset = kRouteOff, .writable = 0x8f},
    {.name = "TOM", .offset = 0x69, .width = 1, .reset = 0x02, .writable = 0xfe},
    {.name = "MSTAT", .offset = 0x6a, .width = 2, .writable = 0x8000},
    {.name = "MBIRQ0", .offset = 0x70, .width = 1, .reset = 0x80, .writable = 0xef},
    {.name = "MBDMA0", .offset = 0x76, .width = 1, .reset = 0x0c, .writable = 0x8f},
    {.name = "MBDMA1", .offset = 0x77, .width = 1, .reset = 0x0c, .writable = 0x8f},
    {.name = "PCSC", .offset = 0x78, .width = 2, .reset = 0x0002, .writable = 0xffff},
    {.name = "APICBASE", .offset = 0x80, .width = 1, .writable = 0x7f},
    {.name = "DLC", .offset = 0x82, .width = 1, .writable = 0x0f},
    {.name = "SMICNTL", .offset = 0xa0, .width = 1, .reset = 0x08, .writable = 0x1f},
    {.name = "SMIEN", .offset = 0xa2, .width = 2, .writable = 0x01ff},
    {.name = "SEE", .offset = 0xa4, .width = 4, .writable = 0xffff'ffff},
    {.name = "FTMR", .offset = 0xa8, .width = 1, .reset = 0x0f, .writable = 0xff},
    {.name = "SMIREQ", .offset = 0xaa, .width = 2},
    {.name = "CTLTMR", .offset = 0xac, .width = 1, .writable = 0xff},
    {.name = "CTHTMR", .offset = 0xae, .width = 1, .writable = 0xff},
};

constexpr core::PciIdentity kIdentity{.vendor = 0x8086,
                                      .device = 0x7000,
                                      .revision = 0,
                                      .class_code = 0x060100,
                                      .subsystem_vendor = 0x1af4,
                                      .subsystem = 0x1100,
                                      .multi_function = true};

}  // namespace

Piix3::Piix3(const Wiring& wiring) : PciFunction(kIdentity, kRegisters) {
  for (unsigned irq = 0; irq < kIrqs; ++irq)
    irqs_[irq] = core::IrqLine(wiring.isa, irq);
  follow_routes();
}

void Piix3::set_input(unsigned input, bool level) {
  MV_ASSERT(input < kPirqs, "the PCI bus has four PIRQs");
  const std::scoped_lock guard(routing_mutex_);
  levels_[input] = level;
  update_irqs();
}

void Piix3::follow_routes() {
  const std::scoped_lock guard(routing_mutex_);
  for (unsigned pirq = 0; pirq < kPirqs; ++pirq)
    routes_[pirq] = static_cast<std::uint8_t>(config().value(PIRQRCA + pirq, 1));
  update_irqs();
}

// An IRQ is up while any PIRQ routed to it is up.
void Piix3::update_irqs() {
  std::array<bool, kIrqs> up{};
  for (unsigned pirq = 0; pirq < kPirqs; ++pirq) {
    const auto irq = routes_[pirq] & 0xfU;
    if ((routes_[pirq] & kRouteOff) != 0 || ((kRoutableIrqs >> irq) & 1U) == 0) continue;
    up[irq] = up[irq] || levels_[pirq];
  }
  for (unsigned irq = 0; irq < kIrqs; ++irq)
    irqs_[irq].set(up[irq]);
}

void Piix3::config_written(std::uint32_t offset, unsigned width) {
  if (offset <= PIRQRCD && offset + width > PIRQRCA) follow_routes();
}

// The levels are those of other devices, which lower them when they are reset themselves.
void Piix3::reset() {
  reset_config();
  follow_routes();
}

core::Result<> Piix3::state_loaded() {
  follow_routes();
  return {};
}

}  // namespace devices::platform
