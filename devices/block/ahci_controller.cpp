#include "devices/block/ahci_controller.h"

#include <algorithm>
#include <fmt/core.h>
#include <string>
#include <utility>

#include "core/base/assert.h"
#include "core/base/bits.h"
#include "devices/block/atapi_cdrom.h"
#include "devices/block/sata_disk.h"

namespace devices::block {

using namespace abi::hba;

namespace {

constexpr core::PciIdentity kIdentity{.vendor = 0x8086,
                                      .device = 0x2922,
                                      .revision = 2,
                                      .class_code = 0x010601,  // SATA, AHCI
                                      .subsystem_vendor = 0x1af4,
                                      .subsystem = 0x1100,
                                      .interrupt_pin = 1};
constexpr unsigned kAbar = 5;
constexpr std::uint64_t kAbarSize = 0x1000;
constexpr unsigned kDword = 4;

constexpr std::uint32_t kCapabilities =
    CAP_S64A | CAP_SNCQ | CAP_SCLO | CAP_ISS_GEN2 | CAP_SAM | CAP_PMD | ((kSlots - 1) << CAP_NCS_SHIFT) | (kPorts - 1);
constexpr std::uint32_t kImplemented = (1U << kPorts) - 1;

// [AHCI 3.1] HR is set by writing it, and clears itself.
constexpr core::Register kRegisters[] = {
    {.name = "CAP", .offset = CAP, .width = 4, .reset = kCapabilities},
    {.name = "GHC", .offset = GHC, .width = 4, .reset = GHC_AE, .writable = GHC_IE},
    {.name = "IS", .offset = IS, .width = 4, .clear_on_one = kImplemented},
    {.name = "PI", .offset = PI, .width = 4, .reset = kImplemented},
    {.name = "VS", .offset = VS, .width = 4, .reset = 0x0001'0301},
    {.name = "CCC_CTL", .offset = CCC_CTL, .width = 4},
    {.name = "CCC_PORTS", .offset = CCC_PORTS, .width = 4},
    {.name = "EM_LOC", .offset = EM_LOC, .width = 4},
    {.name = "EM_CTL", .offset = EM_CTL, .width = 4},
    {.name = "CAP2", .offset = CAP2, .width = 4},
    {.name = "BOHC", .offset = BOHC, .width = 4},
};

std::unique_ptr<IdeDrive> make_drive(DriveConfig& config, DriveBus& bus, unsigned port) {
  // Other numbers than those of drives on the IDE channels.
  auto serial = config.serial.empty() ? fmt::format("MV{:05}", 100 + port + 1) : config.serial;
  switch (config.kind) {
    case DriveKind::None: return nullptr;
    case DriveKind::Disk:
      MV_ASSERT(config.backend != nullptr, "a disk comes with its image");
      return std::make_unique<SataDisk>(bus, std::move(config.backend), "MINIVMM HARDDISK", std::move(serial));
    case DriveKind::Cdrom:
      return std::make_unique<AtapiCdrom>(bus, std::move(config.backend), "MINIVMM DVD-ROM", std::move(serial));
  }
  return nullptr;
}

struct Place {
  unsigned port;  // kPorts: the generic registers
  std::uint32_t offset;
};

Place place_of(std::uint64_t offset) {
  const auto at = static_cast<std::uint32_t>(offset);
  if (at < kPortRegisters) return {kPorts, at};
  return {(at - kPortRegisters) / kPortStride, (at - kPortRegisters) % kPortStride};
}

}  // namespace

AhciController::AhciController(Config config, const Wiring& wiring)
    : AhciController(std::move(config), wiring, Layout{}) {}

AhciController::AhciController(Config config, const Wiring& wiring, const Layout& layout)
    : PciFunction(kIdentity, layout.capabilities.rows()),
      DriveBays(lock(), "AHCI port", kPorts),
      handler_(*this, &AhciController::read, &AhciController::write),
      registers_(kRegisters, kPortRegisters),
      msi_(this->config(), layout.msi, wiring.msi) {
  declare_bar({.index = kAbar,
               .kind = core::BarKind::Memory32,
               .size = kAbarSize,
               .name = "ahci",
               .handler = &handler_,
               .max_width = kDword});
  for (unsigned i = 0; i < kPorts; ++i) {
    ports_[i] = std::make_unique<AhciPort>(
        AhciPort::Wiring{wiring.memory, wiring.clock, lock(), [this] { ports_changed(); }, config.reads_at_once});
    if (auto drive = make_drive(config.drives[i], ports_[i]->bus(), i)) ports_[i]->attach(std::move(drive));
  }
}

AhciController::~AhciController() {
  drain();
}

std::uint64_t AhciController::requests_started() const {
  std::uint64_t started = 0;
  for (const auto& port : ports_)
    started += port->requests_started();
  return started;
}

// --- registers -------------------------------------------------------------------------------------------------------

void AhciController::config_written(std::uint32_t, unsigned) {
  for (const auto& port : ports_)
    port->set_bus_master_enabled(bus_master_enabled());
  update_interrupt();
}

std::uint64_t AhciController::read(std::uint64_t offset, unsigned width) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < width; ++i) {
    const auto [port, at] = place_of(offset + i);
    const auto byte = port < kPorts ? ports_[port]->read(at, 1) : at < kPortRegisters ? registers_.read(at, 1) : 0;
    value |= byte << (8 * i);
  }
  return value;
}

// Accesses that are not aligned reach each register by itself.
void AhciController::write(std::uint64_t offset, unsigned width, std::uint64_t value) {
  while (width > 0) {
    const auto part = std::min(width, kDword - static_cast<unsigned>(offset % kDword));
    const auto bytes = static_cast<std::uint32_t>(value & core::all_ones(part));
    const auto [port, at] = place_of(offset);
    const bool resetting = (reg(GHC) & GHC_HR) != 0;
    if (port < kPorts) {
      if (!resetting) ports_[port]->write(at, part, bytes);
    } else if (offset < kPortRegisters) {
      if (!resetting) write_generic(at, part, bytes);
    }
    offset += part;
    value >>= 8 * part;
    width -= part;
  }
}

void AhciController::write_generic(std::uint32_t offset, unsigned width, std::uint32_t value) {
  registers_.write(offset, width, value);
  if (offset / kDword == IS / kDword) signalled_ = 0;
  if (offset == GHC && (value & GHC_HR) != 0) reset_ports();
  ports_changed();
}

// [AHCI 10.4.3] GHC.HR stays set until the ports' requests are done.
void AhciController::reset_ports() {
  for (const auto& port : ports_)
    port->reset_by_hba();
  registers_.reset();
  registers_.set(GHC, 4, GHC_AE | GHC_HR);
}

void AhciController::ports_changed() {
  std::uint32_t interrupting = 0;
  bool all_settled = true;
  for (unsigned i = 0; i < kPorts; ++i) {
    if (ports_[i]->is_interrupting()) interrupting |= 1U << i;
    all_settled = all_settled && ports_[i]->is_settled();
  }
  if (all_settled) registers_.set(GHC, 4, reg(GHC) & ~GHC_HR);
  registers_.set(IS, 4, reg(IS) | interrupting);
  update_interrupt();
}

// [AHCI 10.6.2] The line follows IS. A message tells of each bit that is set, and of those that software left when it
// cleared others.
void AhciController::update_interrupt() {
  const auto pending = (reg(GHC) & GHC_IE) != 0 ? reg(IS) : 0;
  set_intx(pending != 0 && !msi_.enabled());
  if ((pending & ~signalled_) != 0) msi_.notify();
  signalled_ = pending;
}

// --- reset and state -------------------------------------------------------------------------------------------------

void AhciController::reset() {
  reset_config();
  for (const auto& port : ports_) {
    port->set_bus_master_enabled(bus_master_enabled());
    port->reset();
  }
  registers_.reset();
  signalled_ = 0;
  ports_changed();
}

void AhciController::visit_state(core::StateVisitor& visitor) {
  visit_config(visitor);
  visitor.field("generic", registers_);
  visitor.field("signalled", signalled_);
  visitor.enter("ports");
  for (unsigned i = 0; i < kPorts; ++i)
    visitor.field(std::to_string(i), *ports_[i]);
  visitor.leave();
}

core::Result<> AhciController::state_loaded() {
  for (const auto& port : ports_) {
    if (auto loaded = port->state_loaded(); !loaded) return loaded;
    port->load_bus_master(bus_master_enabled());
  }
  ports_changed();
  return {};
}

}  // namespace devices::block
