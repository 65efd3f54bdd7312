#include "firmware/smbios.h"

#include <algorithm>
#include <cstring>
#include <fmt/core.h>
#include <numeric>
#include <span>
#include <string_view>
#include <type_traits>

#include "core/base/endian.h"

namespace firmware {

namespace {

using core::le16;
using core::le32;

constexpr std::string_view kManufacturer = "minivmm";
constexpr std::uint16_t kMemoryArray = 0x1000;
constexpr std::uint16_t kFirstMemoryDevice = 0x1100;
constexpr std::uint16_t kFirstMemoryRange = 0x1300;
constexpr std::uint16_t kFirstProcessor = 0x0400;
constexpr std::uint64_t kMemoryDeviceBytes = std::uint64_t{16} << 30;  // as many as needed, of at most this size
constexpr std::size_t kMaxNameBytes = 64;                              // a string's recommended limit

// One structure: its formatted area, then its strings. [DSP0134 6.1]
class Structure {
 public:
  Structure(std::uint8_t type, std::uint16_t handle) { u8(type).u8(0).u16(handle); }

  Structure& u8(std::uint8_t value) { return integer(value); }
  Structure& u16(std::uint16_t value) { return integer(value); }
  Structure& u32(std::uint32_t value) { return integer(value); }
  Structure& u64(std::uint64_t value) { return integer(value); }
  Structure& bytes(std::span<const std::uint8_t> more) {
    formatted_.insert(formatted_.end(), more.begin(), more.end());
    return *this;
  }
  // The number of the string; none for an empty one.
  Structure& text(std::string_view value) {
    value = value.substr(0, std::min(value.size(), kMaxNameBytes));
    if (value.empty()) return u8(0);
    strings_.insert(strings_.end(), value.begin(), value.end());
    strings_.push_back(0);
    return u8(++string_count_);
  }

  std::vector<std::uint8_t> finish() const {
    auto all = formatted_;
    all[1] = static_cast<std::uint8_t>(formatted_.size());
    all.insert(all.end(), strings_.begin(), strings_.end());
    all.push_back(0);
    if (strings_.empty()) all.push_back(0);
    return all;
  }

 private:
  template <class T>
  Structure& integer(T value) {
    std::uint8_t raw[sizeof(T)];
    core::store_le<T>(raw, value);
    return bytes(raw);
  }

  std::vector<std::uint8_t> formatted_;
  std::vector<std::uint8_t> strings_;
  std::uint8_t string_count_ = 0;
};

class Tables {
 public:
  void add(const Structure& structure) {
    const auto bytes = structure.finish();
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    largest_ = std::max(largest_, bytes.size());
    ++count_;
  }

  const std::vector<std::uint8_t>& bytes() const { return bytes_; }
  std::size_t largest() const { return largest_; }
  std::size_t count() const { return count_; }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t largest_ = 0;
  std::size_t count_ = 0;
};

// [DSP0134 7.2.1] the first three fields are little-endian
Uuid wire_uuid(const Uuid& uuid) {
  auto wire = uuid;
  std::reverse(wire.begin(), wire.begin() + 4);
  std::reverse(wire.begin() + 4, wire.begin() + 6);
  std::reverse(wire.begin() + 6, wire.begin() + 8);
  return wire;
}

Structure system_information(const SmbiosConfig& config) {  // [DSP0134 7.2]
  constexpr std::uint8_t kPowerSwitch = 6;
  Structure s(1, 0x100);
  s.text(kManufacturer).text("i440FX PC").text("").text(config.name);
  s.bytes(wire_uuid(config.uuid)).u8(kPowerSwitch).text("").text("Virtual Machine");
  return s;
}

Structure chassis() {  // [DSP0134 7.4]
  constexpr std::uint8_t kOther = 1;
  constexpr std::uint8_t kSafe = 3;
  constexpr std::uint8_t kUnknown = 2;
  Structure s(3, 0x300);
  s.text(kManufacturer).u8(kOther).text("").text("").text("");
  s.u8(kSafe).u8(kSafe).u8(kSafe).u8(kUnknown).u32(0).u8(0).u8(0).u8(0).u8(0).text("");
  return s;
}

Structure processor(unsigned index) {  // [DSP0134 7.5]
  constexpr std::uint8_t kCentralProcessor = 3;
  constexpr std::uint8_t kOther = 1;
  constexpr std::uint8_t kPopulatedEnabled = 0x41;
  constexpr std::uint16_t kNoCache = 0xffff;
  constexpr std::uint16_t kUnknownCharacteristics = 1 << 1;
  Structure s(4, static_cast<std::uint16_t>(kFirstProcessor + index));
  s.text(fmt::format("CPU {}", index)).u8(kCentralProcessor).u8(kOther).text(kManufacturer);
  s.u64(0).text("").u8(0).u16(0).u16(0).u16(0);  // id, version, voltage, clocks
  s.u8(kPopulatedEnabled).u8(kOther).u16(kNoCache).u16(kNoCache).u16(kNoCache);
  s.text("").text("").text("").u8(1).u8(1).u8(1);  // one core, enabled, one thread
  s.u16(kUnknownCharacteristics).u16(kOther);
  return s;
}

Structure memory_array(std::uint64_t bytes, std::size_t devices) {  // [DSP0134 7.17]
  constexpr std::uint8_t kSystemBoard = 3;
  constexpr std::uint8_t kSystemMemory = 3;
  constexpr std::uint8_t kNoCorrection = 3;
  constexpr std::uint16_t kNoErrorHandle = 0xfffe;
  constexpr std::uint32_t kUseExtended = 0x80000000;
  const auto kib = bytes >> 10;
  const bool extended = kib >= kUseExtended;
  Structure s(16, kMemoryArray);
  s.u8(kSystemBoard).u8(kSystemMemory).u8(kNoCorrection);
  s.u32(extended ? kUseExtended : static_cast<std::uint32_t>(kib)).u16(kNoErrorHandle);
  s.u16(static_cast<std::uint16_t>(devices)).u64(extended ? bytes : 0);
  return s;
}

Structure memory_device(unsigned index, std::uint64_t bytes) {  // [DSP0134 7.18]
  constexpr std::uint16_t kNoErrorHandle = 0xfffe;
  constexpr std::uint16_t kUnknownWidth = 0xffff;
  constexpr std::uint8_t kDimm = 9;
  constexpr std::uint8_t kRam = 7;
  constexpr std::uint16_t kOther = 1 << 1;
  Structure s(17, static_cast<std::uint16_t>(kFirstMemoryDevice + index));
  s.u16(kMemoryArray).u16(kNoErrorHandle).u16(kUnknownWidth).u16(kUnknownWidth);
  s.u16(static_cast<std::uint16_t>(bytes >> 20)).u8(kDimm).u8(0);
  s.text(fmt::format("DIMM {}", index)).text("").u8(kRam).u16(kOther).u16(0);
  s.text(kManufacturer).text("").text("").text("").u8(0).u32(0).u16(0);
  s.u16(0).u16(0).u16(0);  // voltages: unknown
  return s;
}

Structure memory_range(unsigned index, std::uint64_t start, std::uint64_t bytes) {  // [DSP0134 7.20]
  constexpr std::uint32_t kUseExtended = 0xffffffff;
  const auto last = start + bytes - 1;
  const bool extended = (last >> 10) >= kUseExtended;
  Structure s(19, static_cast<std::uint16_t>(kFirstMemoryRange + index));
  s.u32(extended ? kUseExtended : static_cast<std::uint32_t>(start >> 10));
  s.u32(extended ? kUseExtended : static_cast<std::uint32_t>(last >> 10));
  s.u16(kMemoryArray).u8(1).u64(extended ? start : 0).u64(extended ? last : 0);
  return s;
}

// [DSP0134 5.2.1]
struct EntryPoint {
  char anchor[4] = {'_', 'S', 'M', '_'};
  std::uint8_t checksum = 0;
  std::uint8_t length = 31;
  std::uint8_t major = 2;
  std::uint8_t minor = 8;
  le16 largest;
  std::uint8_t revision = 0;
  std::uint8_t formatted[5] = {};
  char intermediate_anchor[5] = {'_', 'D', 'M', 'I', '_'};
  std::uint8_t intermediate_checksum = 0;
  le16 table_length;
  le32 table_address;  // the BIOS writes it, and mends the checksums
  le16 count;
  std::uint8_t bcd_revision = 0x28;
};
static_assert(sizeof(EntryPoint) == 31);
constexpr std::size_t kIntermediate = 16;

std::uint8_t negated_sum(std::span<const std::uint8_t> bytes) {
  return static_cast<std::uint8_t>(-std::accumulate(bytes.begin(), bytes.end(), 0));
}

std::vector<std::uint8_t> entry_point(const Tables& tables) {
  EntryPoint entry;
  entry.largest = static_cast<std::uint16_t>(tables.largest());
  entry.table_length = static_cast<std::uint16_t>(tables.bytes().size());
  entry.count = static_cast<std::uint16_t>(tables.count());
  std::vector<std::uint8_t> bytes(sizeof entry);
  std::memcpy(bytes.data(), &entry, sizeof entry);
  bytes[offsetof(EntryPoint, intermediate_checksum)] = negated_sum(std::span(bytes).subspan(kIntermediate));
  bytes[offsetof(EntryPoint, checksum)] = negated_sum(bytes);
  return bytes;
}

}  // namespace

SmbiosFiles build_smbios(const SmbiosConfig& config) {
  Tables tables;
  tables.add(system_information(config));
  tables.add(chassis());
  for (unsigned cpu = 0; cpu < config.cpus; ++cpu)
    tables.add(processor(cpu));

  const auto total = config.ram.below_4g + config.ram.above_4g;
  const auto devices = (total + kMemoryDeviceBytes - 1) / kMemoryDeviceBytes;
  tables.add(memory_array(total, devices));
  for (std::uint64_t index = 0; index < devices; ++index) {
    const auto rest = total - index * kMemoryDeviceBytes;
    tables.add(memory_device(static_cast<unsigned>(index), std::min(rest, kMemoryDeviceBytes)));
  }
  tables.add(memory_range(0, 0, config.ram.below_4g));
  if (config.ram.above_4g > 0) tables.add(memory_range(1, kFourGib, config.ram.above_4g));
  tables.add(Structure(32, 0x2000).bytes(std::array<std::uint8_t, 6>{}).u8(0));  // [DSP0134 7.33] no errors
  tables.add(Structure(127, 0x7f00));
  return {.anchor = entry_point(tables), .tables = tables.bytes()};
}

}  // namespace firmware
