// The drive seen from the ATA side: task file, data phases, tray. The packet commands are in atapi_packet.cpp.
#include "devices/block/atapi_cdrom.h"

#include <algorithm>
#include <utility>

#include "core/base/bits.h"
#include "devices/block/ata_identify.h"
#include "devices/block/ide_abi.h"

namespace devices::block {

using namespace abi;

namespace {

constexpr std::uint32_t kFetchSectors = 27;  // raw ones fit into 64 KiB

std::vector<std::uint8_t> with_headers(std::uint32_t lba, const std::vector<std::uint8_t>& data) {
  const auto sectors = data.size() / kCdSectorSize;
  std::vector<std::uint8_t> raw(sectors * kRawCdSectorSize);
  for (std::size_t i = 0; i < sectors; ++i)
    put_raw_sector(lba + i, &data[i * kCdSectorSize], &raw[i * kRawCdSectorSize]);
  return raw;
}

}  // namespace

AtapiCdrom::AtapiCdrom(DriveBus& bus, std::unique_ptr<core::BlockBackend> disc, std::string model, std::string serial)
    : IdeDrive(bus, std::move(disc)), model_(std::move(model)), serial_(std::move(serial)) {
  AtapiCdrom::power_on();
}

void AtapiCdrom::power_on() {
  state_ = {};
  reset_port();
  put_signature(kSignatureMid, kSignatureHigh, 0);  // not ready for ATA commands [ATA6 9.12]
}

void AtapiCdrom::soft_reset() {
  state_.sectors = 0;
  state_.packet = false;
  state_.dma = false;
  put_signature(kSignatureMid, kSignatureHigh, 0);
}

std::uint64_t AtapiCdrom::disc_sectors() const {
  return backend() == nullptr ? 0 : std::min<std::uint64_t>(backend()->size_bytes() / kCdSectorSize, 0xffff'ffff);
}

DriveView AtapiCdrom::view() const {
  const auto sectors = disc_sectors();
  return {.medium = !state_.tray_open && sectors > 0,
          .tray_open = state_.tray_open,
          .locked = state_.locked,
          .sectors = sectors};
}

// --- the tray from outside -------------------------------------------------------------------------------------------

core::Result<std::unique_ptr<core::BlockBackend>> AtapiCdrom::eject(bool force) {
  if (state_.locked && !force) {
    state_.event = MediaEvent::EjectRequest;
    return core::fail("the guest has locked the tray; it was asked to eject, or force it");
  }
  state_.locked = false;
  if (!state_.tray_open) state_.event = MediaEvent::MediaRemoval;
  state_.tray_open = true;
  return std::move(medium());
}

core::Result<> AtapiCdrom::insert(std::unique_ptr<core::BlockBackend> disc) {
  if (medium() != nullptr) return core::fail("there is a disc in the drive; eject it first");
  medium() = std::move(disc);
  tray_closed();
  return {};
}

void AtapiCdrom::tray_closed() {
  const bool disc = medium() != nullptr;
  state_.tray_open = false;
  state_.attention = disc;
  state_.event = disc ? MediaEvent::NewMedia : MediaEvent::NoChange;
}

// --- ATA commands ----------------------------------------------------------------------------------------------------

void AtapiCdrom::execute(std::uint8_t command) {
  regs().error = 0;
  become_idle(kReady);
  state_.sectors = 0;
  state_.packet = command == PACKET;
  switch (command) {
    case PACKET: return begin_packet();
    case IDENTIFY_PACKET_DEVICE: return identify();
    case SET_FEATURES: return set_features();
    case IDENTIFY_DEVICE:
    case READ_SECTORS:  // refused with the signature, so that drivers find out what this is [ATA6 8.15.5.2, 8.34.5.2]
      put_signature(kSignatureMid, kSignatureHigh, 0);
      return fail();
    case CHECK_POWER_MODE:
    case CHECK_POWER_MODE_OLD:
      regs().count[0] = kPowerActive;
      become_idle(kReady);
      return bus().raise_irq();
    case IDLE:
    case IDLE_IMMEDIATE:
    case STANDBY:
    case STANDBY_IMMEDIATE:
    case SLEEP: return bus().raise_irq();
    default: return fail();
  }
}

void AtapiCdrom::fail() {
  regs().error = ABRT;
  become_idle(kReady | ERR);
  bus().raise_irq();
}

void AtapiCdrom::finish() {
  regs().count[0] = CoD | IO;
  become_idle(kReady);
  bus().raise_irq();
}

void AtapiCdrom::identify() {
  IdentifyData data{};
  const auto words = [&data](unsigned first, unsigned count) {
    return std::span(data).subspan(std::size_t{2} * first, std::size_t{2} * count);
  };
  put_identify_word(data, 0, 0x85c0);  // ATAPI, CD-ROM, removable, DRQ within 50 us, packets of 12 bytes
  put_identify_text(words(10, 10), serial_);
  put_identify_text(words(23, 4), kFirmwareRevision);
  put_identify_text(words(27, 20), model_);
  put_identify_word(data, 48, 1);
  put_identify_word(data, 49, 0x0f00);  // IORDY, LBA, DMA
  put_identify_modes(data, state_.transfer_mode);
  put_identify_word(data, 80, 0x00f0);
  put_identify_word(data, 81, 0x0016);
  put_identify_word(data, 82, 0x4210);  // NOP, DEVICE RESET, PACKET
  put_identify_word(data, 83, 0x4000);
  put_identify_word(data, 84, 0x4000);
  put_identify_word(data, 85, 0x4210);
  put_identify_word(data, 87, 0x4000);
  if (bus().is_serial()) {
    put_identify_word(data, 76, 0x0006);  // 1.5 and 3 Gbit/s
  } else {
    put_identify_word(data, 93, 0x6001);
  }
  fill_buffer({data.begin(), data.end()});
  offer_block(kSectorSize, kReady);
  bus().raise_irq();
}

void AtapiCdrom::set_features() {
  const auto feature = regs().features[0];
  if (feature == kSetTransferMode) {
    if (!is_transfer_mode(regs().count[0])) return fail();
    state_.transfer_mode = regs().count[0];
  } else if (feature != kKeepDefaults && feature != kRevertToDefaults) {
    return fail();
  }
  bus().raise_irq();
}

void AtapiCdrom::begin_packet() {
  constexpr std::uint8_t kOverlapped = 2;
  auto& r = regs();
  if ((r.features[0] & kOverlapped) != 0) return fail();
  state_.dma = (r.features[0] & 1) != 0;
  state_.byte_limit = static_cast<std::uint16_t>((r.lba_high[0] << 8) | r.lba_mid[0]);
  r.count[0] = CoD;
  ask_for_block(kPacketBytes, kReady);  // no interrupt: IDENTIFY promises DRQ within 50 us
}

void AtapiCdrom::block_given() {
  Packet packet{};
  std::copy_n(buffer().begin(), std::min(buffer().size(), packet.size()), packet.begin());
  become_idle(kReady);
  run_packet(packet);
}

// --- data to the guest -----------------------------------------------------------------------------------------------

void AtapiCdrom::reply(Reply bytes, std::uint32_t allocation) {
  bytes.resize(std::min<std::size_t>(bytes.size(), allocation));
  if (bytes.empty()) return finish();
  fill_buffer(std::move(bytes));
  if (state_.dma) {
    wait_for_dma(kReady | DRQ);
  } else {
    offer_next();
  }
}

void AtapiCdrom::read(std::uint32_t lba, std::uint32_t sectors, bool raw) {
  if (!core::range_inside<std::uint64_t>(lba, sectors, disc_sectors())) {
    return check_condition(ILLEGAL_REQUEST, kAddressOutOfRange);
  }
  if (sectors == 0) return finish();
  state_.lba = lba;
  state_.sectors = sectors;
  state_.raw = raw;
  if (state_.dma) {
    wait_for_dma(kReady | DRQ);
  } else {
    fetch();
  }
}

// The disc may have been taken out, or exchanged, since the command began.
bool AtapiCdrom::still_readable() {
  const auto drive = view();
  if (drive.medium && core::range_inside<std::uint64_t>(state_.lba, state_.sectors, drive.sectors)) return true;
  check_condition(MEDIUM_ERROR, kUnrecoveredReadError);
  return false;
}

void AtapiCdrom::fetch() {
  if (!still_readable()) return;
  become_idle(kReady);
  const auto sectors = std::min(state_.sectors, kFetchSectors);
  auto request = std::make_shared<HostRequest>();
  request->buffer.resize(std::size_t{sectors} * kCdSectorSize);
  request->then = [this, sectors](HostRequest& done, bool succeeded) {
    if (!succeeded) return check_condition(MEDIUM_ERROR, kUnrecoveredReadError);
    fill_buffer(state_.raw ? with_headers(state_.lba, done.buffer) : std::move(done.buffer));
    state_.lba += sectors;
    state_.sectors -= sectors;
    offer_next();
  };
  const auto offset = std::uint64_t{state_.lba} * kCdSectorSize;
  bus().start(*backend(), core::BlockOp::Read, offset, std::move(request));
}

// The largest block the guest takes; whole sectors if it takes one. [ATA6 8.23.4]
std::uint32_t AtapiCdrom::block_limit() const {
  const std::uint32_t even = std::max<std::uint32_t>(state_.byte_limit & ~1U, 2);
  return !state_.raw && even > kCdSectorSize ? core::align_down(even, kCdSectorSize) : even;
}

void AtapiCdrom::offer_next() {
  const auto bytes = std::min(buffer_left(), block_limit());
  regs().count[0] = IO;
  regs().lba_mid[0] = static_cast<std::uint8_t>(bytes);
  regs().lba_high[0] = static_cast<std::uint8_t>(bytes >> 8);
  offer_block(bytes, kReady);
  bus().raise_irq();
}

void AtapiCdrom::block_taken() {
  if (buffer_left() > 0) return offer_next();
  if (!state_.packet) return become_idle(kReady);  // that was IDENTIFY PACKET DEVICE
  if (state_.sectors > 0) return fetch();
  finish();
}

void AtapiCdrom::run_dma() {
  if (!buffer().empty()) return dma_reply();
  if (still_readable()) dma_sectors();
}

void AtapiCdrom::dma_failed() {
  bus().dma().fail();
  check_condition(ABORTED_COMMAND, kDataPhaseError);
}

void AtapiCdrom::dma_reply() {
  core::GuestIoVector guest;
  const auto gathered = bus().dma().gather(core::align_up<std::uint64_t>(buffer().size(), 2), guest);
  if (gathered.table == DmaEngine::Table::Fault) return dma_failed();
  guest.write(0, std::span(buffer()).first(std::min<std::size_t>(buffer().size(), guest.size())));
  bus().dma().finish(gathered.longer);
  finish();
}

void AtapiCdrom::dma_sectors() {
  const auto sector_size = state_.raw ? kRawCdSectorSize : kCdSectorSize;
  auto request = std::make_shared<HostRequest>();
  const auto gathered = bus().dma().gather(std::uint64_t{state_.sectors} * sector_size, request->guest);
  if (gathered.table != DmaEngine::Table::Whole) return dma_failed();
  become_idle(kReady);
  if (state_.raw) {
    return dma_raw(std::make_shared<RawTransfer>(RawTransfer{std::move(request->guest), 0, gathered.longer}));
  }
  request->longer = gathered.longer;
  request->then = [this](HostRequest& done, bool succeeded) {
    state_.sectors = 0;
    if (!succeeded) {
      bus().dma().fail();
      return check_condition(MEDIUM_ERROR, kUnrecoveredReadError);
    }
    bus().dma().finish(done.longer);
    finish();
  };
  const auto offset = std::uint64_t{state_.lba} * kCdSectorSize;
  bus().start(*backend(), core::BlockOp::Read, offset, std::move(request));
}

void AtapiCdrom::dma_raw(std::shared_ptr<RawTransfer> transfer) {
  if (state_.sectors == 0) {
    bus().dma().finish(transfer->longer);
    return finish();
  }
  if (!still_readable()) return bus().dma().fail();
  const auto sectors = std::min(state_.sectors, kFetchSectors);
  auto request = std::make_shared<HostRequest>();
  request->buffer.resize(std::size_t{sectors} * kCdSectorSize);
  request->then = [this, sectors, transfer = std::move(transfer)](HostRequest& done, bool succeeded) {
    if (!succeeded) {
      bus().dma().fail();
      return check_condition(MEDIUM_ERROR, kUnrecoveredReadError);
    }
    const auto bytes = with_headers(state_.lba, done.buffer);
    transfer->guest.write(transfer->done, bytes);
    transfer->done += bytes.size();
    state_.lba += sectors;
    state_.sectors -= sectors;
    dma_raw(transfer);
  };
  const auto offset = std::uint64_t{state_.lba} * kCdSectorSize;
  bus().start(*backend(), core::BlockOp::Read, offset, std::move(request));
}

// --- state -----------------------------------------------------------------------------------------------------------

void AtapiCdrom::visit(core::StateVisitor& visitor) {
  IdeDrive::visit(visitor);
  visitor.field("sense_key", state_.sense.key);
  visitor.field("sense_code", state_.sense.code);
  visitor.field("attention", state_.attention);
  visitor.field("tray_open", state_.tray_open);
  visitor.field("locked", state_.locked);
  visitor.field("event", state_.event);
  visitor.field("transfer_mode", state_.transfer_mode);
  visitor.field("packet", state_.packet);
  visitor.field("dma", state_.dma);
  visitor.field("raw", state_.raw);
  visitor.field("byte_limit", state_.byte_limit);
  visitor.field("lba", state_.lba);
  visitor.field("sectors", state_.sectors);
}

bool AtapiCdrom::valid() const {
  if (!IdeDrive::valid() || state_.event > MediaEvent::MediaRemoval) return false;
  return phase() != Phase::DataOut || buffer().size() == kPacketBytes;
}

}  // namespace devices::block
