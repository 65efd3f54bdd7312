// The guest's view of fw_cfg. [QEMU docs/specs/fw_cfg.rst; Linux include/uapi/linux/qemu_fw_cfg.h]
#pragma once

#include <cstdint>

#include "core/base/endian.h"

namespace firmware {

// Ports.
constexpr std::uint16_t kFwCfgSelectorPort = 0x510;  // write 16 bits: select an item, its offset becomes 0
constexpr std::uint16_t kFwCfgDataPort = 0x511;      // read 8 bits: the next byte of the item
constexpr std::uint16_t kFwCfgDmaPort = 0x514;       // big-endian 64-bit address of a FwCfgDmaAccess
constexpr unsigned kFwCfgRegisterBytes = 2;
constexpr unsigned kFwCfgDmaBytes = 8;
constexpr std::uint64_t kFwCfgDmaSignature = 0x51454d5520434647;  // "QEMU CFG", what the DMA port reads as

// Selectors of items.
enum class FwCfgKey : std::uint16_t {
  Signature = 0x00,
  Id = 0x01,
  Uuid = 0x02,
  RamSize = 0x03,
  NoGraphic = 0x04,
  CpuCount = 0x05,
  MachineId = 0x06,
  KernelAddress = 0x07,
  KernelSize = 0x08,
  KernelCommandLine = 0x09,
  InitrdAddress = 0x0a,
  InitrdSize = 0x0b,
  BootDevice = 0x0c,
  Numa = 0x0d,
  BootMenu = 0x0e,
  MaxCpus = 0x0f,
  KernelEntry = 0x10,
  KernelData = 0x11,
  InitrdData = 0x12,
  CommandLineAddress = 0x13,
  CommandLineSize = 0x14,
  CommandLineData = 0x15,
  SetupAddress = 0x16,
  SetupSize = 0x17,
  SetupData = 0x18,
  FileDirectory = 0x19,
  FileFirst = 0x20,
  AcpiTables = 0x8000,
  SmbiosEntries = 0x8001,
  Irq0Override = 0x8002,
  E820Table = 0x8003,
  Hpet = 0x8004,
  None = 0xffff,  // never assigned: reads as zeros without end
};

constexpr std::uint16_t kFwCfgWriteChannel = 0x4000;  // obsolete selector bit, ignored
constexpr std::uint16_t kFwCfgEntryMask = 0x3fff;

constexpr std::uint32_t kFwCfgIdTraditional = 1u << 0;
constexpr std::uint32_t kFwCfgIdDma = 1u << 1;

// FwCfgDmaAccess.control; the upper half is the key to select.
constexpr std::uint32_t kFwCfgDmaError = 1u << 0;
constexpr std::uint32_t kFwCfgDmaRead = 1u << 1;
constexpr std::uint32_t kFwCfgDmaSkip = 1u << 2;
constexpr std::uint32_t kFwCfgDmaSelect = 1u << 3;
constexpr std::uint32_t kFwCfgDmaWrite = 1u << 4;

struct FwCfgDmaAccess {
  core::be32 control;
  core::be32 length;
  core::be64 address;
};
static_assert(sizeof(FwCfgDmaAccess) == 16);

// The file directory is a be32 count and so many of these.
constexpr std::size_t kFwCfgFileNameBytes = 56;
struct FwCfgFile {
  core::be32 size;
  core::be16 select;
  core::be16 reserved;
  char name[kFwCfgFileNameBytes];
};
static_assert(sizeof(FwCfgFile) == 64);

}  // namespace firmware
