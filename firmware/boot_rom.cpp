#include "firmware/boot_rom.h"

#include <cstring>
#include <numeric>
#include <span>

#include "core/base/assert.h"
#include "core/base/bits.h"
#include "core/base/endian.h"
#include "firmware/embedded.h"

namespace firmware {

namespace {

using core::le16;
using core::le32;

// Offsets in boot.s.
constexpr std::size_t kSizeOffset = 2;
constexpr std::size_t kPnpHeader = 0x20;
constexpr std::size_t kPnpHeaderBytes = 32;
constexpr std::size_t kPnpChecksum = 0x29;
constexpr std::uint16_t kResetEntry = 0x40;

constexpr std::size_t kRomUnit = 512;
constexpr std::size_t kMaxRom = 16 << 10;  // a plan of 900 descriptors; the kernel's own cap lies lower
constexpr std::size_t kBiosBytes = 64 << 10;
constexpr std::size_t kResetVector = 0xfff0;

// The head of a plan, as boot.s has it.
struct BootPlanHeader {
  le16 loads;
  le16 flags;
  le32 entry;
  le32 eax;
  le32 ebx;
  le32 esi;
  le16 ss;
  le16 sp;
  le16 map_segment;
  le16 map_offset;
  le16 map_gap;
  le16 map_capacity;
  le16 map_count_offset;
  le16 map_count_unit;
};
static_assert(sizeof(BootPlanHeader) == 36);
constexpr std::uint16_t kFlagProtected = 1;
constexpr std::uint16_t kFlagVirtualWire = 2;

template <class T>
void append(std::vector<std::uint8_t>& rom, const T& object) {
  const auto at = rom.size();
  rom.resize(at + sizeof object);
  std::memcpy(rom.data() + at, &object, sizeof object);
}

FwCfgDmaAccess access(std::uint32_t command, FwCfgKey key, std::uint32_t length, std::uint32_t address) {
  return {.control = command | kFwCfgDmaSelect | (static_cast<std::uint32_t>(key) << 16),
          .length = length,
          .address = address};
}

std::vector<FwCfgDmaAccess> descriptors(const BootPlan& plan) {
  std::vector<FwCfgDmaAccess> list;
  for (const auto& load : plan.loads) {
    if (load.offset == 0) {
      list.push_back(access(kFwCfgDmaRead, load.key, load.length, load.address));
      continue;
    }
    list.push_back(access(kFwCfgDmaSkip, load.key, load.offset, 0));
    list.push_back({.control = kFwCfgDmaRead, .length = load.length, .address = std::uint64_t{load.address}});
  }
  return list;
}

std::vector<std::uint8_t> code_and_plan(const BootPlan& plan, std::uint16_t flags) {
  const auto code = embedded::boot_rom();
  std::vector<std::uint8_t> rom(code.begin(), code.end());
  const auto list = descriptors(plan);
  const auto map = plan.map.value_or(BootMap{});
  if (plan.entry.protected_mode) flags |= kFlagProtected;
  append(rom, BootPlanHeader{.loads = static_cast<std::uint16_t>(list.size()),
                             .flags = flags,
                             .entry = plan.entry.address,
                             .eax = plan.entry.eax,
                             .ebx = plan.entry.ebx,
                             .esi = plan.entry.esi,
                             .ss = plan.entry.ss,
                             .sp = plan.entry.sp,
                             .map_segment = map.segment,
                             .map_offset = map.offset,
                             .map_gap = map.gap,
                             .map_capacity = map.capacity,
                             .map_count_offset = map.count_offset,
                             .map_count_unit = map.count_unit});
  for (const auto& descriptor : list)
    append(rom, descriptor);
  MV_ASSERT(!list.empty() && rom.size() <= kMaxRom, "kernels have few segments");
  return rom;
}

// Makes `bytes` sum up to zero by the byte at `at`.
void balance(std::span<std::uint8_t> bytes, std::uint8_t& at) {
  at = static_cast<std::uint8_t>(at - std::accumulate(bytes.begin(), bytes.end(), 0));
}

}  // namespace

std::vector<std::uint8_t> boot_option_rom(const BootPlan& plan) {
  auto rom = code_and_plan(plan, 0);
  rom.resize(core::align_up(rom.size() + 1, kRomUnit));  // the last byte makes the sum right
  rom[kSizeOffset] = static_cast<std::uint8_t>(rom.size() / kRomUnit);
  balance(std::span(rom).subspan(kPnpHeader, kPnpHeaderBytes), rom[kPnpChecksum]);
  balance(rom, rom.back());
  return rom;
}

std::vector<std::uint8_t> boot_bios(const BootPlan& plan) {
  MV_ASSERT(plan.entry.protected_mode && !plan.map, "nobody answers interrupts in a machine without BIOS");
  auto bios = code_and_plan(plan, kFlagVirtualWire);
  bios.resize(kBiosBytes);
  constexpr std::uint8_t kFarJump = 0xea;
  const std::uint8_t jump[] = {kFarJump, kResetEntry & 0xff, kResetEntry >> 8, 0x00, 0xf0};  // to F000:0040
  std::memcpy(bios.data() + kResetVector, jump, sizeof jump);
  return bios;
}

}  // namespace firmware
