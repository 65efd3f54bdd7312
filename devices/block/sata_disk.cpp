#include "devices/block/sata_disk.h"

#include <numeric>
#include <utility>
#include <vector>

#include "core/base/bits.h"
#include "devices/block/ahci_abi.h"

namespace devices::block {

using namespace abi;

SataDisk::SataDisk(DriveBus& bus, std::unique_ptr<core::BlockBackend> backend, std::string model, std::string serial)
    : AtaDisk(bus, std::move(backend), std::move(model), std::move(serial)) {}

void SataDisk::power_on() {
  queue_error_ = {};
  AtaDisk::power_on();
}

void SataDisk::soft_reset() {
  queue_error_ = {};
  AtaDisk::soft_reset();
}

void SataDisk::execute(std::uint8_t command) {
  regs().error = 0;
  become_idle(kReady);
  const bool reads_error = command == READ_LOG_EXT && regs().lba_low[0] == kQueuedErrorLog;
  if (queue_error_.pending && !reads_error) return fail(ABRT);
  if (command == READ_LOG_EXT) return read_log();
  if (command == DATA_SET_MANAGEMENT) return trim();
  AtaDisk::execute(command);
}

// --- queued commands -------------------------------------------------------------------------------------------------

bool SataDisk::is_queued(std::uint8_t command) {
  return command == READ_FPDMA_QUEUED || command == WRITE_FPDMA_QUEUED;
}

std::optional<SataDisk::Access> SataDisk::begin_queued(std::uint8_t command, unsigned tag) {
  const auto& r = regs();
  Access access;
  access.lba = address48();
  access.sectors = (std::uint32_t{r.features[1]} << 8) | r.features[0];
  if (access.sectors == 0) access.sectors = 0x10000;
  access.write = command == WRITE_FPDMA_QUEUED;
  access.to_medium = access.write && ((r.device & kForceUnitAccess) != 0 || !write_cache());
  regs().error = 0;
  regs().status = kReady;
  // A host adapter gives each slot's commands the slot's own tag. [AHCI 5.6.4.1]
  const bool proper = r.count[0] >> kTagShift == tag && (r.device & LBA) != 0 && !queue_error_.pending;
  if (!proper || (access.write && backend()->read_only())) {
    note_error(tag, ABRT, 0, access.lba);
    return std::nullopt;
  }
  if (!core::range_inside<std::uint64_t>(access.lba, access.sectors, sectors())) {
    note_error(tag, IDNF, 0, access.lba);
    return std::nullopt;
  }
  return access;
}

void SataDisk::fail_queued(unsigned tag, const Access& access) {
  access.write ? note_error(tag, ABRT, DF, access.lba) : note_error(tag, UNC, 0, access.lba);
}

void SataDisk::note_error(unsigned tag, std::uint8_t error, std::uint8_t status_bits, std::uint64_t lba) {
  auto& r = regs();
  r.error = error;
  r.status = static_cast<std::uint8_t>(kReady | ERR | status_bits);
  if (queue_error_.pending) return;  // the first one is what the log is about
  queue_error_ = {.pending = true,
                  .tag = static_cast<std::uint8_t>(tag),
                  .status = r.status,
                  .error = r.error,
                  .lba = lba,
                  .count = static_cast<std::uint16_t>(tag << kTagShift),
                  .device = LBA};
}

// --- logs ------------------------------------------------------------------------------------------------------------

// [ACS3 7.22] one page of the directory or of the log of queued errors
void SataDisk::read_log() {
  const auto& r = regs();
  const bool first_page = r.lba_mid[0] == 0 && r.lba_mid[1] == 0 && r.count[0] == 1 && r.count[1] == 0;
  const auto log = r.lba_low[0];
  if (!first_page || (log != kLogDirectory && log != kQueuedErrorLog)) return fail(ABRT);
  std::vector<std::uint8_t> page(kSectorSize);
  if (log == kLogDirectory) {
    core::store_le<std::uint16_t>(&page[0], 1);                                 // version
    core::store_le<std::uint16_t>(&page[std::size_t{2} * kQueuedErrorLog], 1);  // pages
    return offer_data(std::move(page));
  }
  constexpr std::uint8_t kNotQueued = 0x80;
  const auto& e = queue_error_;
  page[0] = e.pending ? e.tag : kNotQueued;
  page[2] = e.status;
  page[3] = e.error;
  for (unsigned i = 0; i < 3; ++i) {
    page[4 + i] = static_cast<std::uint8_t>(e.lba >> (8 * i));
    page[8 + i] = static_cast<std::uint8_t>(e.lba >> (8 * (i + 3)));
  }
  page[7] = e.device;
  core::store_le(&page[12], e.count);
  page.back() = static_cast<std::uint8_t>(-std::accumulate(page.begin(), page.end(), 0U));  // all bytes add up to zero
  queue_error_ = {};
  offer_data(std::move(page));
}

// --- TRIM ------------------------------------------------------------------------------------------------------------

// [ACS3 7.5.3] All ranges are checked before the first is given back.
void SataDisk::trim() {
  const auto blocks = (std::uint32_t{regs().count[1]} << 8) | regs().count[0];
  const bool proper = (regs().features[0] & kTrim) != 0 && blocks > 0 && blocks <= kMaxTrimBlocks;
  if (!proper || backend()->read_only()) return fail(ABRT);
  core::GuestIoVector guest;
  bus().dma().gather(std::uint64_t{blocks} * kSectorSize, guest);
  std::vector<std::uint8_t> bytes(std::size_t{blocks} * kSectorSize);
  if (!guest.read(0, bytes)) return fail(ABRT);
  auto ranges = std::make_shared<std::vector<Range>>();
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    const auto entry = core::load_le<std::uint64_t>(&bytes[at]);
    const Range range{core::bits(entry, 0, kTrimAddressBits), static_cast<std::uint32_t>(entry >> kTrimAddressBits)};
    if (range.sectors == 0) continue;
    if (!core::range_inside<std::uint64_t>(range.lba, range.sectors, sectors())) return fail(IDNF);
    ranges->push_back(range);
  }
  discard(std::move(ranges));
}

// The last of the ranges, and when that is done the others.
void SataDisk::discard(std::shared_ptr<std::vector<Range>> ranges) {
  if (ranges->empty()) return finish();
  const auto range = ranges->back();
  ranges->pop_back();
  auto request = std::make_shared<HostRequest>();
  request->range = std::uint64_t{range.sectors} * kSectorSize;
  request->then = [this, ranges = std::move(ranges)](HostRequest&, bool succeeded) {
    succeeded ? discard(ranges) : fail(ABRT, DF);
  };
  bus().start(*backend(), core::BlockOp::Discard, range.lba * kSectorSize, std::move(request));
}

// --- state -----------------------------------------------------------------------------------------------------------

void SataDisk::visit(core::StateVisitor& visitor) {
  AtaDisk::visit(visitor);
  visitor.field("error_pending", queue_error_.pending);
  visitor.field("error_tag", queue_error_.tag);
  visitor.field("error_status", queue_error_.status);
  visitor.field("error_code", queue_error_.error);
  visitor.field("error_lba", queue_error_.lba);
  visitor.field("error_count", queue_error_.count);
  visitor.field("error_device", queue_error_.device);
}

bool SataDisk::valid() const {
  return AtaDisk::valid() && queue_error_.tag < kQueueDepth;
}

}  // namespace devices::block
