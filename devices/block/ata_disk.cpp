#include "devices/block/ata_disk.h"

#include <algorithm>
#include <utility>

#include "core/base/bits.h"
#include "devices/block/ide_abi.h"

namespace devices::block {

using namespace abi;

std::span<const AtaDisk::Row> AtaDisk::rows() {
  static constexpr Row kRows[] = {
      {&AtaDisk::succeed, RECALIBRATE, 0x1f},
      {&AtaDisk::read_pio, READ_SECTORS, READ_SECTORS_NO_RETRY},
      {&AtaDisk::read_pio, READ_SECTORS_EXT, READ_SECTORS_EXT, true},
      {&AtaDisk::read_dma, READ_DMA_EXT, READ_DMA_EXT, true},
      {&AtaDisk::native_max, READ_NATIVE_MAX_ADDRESS_EXT, READ_NATIVE_MAX_ADDRESS_EXT, true},
      {&AtaDisk::read_pio, READ_MULTIPLE_EXT, READ_MULTIPLE_EXT, true, true},
      {&AtaDisk::write_pio, WRITE_SECTORS, WRITE_SECTORS_NO_RETRY},
      {&AtaDisk::write_pio, WRITE_SECTORS_EXT, WRITE_SECTORS_EXT, true},
      {&AtaDisk::write_dma, WRITE_DMA_EXT, WRITE_DMA_EXT, true},
      {&AtaDisk::write_pio, WRITE_MULTIPLE_EXT, WRITE_MULTIPLE_EXT, true, true},
      {&AtaDisk::write_dma, WRITE_DMA_FUA_EXT, WRITE_DMA_FUA_EXT, true, false, true},
      {&AtaDisk::verify, READ_VERIFY_SECTORS, READ_VERIFY_SECTORS_NO_RETRY},
      {&AtaDisk::verify, READ_VERIFY_SECTORS_EXT, READ_VERIFY_SECTORS_EXT, true},
      {&AtaDisk::succeed, SEEK, 0x7f},
      {&AtaDisk::set_geometry, INITIALIZE_DEVICE_PARAMETERS, INITIALIZE_DEVICE_PARAMETERS},
      {&AtaDisk::flush, STANDBY_IMMEDIATE_OLD, STANDBY_IMMEDIATE_OLD},
      {&AtaDisk::succeed, IDLE_IMMEDIATE_OLD, IDLE_IMMEDIATE_OLD},
      {&AtaDisk::flush, STANDBY_OLD, STANDBY_OLD},
      {&AtaDisk::succeed, IDLE_OLD, IDLE_OLD},
      {&AtaDisk::check_power, CHECK_POWER_MODE_OLD, CHECK_POWER_MODE_OLD},
      {&AtaDisk::flush, SLEEP_OLD, SLEEP_OLD},
      {&AtaDisk::read_pio, READ_MULTIPLE, READ_MULTIPLE, false, true},
      {&AtaDisk::write_pio, WRITE_MULTIPLE, WRITE_MULTIPLE, false, true},
      {&AtaDisk::set_multiple, SET_MULTIPLE_MODE, SET_MULTIPLE_MODE},
      {&AtaDisk::read_dma, READ_DMA, READ_DMA_NO_RETRY},
      {&AtaDisk::write_dma, WRITE_DMA, WRITE_DMA_NO_RETRY},
      {&AtaDisk::write_pio, WRITE_MULTIPLE_FUA_EXT, WRITE_MULTIPLE_FUA_EXT, true, true, true},
      {&AtaDisk::flush, STANDBY_IMMEDIATE, STANDBY_IMMEDIATE},
      {&AtaDisk::succeed, IDLE_IMMEDIATE, IDLE_IMMEDIATE},
      {&AtaDisk::flush, STANDBY, STANDBY},
      {&AtaDisk::succeed, IDLE, IDLE},
      {&AtaDisk::check_power, CHECK_POWER_MODE, CHECK_POWER_MODE},
      {&AtaDisk::flush, SLEEP, SLEEP},
      {&AtaDisk::flush, FLUSH_CACHE, FLUSH_CACHE},
      {&AtaDisk::flush, FLUSH_CACHE_EXT, FLUSH_CACHE_EXT},
      {&AtaDisk::identify, IDENTIFY_DEVICE, IDENTIFY_DEVICE},
      {&AtaDisk::set_features, SET_FEATURES, SET_FEATURES},
      {&AtaDisk::native_max, READ_NATIVE_MAX_ADDRESS, READ_NATIVE_MAX_ADDRESS},
  };
  return kRows;
}

AtaDisk::AtaDisk(DriveBus& bus, std::unique_ptr<core::BlockBackend> backend, std::string model, std::string serial)
    : IdeDrive(bus, std::move(backend)),
      model_(std::move(model)),
      serial_(std::move(serial)),
      sectors_(std::min(this->backend()->size_bytes() / kSectorSize, kLba48Sectors)) {
  AtaDisk::power_on();
}

void AtaDisk::power_on() {
  state_ = {};
  reset_port();
  put_signature(0, 0, kReady);
}

// Settings survive a software reset, as after SET FEATURES "keep defaults"; drivers set them anew. [ATA6 8.46.12]
void AtaDisk::soft_reset() {
  state_.access = {};
  put_signature(0, 0, kReady);
}

void AtaDisk::execute(std::uint8_t command) {
  regs().error = 0;
  become_idle(kReady);
  const auto all = rows();
  const auto row =
      std::ranges::find_if(all, [command](const Row& r) { return command >= r.first && command <= r.last; });
  if (row == all.end()) return fail(ABRT);
  (this->*row->run)(*row);
}

// --- addresses -------------------------------------------------------------------------------------------------------

std::uint64_t AtaDisk::address48() const {
  const auto& r = regs();
  const auto part = [](const TaskFile::Pair& pair) { return pair[0] | (std::uint64_t{pair[1]} << 24); };
  return part(r.lba_low) | (part(r.lba_mid) << 8) | (part(r.lba_high) << 16);
}

std::optional<std::uint64_t> AtaDisk::address(Addressing addressing) const {
  const auto& r = regs();
  const std::uint64_t head = r.device & kHeadMask;
  const std::uint64_t low = r.lba_low[0] | (std::uint64_t{r.lba_mid[0]} << 8) | (std::uint64_t{r.lba_high[0]} << 16);
  switch (addressing) {
    case Addressing::Lba48: return address48();
    case Addressing::Lba28: return low | (head << 24);
    case Addressing::Chs: break;
  }
  const std::uint64_t cylinder = low >> 8;
  const unsigned sector = r.lba_low[0];
  if (sector == 0 || sector > state_.sectors_a_track || head >= state_.heads) return std::nullopt;
  return (cylinder * state_.heads + head) * state_.sectors_a_track + sector - 1;
}

void AtaDisk::show_address(std::uint64_t lba, Addressing addressing) {
  auto& r = regs();
  if (addressing == Addressing::Chs) {
    const auto track = lba / state_.sectors_a_track;
    r.lba_low[0] = static_cast<std::uint8_t>(lba % state_.sectors_a_track + 1);
    r.lba_mid[0] = static_cast<std::uint8_t>(track / state_.heads);
    r.lba_high[0] = static_cast<std::uint8_t>((track / state_.heads) >> 8);
    r.device = static_cast<std::uint8_t>((r.device & ~kHeadMask) | (track % state_.heads));
    return;
  }
  r.lba_low[0] = static_cast<std::uint8_t>(lba);
  r.lba_mid[0] = static_cast<std::uint8_t>(lba >> 8);
  r.lba_high[0] = static_cast<std::uint8_t>(lba >> 16);
  if (addressing == Addressing::Lba28) {
    r.device = static_cast<std::uint8_t>((r.device & ~kHeadMask) | ((lba >> 24) & kHeadMask));
    return;
  }
  r.lba_low[1] = static_cast<std::uint8_t>(lba >> 24);
  r.lba_mid[1] = static_cast<std::uint8_t>(lba >> 32);
  r.lba_high[1] = static_cast<std::uint8_t>(lba >> 40);
}

bool AtaDisk::begin(const Row& row, bool write) {
  auto& r = regs();
  Access access;
  access.addressing = row.ext ? Addressing::Lba48 : (r.device & LBA) != 0 ? Addressing::Lba28 : Addressing::Chs;
  access.sectors = row.ext ? (std::uint32_t{r.count[1]} << 8) | r.count[0] : r.count[0];
  if (access.sectors == 0) access.sectors = row.ext ? 0x10000 : 0x100;
  access.block = row.multiple ? state_.multiple : 1;
  access.write = write;
  access.to_medium = write && (row.fua || !state_.write_cache);
  if (access.block == 0 || (write && backend()->read_only())) {
    fail(ABRT);
    return false;
  }
  const auto lba = address(access.addressing);
  if (!lba || !core::range_inside<std::uint64_t>(*lba, access.sectors, sectors_)) {
    fail(IDNF);
    return false;
  }
  access.lba = *lba;
  state_.access = access;
  return true;
}

void AtaDisk::advance(std::uint32_t sectors) {
  auto& access = state_.access;
  access.lba += sectors;
  access.sectors -= sectors;
  show_address(access.sectors == 0 ? access.lba - 1 : access.lba, access.addressing);
  regs().count[0] = static_cast<std::uint8_t>(access.sectors);
  if (access.addressing == Addressing::Lba48) regs().count[1] = static_cast<std::uint8_t>(access.sectors >> 8);
}

// --- ends of commands ------------------------------------------------------------------------------------------------

void AtaDisk::finish() {
  become_idle(kReady);
  bus().raise_irq();
}

void AtaDisk::fail(std::uint8_t error, std::uint8_t status_bits) {
  regs().error = error;
  become_idle(static_cast<std::uint8_t>(kReady | ERR | status_bits));
  bus().raise_irq();
}

void AtaDisk::flush_then_finish() {
  auto request = std::make_shared<HostRequest>();
  request->then = [this](HostRequest&, bool succeeded) { succeeded ? finish() : fail(ABRT, DF); };
  bus().start(*backend(), core::BlockOp::Flush, 0, std::move(request));
}

void AtaDisk::end_write() {
  if (state_.access.to_medium) {
    flush_then_finish();
  } else {
    finish();
  }
}

// --- PIO -------------------------------------------------------------------------------------------------------------

void AtaDisk::identify(const Row&) {
  const auto data = ata_identify({.model = model_,
                                  .serial = serial_,
                                  .sectors = sectors_,
                                  .geometry = geometry(),
                                  .multiple = state_.multiple,
                                  .transfer_mode = state_.transfer_mode,
                                  .write_cache = state_.write_cache,
                                  .read_ahead = state_.read_ahead,
                                  .queue_depth = queue_depth()});
  offer_data({data.begin(), data.end()});
}

void AtaDisk::offer_data(std::vector<std::uint8_t> bytes) {
  const auto length = static_cast<std::uint32_t>(bytes.size());
  state_.access = {};
  fill_buffer(std::move(bytes));
  offer_block(length, kReady);
  bus().raise_irq();
}

void AtaDisk::read_pio(const Row& row) {
  if (begin(row, false)) fetch();
}

// Gets as much of the command's data as the buffer holds; the guest then takes it block by block without waiting.
void AtaDisk::fetch() {
  become_idle(kReady);
  const auto sectors = std::min(state_.access.sectors, kMaxBuffer / kSectorSize);
  auto request = std::make_shared<HostRequest>();
  request->buffer.resize(std::size_t{sectors} * kSectorSize);
  request->then = [this](HostRequest& done, bool succeeded) {
    if (!succeeded) return fail(UNC);
    fill_buffer(std::move(done.buffer));
    offer_next();
  };
  bus().start(*backend(), core::BlockOp::Read, state_.access.lba * kSectorSize, std::move(request));
}

void AtaDisk::offer_next() {
  offer_block(std::min(state_.access.block * kSectorSize, buffer_left()), kReady);
  bus().raise_irq();
}

void AtaDisk::block_taken() {
  auto& access = state_.access;
  if (access.sectors == 0) return become_idle(kReady);  // that was IDENTIFY, or a log
  advance(std::min<std::uint32_t>(access.block, access.sectors));
  if (access.sectors == 0) return become_idle(kReady);
  if (buffer_left() == 0) return fetch();
  offer_next();
}

void AtaDisk::write_pio(const Row& row) {
  if (begin(row, true)) ask_next();  // the first block is asked for without an interrupt [ATA6 9.6]
}

void AtaDisk::ask_next() {
  ask_for_block(std::min<std::uint32_t>(state_.access.block, state_.access.sectors) * kSectorSize, kReady);
}

void AtaDisk::block_given() {
  auto request = std::make_shared<HostRequest>();
  request->buffer = std::move(buffer());
  request->then = [this](HostRequest& done, bool succeeded) {
    if (!succeeded) return fail(ABRT, DF);
    advance(static_cast<std::uint32_t>(done.buffer.size() / kSectorSize));
    if (state_.access.sectors == 0) return end_write();
    ask_next();
    bus().raise_irq();
  };
  become_idle(kReady);
  bus().start(*backend(), core::BlockOp::Write, state_.access.lba * kSectorSize, std::move(request));
}

// --- DMA -------------------------------------------------------------------------------------------------------------

void AtaDisk::read_dma(const Row& row) {
  if (begin(row, false)) wait_for_dma(kReady | DRQ);
}

void AtaDisk::write_dma(const Row& row) {
  if (begin(row, true)) wait_for_dma(kReady | DRQ);
}

void AtaDisk::run_dma() {
  auto& access = state_.access;
  auto request = std::make_shared<HostRequest>();
  const auto gathered = bus().dma().gather(std::uint64_t{access.sectors} * kSectorSize, request->guest);
  if (gathered.table == DmaEngine::Table::Fault) {
    bus().dma().fail();
    return fail(ABRT);
  }
  if (gathered.table == DmaEngine::Table::TooShort) {
    // The engine stops, the drive never gets to interrupt. [BMIDE 2.2, interrupt and active both 0]
    bus().dma().finish(false);
    return become_idle(kReady);
  }
  request->longer = gathered.longer;
  request->then = [this](HostRequest& done, bool succeeded) {
    if (!succeeded) {
      bus().dma().fail();
      return state_.access.write ? fail(ABRT, DF) : fail(UNC);
    }
    bus().dma().finish(done.longer);
    advance(state_.access.sectors);
    end_write();
  };
  become_idle(kReady);
  const auto op = access.write ? core::BlockOp::Write : core::BlockOp::Read;
  bus().start(*backend(), op, access.lba * kSectorSize, std::move(request));
}

// --- commands without sectors ----------------------------------------------------------------------------------------

void AtaDisk::verify(const Row& row) {
  if (!begin(row, false)) return;
  advance(state_.access.sectors);
  finish();
}

// Also STANDBY and SLEEP: a disk that stops has emptied its cache. [ATA6 8.52]
void AtaDisk::flush(const Row&) {
  flush_then_finish();
}

void AtaDisk::set_features(const Row&) {
  switch (regs().features[0]) {
    case kEnableWriteCache: state_.write_cache = true; break;
    case kDisableWriteCache: state_.write_cache = false; return flush_then_finish();
    case kEnableReadAhead: state_.read_ahead = true; break;
    case kDisableReadAhead: state_.read_ahead = false; break;
    case kKeepDefaults:
    case kRevertToDefaults: break;
    case kSetTransferMode:
      if (!is_transfer_mode(regs().count[0])) return fail(ABRT);
      state_.transfer_mode = regs().count[0];
      break;
    default: return fail(ABRT);
  }
  finish();
}

void AtaDisk::set_multiple(const Row&) {
  const auto sectors = regs().count[0];
  if (sectors > kMaxMultiple || (sectors & (sectors - 1)) != 0) return fail(ABRT);
  state_.multiple = sectors;
  finish();
}

void AtaDisk::set_geometry(const Row&) {
  const auto sectors = regs().count[0];
  if (sectors == 0) return fail(ABRT);
  state_.heads = static_cast<std::uint8_t>((regs().device & kHeadMask) + 1);
  state_.sectors_a_track = sectors;
  finish();
}

void AtaDisk::native_max(const Row& row) {
  const auto reachable = row.ext ? sectors_ : std::min<std::uint64_t>(sectors_, kLba28Sectors);
  show_address(reachable - 1, row.ext ? Addressing::Lba48 : Addressing::Lba28);
  finish();
}

void AtaDisk::check_power(const Row&) {
  regs().count[0] = kPowerActive;
  finish();
}

void AtaDisk::succeed(const Row&) {
  finish();
}

Geometry AtaDisk::geometry() const {
  Geometry current{.heads = state_.heads, .sectors = state_.sectors_a_track};
  const std::uint64_t a_cylinder = std::uint64_t{current.heads} * current.sectors;
  const auto addressable = std::uint64_t{16383} * 16 * 63;
  current.cylinders =
      static_cast<std::uint16_t>(std::clamp<std::uint64_t>(std::min(sectors_, addressable) / a_cylinder, 1, 0xffff));
  return current;
}

// --- state -----------------------------------------------------------------------------------------------------------

void AtaDisk::visit(core::StateVisitor& visitor) {
  IdeDrive::visit(visitor);
  visitor.field("addressing", state_.access.addressing);
  visitor.field("lba", state_.access.lba);
  visitor.field("sectors", state_.access.sectors);
  visitor.field("block", state_.access.block);
  visitor.field("write", state_.access.write);
  visitor.field("to_medium", state_.access.to_medium);
  visitor.field("multiple", state_.multiple);
  visitor.field("heads", state_.heads);
  visitor.field("sectors_a_track", state_.sectors_a_track);
  visitor.field("transfer_mode", state_.transfer_mode);
  visitor.field("write_cache", state_.write_cache);
  visitor.field("read_ahead", state_.read_ahead);
}

bool AtaDisk::valid() const {
  const auto& access = state_.access;
  const auto is_block = [](unsigned n) { return n <= kMaxMultiple && (n & (n - 1)) == 0; };
  if (!IdeDrive::valid() || access.addressing > Addressing::Lba48) return false;
  if (access.sectors > 0x10000 || !core::range_inside<std::uint64_t>(access.lba, access.sectors, sectors_))
    return false;
  if (!is_block(access.block) || access.block == 0 || !is_block(state_.multiple)) return false;
  if (state_.heads == 0 || state_.heads > 16 || state_.sectors_a_track == 0) return false;
  if (access.write && backend()->read_only()) return false;
  // A block on its way in becomes a write of its size.
  const bool writes_block = phase() == Phase::DataOut;
  if (writes_block && buffer().size() != std::min<std::size_t>(access.block, access.sectors) * kSectorSize)
    return false;
  if (writes_block && (!access.write || access.sectors == 0)) return false;
  return phase() != Phase::Dma || access.sectors > 0;
}

}  // namespace devices::block
