// How a kernel gets into memory and starts: fw_cfg items to places, then an entry. The boot ROM carries it out.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "firmware/fw_cfg_abi.h"

namespace firmware {

// `length` bytes of item `key` from `offset` on, to physical `address`; zeros where the item has ended.
struct BootLoad {
  FwCfgKey key = FwCfgKey::None;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  std::uint32_t address = 0;
};

struct BootEntry {
  bool protected_mode = false;  // flat 32-bit, paging off; else real mode
  std::uint32_t address = 0;    // linear, or segment << 16 | offset in real mode
  // Protected mode: registers.
  std::uint32_t eax = 0;
  std::uint32_t ebx = 0;
  std::uint32_t esi = 0;
  // Real mode: stack; all data segments equal ss.
  std::uint16_t ss = 0;
  std::uint16_t sp = 0;
};

// The BIOS's memory map (int 15h, E820h) as 24-byte entries into a segment that a load has filled.
struct BootMap {
  std::uint16_t segment = 0;
  std::uint16_t offset = 0;        // of the first entry
  std::uint16_t gap = 0;           // bytes of an entry before the map's 20
  std::uint16_t capacity = 0;      // bytes
  std::uint16_t count_offset = 0;  // of a 32-bit field that receives the size
  std::uint16_t count_unit = 0;    // bytes that count as one
};

struct BootPlan {
  std::vector<BootLoad> loads;
  BootEntry entry;
  std::optional<BootMap> map;
};

constexpr std::uint32_t kBootMapEntryBytes = 24;

}  // namespace firmware
