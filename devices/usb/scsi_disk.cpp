#include "devices/usb/scsi_disk.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace devices::usb {

using namespace abi::scsi;

namespace {

constexpr std::string_view kVendor = "MINIVMM ";
constexpr std::string_view kProduct = "USB DISK        ";
constexpr std::string_view kRevision = "1.0 ";

std::uint64_t number(std::span<const std::uint8_t> cdb, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i)
    value = (value << 8) | cdb[at + i];
  return value;
}

void add(std::vector<std::uint8_t>& bytes, std::uint64_t value, unsigned width) {
  for (unsigned i = width; i > 0; --i)
    bytes.push_back(static_cast<std::uint8_t>(value >> (8 * (i - 1))));
}

}  // namespace

ScsiDisk::ScsiDisk(const core::BlockBackend& backend, std::string serial)
    : backend_(backend), blocks_(backend.size_bytes() / kBlock), serial_(std::move(serial)) {}

void ScsiDisk::visit(core::StateVisitor& visitor) {
  visitor.field("sense_key", sense_.key);
  visitor.field("sense_code", sense_.code);
}

ScsiDisk::Plan ScsiDisk::fail(Sense sense) {
  sense_ = {sense.key, sense.code};
  return {};
}

void ScsiDisk::note_failure(Action action) {
  fail(action == Action::Read ? kUnrecoveredRead : kWriteError);
}

ScsiDisk::Plan ScsiDisk::reply(Bytes bytes, std::size_t allocated) {
  bytes.resize(std::min(bytes.size(), allocated));
  return {.action = Action::Reply, .reply = std::move(bytes)};
}

ScsiDisk::Plan ScsiDisk::begin(std::span<const std::uint8_t> given) {
  std::array<std::uint8_t, kLongestCdb> cdb{};
  std::copy_n(given.begin(), std::min(given.size(), cdb.size()), cdb.begin());
  if (cdb[0] == REQUEST_SENSE) return sense_reply(cdb[4]);
  sense_ = {};
  if (auto plan = access_command(cdb)) return std::move(*plan);
  if (auto plan = reply_command(cdb)) return std::move(*plan);
  switch (cdb[0]) {
    case TEST_UNIT_READY:
    case START_STOP_UNIT:
    case PREVENT_ALLOW_MEDIUM_REMOVAL: return {.action = Action::Nothing};
    case VERIFY_10:
      if ((cdb[1] & 2) != 0) return fail(kInvalidField);  // BYTCHK: with data to compare
      return {.action = Action::Nothing};
    case SYNCHRONIZE_CACHE_10:
    case SYNCHRONIZE_CACHE_16: return {.action = Action::Flush};
    default: return fail(kInvalidCommand);
  }
}

std::optional<ScsiDisk::Plan> ScsiDisk::access_command(std::span<const std::uint8_t> cdb) {
  switch (cdb[0]) {
    case READ_6:
    case WRITE_6: {
      const auto count = cdb[4] != 0 ? cdb[4] : 256U;  // [SBC 5.7]
      return access(number(cdb, 1, 3) & 0x1f'ffff, count, cdb[0] == WRITE_6);
    }
    case READ_10:
    case WRITE_10: return access(number(cdb, 2, 4), number(cdb, 7, 2), cdb[0] == WRITE_10);
    case READ_12:
    case WRITE_12: return access(number(cdb, 2, 4), number(cdb, 6, 4), cdb[0] == WRITE_12);
    case READ_16:
    case WRITE_16: return access(number(cdb, 2, 8), number(cdb, 10, 4), cdb[0] == WRITE_16);
    default: return std::nullopt;
  }
}

ScsiDisk::Plan ScsiDisk::access(std::uint64_t block, std::uint64_t count, bool write) {
  if (block > blocks_ || count > blocks_ - block) return fail(kOutOfRange);
  if (write && backend_.read_only()) return fail(kWriteProtected);
  if (count == 0) return {.action = Action::Nothing};
  return {.action = write ? Action::Write : Action::Read, .offset = block * kBlock, .bytes = count * kBlock};
}

std::optional<ScsiDisk::Plan> ScsiDisk::reply_command(std::span<const std::uint8_t> cdb) {
  switch (cdb[0]) {
    case INQUIRY: return inquiry(cdb);
    case MODE_SENSE_6:
    case MODE_SENSE_10: return mode_sense(cdb);
    case READ_CAPACITY_10: return reply(capacity_10(), SIZE_MAX);
    case READ_FORMAT_CAPACITIES: return reply(format_capacities(), number(cdb, 7, 2));
    case SERVICE_ACTION_IN_16: return capacity_16(cdb);
    case REPORT_LUNS: {  // [SPC 6.21] one, number 0
      Bytes bytes;
      add(bytes, 8, 4);
      bytes.resize(16);
      return reply(std::move(bytes), number(cdb, 6, 4));
    }
    default: return std::nullopt;
  }
}

// [SPC 4.5.3] fixed format; telling it ends it
ScsiDisk::Plan ScsiDisk::sense_reply(std::size_t allocated) {
  Bytes bytes(18);
  bytes[0] = 0x70;
  bytes[2] = sense_.key;
  bytes[7] = 10;
  bytes[12] = static_cast<std::uint8_t>(sense_.code >> 8);
  bytes[13] = static_cast<std::uint8_t>(sense_.code);
  sense_ = {};
  return reply(std::move(bytes), allocated);
}

// [SPC 6.4]
ScsiDisk::Plan ScsiDisk::inquiry(std::span<const std::uint8_t> cdb) {
  const auto allocated = number(cdb, 3, 2);
  if ((cdb[1] & 1) != 0) {
    auto page = vital_page(cdb[2]);
    return page ? reply(std::move(*page), allocated) : fail(kInvalidField);
  }
  if (cdb[2] != 0) return fail(kInvalidField);
  Bytes bytes{0x00, 0x00, 0x05, 0x02, 31, 0, 0, 0};  // a disk of SPC-3
  for (const auto text : {kVendor, kProduct, kRevision})
    bytes.insert(bytes.end(), text.begin(), text.end());
  return reply(std::move(bytes), allocated);
}

// [SPC 7.6]
std::optional<ScsiDisk::Bytes> ScsiDisk::vital_page(std::uint8_t page) const {
  Bytes content;
  switch (page) {
    case 0x00: content = {0x00, 0x80, 0x83}; break;
    case 0x80: content.assign(serial_.begin(), serial_.end()); break;
    case 0x83: {  // one designator: ASCII, by vendor
      const auto length = static_cast<std::uint8_t>(kVendor.size() + serial_.size());
      content = {0x02, 0x01, 0x00, length};
      content.insert(content.end(), kVendor.begin(), kVendor.end());
      content.insert(content.end(), serial_.begin(), serial_.end());
      break;
    }
    default: return std::nullopt;
  }
  Bytes bytes{0x00, page, 0x00, static_cast<std::uint8_t>(content.size())};
  bytes.insert(bytes.end(), content.begin(), content.end());
  return bytes;
}

// [SPC 6.9, 6.10] without block descriptors
ScsiDisk::Plan ScsiDisk::mode_sense(std::span<const std::uint8_t> cdb) {
  const auto page = cdb[2] & 0x3fU;
  const bool is_short = cdb[0] == MODE_SENSE_6;
  if (page != kCachingPage && page != kAllPages) return fail(kInvalidField);
  constexpr std::uint8_t kCachingBytes = 18;
  Bytes pages{kCachingPage, kCachingBytes, 0x04};  // WCE
  pages.resize(2 + kCachingBytes);
  if (cdb[2] >> 6 == 1) pages[2] = 0;  // what may be changed: nothing
  const auto protection = static_cast<std::uint8_t>(backend_.read_only() ? 0x80 : 0x00);
  Bytes bytes;
  if (is_short) {
    bytes = {static_cast<std::uint8_t>(3 + pages.size()), 0, protection, 0};
  } else {
    bytes = {0, static_cast<std::uint8_t>(6 + pages.size()), 0, protection, 0, 0, 0, 0};
  }
  bytes.insert(bytes.end(), pages.begin(), pages.end());
  return reply(std::move(bytes), is_short ? cdb[4] : number(cdb, 7, 2));
}

// [SBC 5.12]
ScsiDisk::Bytes ScsiDisk::capacity_10() const {
  Bytes bytes;
  add(bytes, std::min<std::uint64_t>(blocks_ - (blocks_ > 0 ? 1 : 0), 0xffff'ffff), 4);
  add(bytes, kBlock, 4);
  return bytes;
}

// [SBC 5.13]
ScsiDisk::Plan ScsiDisk::capacity_16(std::span<const std::uint8_t> cdb) {
  if ((cdb[1] & 0x1f) != READ_CAPACITY_16) return fail(kInvalidField);
  Bytes bytes;
  add(bytes, blocks_ - (blocks_ > 0 ? 1 : 0), 8);
  add(bytes, kBlock, 4);
  bytes.resize(32);
  return reply(std::move(bytes), number(cdb, 10, 4));
}

ScsiDisk::Bytes ScsiDisk::format_capacities() const {
  Bytes bytes{0, 0, 0, 8};
  add(bytes, std::min<std::uint64_t>(blocks_, 0xffff'ffff), 4);
  bytes.push_back(2);  // formatted
  add(bytes, kBlock, 3);
  return bytes;
}

}  // namespace devices::usb
