#include "devices/block/ata_identify.h"

#include <algorithm>
#include <span>

#include "core/base/endian.h"
#include "devices/block/ahci_abi.h"
#include "devices/block/ide_abi.h"
#include "devices/block/ide_drive.h"

namespace devices::block {

using namespace abi;

namespace {

std::span<std::uint8_t> words(IdentifyData& data, unsigned first, unsigned count) {
  return std::span(data).subspan(2 * first, 2 * count);
}

void put_32(IdentifyData& data, unsigned index, std::uint64_t value) {
  put_identify_word(data, index, value & 0xffff);
  put_identify_word(data, index + 1, (value >> 16) & 0xffff);
}

void put_geometry(IdentifyData& data, const AtaIdentity& identity) {
  const auto native = default_geometry(identity.sectors);
  put_identify_word(data, 1, native.cylinders);
  put_identify_word(data, 3, native.heads);
  put_identify_word(data, 6, native.sectors);
  const auto& current = identity.geometry;
  put_identify_word(data, 54, current.cylinders);
  put_identify_word(data, 55, current.heads);
  put_identify_word(data, 56, current.sectors);
  put_32(data, 57, std::uint64_t{current.cylinders} * current.heads * current.sectors);
}

// Words 82-87: which feature sets there are, and which are on. [ATA6 tables 27]
void put_features(IdentifyData& data, const AtaIdentity& identity) {
  constexpr unsigned kPower = 1 << 3;
  constexpr unsigned kWriteCache = 1 << 5;
  constexpr unsigned kReadAhead = 1 << 6;
  constexpr unsigned kNop = 1 << 14;
  constexpr unsigned k48Bit = 1 << 10;
  constexpr unsigned kFlush = 1 << 12;
  constexpr unsigned kFlushExt = 1 << 13;
  constexpr unsigned kFua = 1 << 6;
  constexpr unsigned kValid = 1 << 14;
  put_identify_word(data, 82, kNop | kReadAhead | kWriteCache | kPower);
  put_identify_word(data, 83, kValid | kFlushExt | kFlush | k48Bit);
  put_identify_word(data, 84, kValid | kFua);
  put_identify_word(data, 85,
                    kNop | kPower | (identity.write_cache ? kWriteCache : 0) | (identity.read_ahead ? kReadAhead : 0));
  put_identify_word(data, 86, kFlushExt | kFlush | k48Bit);
  put_identify_word(data, 87, kValid | kFua);
}

// What SATA disks say of themselves, and the logs and TRIM that they have. [ACS3 7.12.7]
void put_serial_ata(IdentifyData& data, unsigned queue_depth) {
  constexpr unsigned kLogs = 1 << 5;
  constexpr unsigned kKeepsSettings = 1 << 6;
  put_identify_word(data, 48, 0x4000);  // no trusted computing
  put_identify_word(data, 75, queue_depth - 1);
  put_identify_word(data, 76, 0x0106);  // native command queuing, 1.5 and 3 Gbit/s
  put_identify_word(data, 78, kKeepsSettings);
  put_identify_word(data, 79, kKeepsSettings);
  put_identify_word(data, 80, 0x01f0);  // also ATA8-ACS
  for (const unsigned word : {84U, 87U})
    put_identify_word(data, word, core::load_le<std::uint16_t>(&data[std::size_t{2} * word]) | kLogs);
  put_identify_word(data, 93, 0);  // no cable to report on
  put_identify_word(data, 105, kMaxTrimBlocks);
  put_identify_word(data, 169, kTrim);
  put_identify_word(data, 222, 0x101f);  // serial, up to SATA 2.6
}

}  // namespace

Geometry default_geometry(std::uint64_t sectors) {
  Geometry geometry;
  const std::uint64_t a_cylinder = std::uint64_t{geometry.heads} * geometry.sectors;
  // 16383 tells that there is more than CHS can say.
  geometry.cylinders = static_cast<std::uint16_t>(std::clamp<std::uint64_t>(sectors / a_cylinder, 1, 16383));
  return geometry;
}

void put_identify_word(IdentifyData& data, unsigned index, unsigned value) {
  core::store_le(&data[std::size_t{2} * index], static_cast<std::uint16_t>(value));
}

void put_identify_modes(IdentifyData& data, std::uint8_t transfer_mode) {
  constexpr unsigned kMultiwordModes = (1 << (kBestMultiwordDma + 1)) - 1;
  constexpr unsigned kUltraModes = (1 << (kBestUltraDma + 1)) - 1;
  const unsigned chosen = 1U << (8 + (transfer_mode & 7));
  put_identify_word(data, 53, 7);  // words 54-58, 64-70 and 88 are valid
  put_identify_word(data, 63, kMultiwordModes | ((transfer_mode & 0xf8) == kMultiwordDma ? chosen : 0));
  put_identify_word(data, 64, 3);  // PIO modes 3 and 4
  for (unsigned word = 65; word <= 68; ++word)
    put_identify_word(data, word, 120);  // ns a cycle
  put_identify_word(data, 88, kUltraModes | ((transfer_mode & 0xf8) == kUltraDma ? chosen : 0));
}

bool is_transfer_mode(std::uint8_t mode) {
  const unsigned number = mode & 7;
  switch (mode & 0xf8) {
    case kPioDefault: return number <= 1;
    case kPioFlow: return number <= kBestPio;
    case kMultiwordDma: return number <= kBestMultiwordDma;
    case kUltraDma: return number <= kBestUltraDma;
    default: return false;
  }
}

IdentifyData ata_identify(const AtaIdentity& identity) {
  IdentifyData data{};
  put_identify_word(data, 0, 0x0040);  // a fixed ATA device
  put_geometry(data, identity);
  put_identify_text(words(data, 10, 10), identity.serial);
  put_identify_text(words(data, 23, 4), kFirmwareRevision);
  put_identify_text(words(data, 27, 20), identity.model);
  put_identify_word(data, 47, 0x8000 | kMaxMultiple);
  put_identify_word(data, 48, 1);       // 32-bit data port, as it was once defined
  put_identify_word(data, 49, 0x0f00);  // IORDY, LBA, DMA
  put_identify_word(data, 50, 0x4000);
  put_identify_word(data, 51, 0x0200);  // PIO mode 2 without flow control
  put_identify_word(data, 59, identity.multiple != 0 ? 0x100U | identity.multiple : 0);
  put_32(data, 60, std::min<std::uint64_t>(identity.sectors, kLba28Sectors));
  put_identify_modes(data, identity.transfer_mode);
  put_identify_word(data, 80, 0x00f0);  // ATA-4 to ATA/ATAPI-7
  put_identify_word(data, 81, 0x0016);
  put_features(data, identity);
  put_identify_word(data, 93, 0x6001);  // 80-conductor cable, device 0 passed
  put_32(data, 100, identity.sectors);
  put_32(data, 102, identity.sectors >> 32);
  if (identity.queue_depth != 0) put_serial_ata(data, identity.queue_depth);
  return data;
}

}  // namespace devices::block
