#include "devices/block/ide_controller.h"

#include <fmt/core.h>
#include <utility>

#include "core/base/assert.h"
#include "devices/block/ata_disk.h"
#include "devices/block/atapi_cdrom.h"
#include "devices/block/ide_abi.h"

namespace devices::block {

using namespace abi;

namespace {

constexpr core::PciIdentity kIdentity{.vendor = 0x8086,
                                      .device = 0x7010,
                                      .revision = 0,
                                      .class_code = 0x010180,  // IDE, bus master, both channels in compatibility mode
                                      .subsystem_vendor = 0x1af4,
                                      .subsystem = 0x1100};

constexpr core::Register kRegisters[] = {
    {.name = "PCICMD", .offset = 0x04, .width = 2, .writable = 0x0005},  // [PIIX3 2.3.3]
    {.name = "PCISTS", .offset = 0x06, .width = 2, .reset = 0x0280, .clear_on_one = 0x3800},
    {.name = "MLT", .offset = 0x0d, .width = 1, .writable = 0xf0},
    {.name = "IDETIM0", .offset = IDETIM_PRIMARY, .width = 2, .writable = 0xffff},
    {.name = "IDETIM1", .offset = IDETIM_SECONDARY, .width = 2, .writable = 0xffff},
    {.name = "SIDETIM", .offset = SIDETIM, .width = 1, .writable = 0xff},
};

constexpr std::array<std::uint64_t, 2> kCommandPorts{kPrimaryCommand, kSecondaryCommand};
constexpr std::array<std::uint64_t, 2> kControlPorts{kPrimaryControl, kSecondaryControl};
constexpr unsigned kCommandPortCount = 8;
constexpr unsigned kWidestData = 4;  // accesses to the data port

std::unique_ptr<IdeDrive> make_drive(DriveConfig& config, DriveBus& bus, unsigned slot) {
  auto serial = config.serial.empty() ? fmt::format("MV{:05}", slot + 1) : config.serial;
  switch (config.kind) {
    case DriveKind::None: return nullptr;
    case DriveKind::Disk:
      MV_ASSERT(config.backend != nullptr, "a disk comes with its image");
      return std::make_unique<AtaDisk>(bus, std::move(config.backend), "MINIVMM HARDDISK", std::move(serial));
    case DriveKind::Cdrom:
      return std::make_unique<AtapiCdrom>(bus, std::move(config.backend), "MINIVMM DVD-ROM", std::move(serial));
  }
  return nullptr;
}

}  // namespace

IdeController::IdeController(Config config, const Wiring& wiring)
    : PciFunction(kIdentity, kRegisters),
      DriveBays(lock(), "IDE slot", kSlots),
      channels_{IdeChannel({wiring.memory, wiring.clock, lock(), wiring.irq14}),
                IdeChannel({wiring.memory, wiring.clock, lock(), wiring.irq15})},
      controls_{ControlPort(channels_[0]), ControlPort(channels_[1])},
      bus_master_ports_(*this, &IdeController::read_bus_master, &IdeController::write_bus_master) {
  declare_bar({.index = 4,
               .kind = core::BarKind::Io,
               .size = kBusMasterPorts,
               .name = "ide bus master",
               .handler = &bus_master_ports_,
               .max_width = kWidestData});
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    auto& channel = channels_[slot / 2];
    if (auto drive = make_drive(config.drives[slot], channel.bus(), slot)) channel.attach(slot % 2, std::move(drive));
  }
}

IdeController::~IdeController() {
  ranges_.clear();
  drain();
}

core::Result<> IdeController::attach(core::AddressSpace& io) {
  for (unsigned i = 0; i < channels_.size(); ++i) {
    auto command = io.add({kCommandPorts[i], kCommandPortCount, kWidestData}, channels_[i], lock(), "ide");
    if (!command) return std::unexpected(command.error());
    ranges_.push_back(std::move(*command));
    auto control = io.add({kControlPorts[i], 1, 1}, controls_[i], lock(), "ide control");
    if (!control) return std::unexpected(control.error());
    ranges_.push_back(std::move(*control));
  }
  return {};
}

void IdeController::detach() {
  ranges_.clear();
}

IdeDrive* IdeController::drive(unsigned slot) const {
  return channels_[slot / 2].drive(slot % 2);
}

std::uint64_t IdeController::requests_started() const {
  return channels_[0].requests_started() + channels_[1].requests_started();
}

// --- PCI and ports ---------------------------------------------------------------------------------------------------

void IdeController::config_written(std::uint32_t, unsigned) {
  for (auto& channel : channels_)
    channel.set_bus_master_enabled(bus_master_enabled());
}

std::uint64_t IdeController::read_bus_master(std::uint64_t offset, unsigned width) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < width; ++i) {
    const auto at = static_cast<unsigned>(offset) + i;
    value |= std::uint64_t{channels_[at / 8].read_bus_master(at % 8)} << (8 * i);
  }
  return value;
}

void IdeController::write_bus_master(std::uint64_t offset, unsigned width, std::uint64_t value) {
  for (unsigned i = 0; i < width; ++i) {
    const auto at = static_cast<unsigned>(offset) + i;
    channels_[at / 8].write_bus_master(at % 8, static_cast<std::uint8_t>(value >> (8 * i)));
  }
}

// --- reset and state -------------------------------------------------------------------------------------------------

void IdeController::reset() {
  reset_config();
  for (auto& channel : channels_) {
    channel.set_bus_master_enabled(bus_master_enabled());
    channel.reset();
  }
}

void IdeController::visit_state(core::StateVisitor& visitor) {
  visit_config(visitor);
  visitor.field("primary", channels_[0]);
  visitor.field("secondary", channels_[1]);
}

core::Result<> IdeController::state_loaded() {
  for (auto& channel : channels_) {
    channel.set_bus_master_enabled(bus_master_enabled());
    if (auto loaded = channel.state_loaded(); !loaded) return loaded;
  }
  return {};
}

}  // namespace devices::block
