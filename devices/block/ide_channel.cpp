#include "devices/block/ide_channel.h"

#include <algorithm>
#include <utility>

#include "devices/block/ide_abi.h"

namespace devices::block {

using namespace abi;

namespace {

constexpr std::size_t kMaxPort = 8;

}  // namespace

IdeChannel::IdeChannel(const Wiring& wiring)
    : irq_(wiring.irq), bus_master_(wiring.memory), completion_(wiring.clock.create_completion(wiring.lock)) {}

void IdeChannel::attach(unsigned unit, std::unique_ptr<IdeDrive> drive) {
  drives_[unit] = std::move(drive);
}

// --- registers -------------------------------------------------------------------------------------------------------

bool IdeChannel::busy() const {
  return in_flight_ != nullptr || (state_.control & SRST) != 0;
}

std::uint8_t IdeChannel::status() const {
  auto* drive = selected();
  if (drive == nullptr) return 0;  // [ATA6 9.16.1] nobody drives the bus
  return busy() ? BSY | DSC : drive->registers().status;
}

std::uint64_t IdeChannel::read(std::uint64_t offset, unsigned width) {
  if (offset == DATA) {
    std::array<std::uint8_t, kMaxPort> bytes{};
    read_string(DATA, width, std::span(bytes).first(width));
    return core::load_le<std::uint64_t>(bytes.data());
  }
  std::uint64_t value = 0;
  for (unsigned i = 0; i < width; ++i)
    value |= std::uint64_t{read_register(static_cast<unsigned>(offset) + i)} << (8 * i);
  return value;
}

void IdeChannel::write(std::uint64_t offset, unsigned width, std::uint64_t value) {
  if (offset == DATA) {
    std::array<std::uint8_t, kMaxPort> bytes{};
    core::store_le(bytes.data(), value);
    write_string(DATA, width, std::span(bytes).first(width));
    return;
  }
  for (unsigned i = 0; i < width; ++i)
    write_register(static_cast<unsigned>(offset) + i, static_cast<std::uint8_t>(value >> (8 * i)));
}

std::size_t IdeChannel::read_string(std::uint64_t offset, unsigned width, std::span<std::uint8_t> out) {
  if (offset != DATA) return 0;
  if (selected() != nullptr && !busy()) {
    selected()->read_data(out);
  } else {
    std::ranges::fill(out, std::uint8_t{0});
  }
  return out.size() / width;
}

std::size_t IdeChannel::write_string(std::uint64_t offset, unsigned width, std::span<const std::uint8_t> bytes) {
  if (offset != DATA) return 0;
  if (selected() != nullptr && !busy()) selected()->write_data(bytes);
  return bytes.size() / width;
}

std::uint8_t IdeChannel::read_register(unsigned reg) {
  auto* drive = selected();
  if (drive == nullptr) return 0;
  if (reg == STATUS) {
    state_.interrupt = false;
    update_irq();
    return status();
  }
  if (busy()) return status();  // [ATA6 7.15.6.1] the others are not valid now
  const auto& r = drive->registers();
  const std::size_t previous = (state_.control & HOB) != 0 ? 1 : 0;
  switch (reg) {
    case ERROR: return r.error;
    case SECTOR_COUNT: return r.count[previous];
    case LBA_LOW: return r.lba_low[previous];
    case LBA_MID: return r.lba_mid[previous];
    case LBA_HIGH: return r.lba_high[previous];
    case DEVICE: return r.device | kDeviceObsolete;
    default: return 0xff;
  }
}

void IdeChannel::write_register(unsigned reg, std::uint8_t value) {
  state_.control &= static_cast<std::uint8_t>(~HOB);  // [ATA6 7.8]
  if (reg == STATUS) return command(value);
  // [ATA6 7.2.1] the command block belongs to the device while BSY or DRQ is set.
  if (busy() || (selected() != nullptr && selected()->requests_data())) return;
  latch(reg, value);
}

// Both devices hear every write. [ATA6 7.1]
void IdeChannel::latch(unsigned reg, std::uint8_t value) {
  const auto push = [value](TaskFile::Pair& pair) { pair = {value, pair[0]}; };
  for (const auto& drive : drives_) {
    if (!drive) continue;
    auto& r = drive->registers();
    switch (reg) {
      case ERROR: push(r.features); break;
      case SECTOR_COUNT: push(r.count); break;
      case LBA_LOW: push(r.lba_low); break;
      case LBA_MID: push(r.lba_mid); break;
      case LBA_HIGH: push(r.lba_high); break;
      case DEVICE: r.device = value & static_cast<std::uint8_t>(~kDeviceObsolete); break;
      default: break;
    }
  }
  if (reg == DEVICE) state_.selected = (value & DEV) != 0 ? 1 : 0;
}

void IdeChannel::command(std::uint8_t code) {
  auto* drive = selected();
  state_.interrupt = false;
  update_irq();
  if (code == DEVICE_RESET && drive != nullptr && drive->is_packet_device()) {
    // Accepted at any time. [ATA6 8.7]
    if (in_flight_) in_flight_->abandoned = true;
    return drive->soft_reset();
  }
  if (busy()) return;
  if (code == EXECUTE_DEVICE_DIAGNOSTIC) {
    // For both, whichever is selected. [ATA6 8.9]
    if (drive != nullptr && drive->requests_data()) return;
    reset_drives();
    return raise_irq();
  }
  if (drive == nullptr || drive->requests_data()) return;
  drive->execute(code);
}

void IdeChannel::write_control(std::uint8_t value) {
  const bool was_resetting = (state_.control & SRST) != 0;
  state_.control = value & (HOB | SRST | nIEN);
  if ((value & SRST) != 0 && !was_resetting) {
    state_.interrupt = false;
    reset_drives();
  }
  update_irq();
}

// [ATA6 9.2] ends commands; both drives show their signatures and device 0 is selected.
void IdeChannel::reset_drives() {
  if (in_flight_) in_flight_->abandoned = true;
  for (const auto& drive : drives_) {
    if (!drive) continue;
    drive->soft_reset();
    drive->registers().device = 0;
  }
  state_.selected = 0;
}

void IdeChannel::write_bus_master(unsigned offset, std::uint8_t value) {
  const bool was_active = bus_master_.active();
  bus_master_.write(offset, value);
  auto* drive = selected();
  if (!was_active && bus_master_.active() && !busy() && drive != nullptr && drive->wants_dma()) drive->run_dma();
}

// --- for the drives --------------------------------------------------------------------------------------------------

void IdeChannel::raise_irq() {
  state_.interrupt = true;
  update_irq();
}

void IdeChannel::update_irq() {
  const bool level = state_.interrupt && (state_.control & nIEN) == 0;
  if (level && !irq_.level()) bus_master_.note_interrupt();
  irq_.set(level);
}

void IdeChannel::start(core::BlockBackend& backend, core::BlockOp op, std::uint64_t offset,
                       std::shared_ptr<HostRequest> request) {
  in_flight_ = request;
  ++requests_started_;
  submit({backend, op, offset, std::move(request)}, *completion_, "ide",
         [this](const std::shared_ptr<HostRequest>& done, bool succeeded) { finished(done, succeeded); });
}

void IdeChannel::finished(const std::shared_ptr<HostRequest>& request, bool succeeded) {
  in_flight_.reset();
  if (!request->abandoned) request->then(*request, succeeded);
}

// --- reset and state -------------------------------------------------------------------------------------------------

void IdeChannel::reset() {
  if (in_flight_) in_flight_->abandoned = true;
  state_ = {};
  bus_master_.reset();
  for (const auto& drive : drives_) {
    if (drive) drive->power_on();
  }
  update_irq();
}

void IdeChannel::visit(core::StateVisitor& visitor) {
  visitor.field("selected", state_.selected);
  visitor.field("control", state_.control);
  visitor.field("interrupt", state_.interrupt);
  visitor.field("bus_master", bus_master_);
  for (const auto& drive : drives_) {
    if (!drive) continue;
    visitor.enter(drive == drives_[0] ? "device0" : "device1");
    drive->visit(visitor);
    visitor.leave();
  }
}

core::Result<> IdeChannel::state_loaded() {
  if (in_flight_) in_flight_->abandoned = true;
  if (state_.selected > 1) return core::fail("device {} of an IDE channel does not exist", state_.selected);
  for (const auto& drive : drives_) {
    if (drive && !drive->valid()) return core::fail("an IDE drive is in a state that cannot be");
  }
  irq_.set(state_.interrupt && (state_.control & nIEN) == 0);
  return {};
}

}  // namespace devices::block
