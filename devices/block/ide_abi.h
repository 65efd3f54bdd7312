// What guests see of the PIIX3's IDE function, ATA disks and ATAPI CD-ROM drives. Names as in
//   [PIIX3] Intel 82371SB data sheet 290550-002     [BMIDE] Programming Interface for Bus Master IDE Controller 1.0
//   [ATA6]  T13/1410D revision 3b                   [ATAPI] SFF-8020i revision 2.6
//   [MMC5]  T10/1675D revision 4                    [SPC3]  T10/1416D revision 23
#pragma once

#include <cstdint>

#include "core/base/endian.h"

namespace devices::block::abi {

// [PIIX3 2.2] compatibility ports and interrupts.
constexpr std::uint64_t kPrimaryCommand = 0x1f0;
constexpr std::uint64_t kPrimaryControl = 0x3f6;
constexpr std::uint64_t kSecondaryCommand = 0x170;
constexpr std::uint64_t kSecondaryControl = 0x376;

// [ATA6 7] command block registers, by offset.
enum Reg : unsigned {
  DATA = 0,
  ERROR = 1,  // read; written it is Features
  SECTOR_COUNT = 2,
  LBA_LOW = 3,
  LBA_MID = 4,
  LBA_HIGH = 5,
  DEVICE = 6,
  STATUS = 7,  // read; written it is Command
};

// [ATA6 7.15] Status
constexpr std::uint8_t BSY = 0x80;
constexpr std::uint8_t DRDY = 0x40;
constexpr std::uint8_t DF = 0x20;
constexpr std::uint8_t DSC = 0x10;  // seek complete; SERV for packet devices
constexpr std::uint8_t DRQ = 0x08;
constexpr std::uint8_t ERR = 0x01;  // CHK for packet devices

// [ATA6 7.9] Error
constexpr std::uint8_t UNC = 0x40;
constexpr std::uint8_t IDNF = 0x10;
constexpr std::uint8_t ABRT = 0x04;
constexpr std::uint8_t kDiagnosticPassed = 0x01;  // [ATA6 9.16, table 26]

// [ATA6 7.8] Device Control
constexpr std::uint8_t HOB = 0x80;
constexpr std::uint8_t SRST = 0x04;
constexpr std::uint8_t nIEN = 0x02;

// [ATA6 7.10] Device
constexpr std::uint8_t kDeviceObsolete = 0xa0;  // read as ones
constexpr std::uint8_t LBA = 0x40;
constexpr std::uint8_t DEV = 0x10;
constexpr std::uint8_t kHeadMask = 0x0f;

// [ATA6 7.11] Interrupt Reason: the Sector Count register of packet commands.
constexpr std::uint8_t CoD = 0x01;  // command, not data
constexpr std::uint8_t IO = 0x02;   // to the host

// [ATA6 8 and annex A] commands
constexpr std::uint8_t NOP = 0x00;
constexpr std::uint8_t DEVICE_RESET = 0x08;
constexpr std::uint8_t RECALIBRATE = 0x10;
constexpr std::uint8_t READ_SECTORS = 0x20;
constexpr std::uint8_t READ_SECTORS_NO_RETRY = 0x21;
constexpr std::uint8_t READ_SECTORS_EXT = 0x24;
constexpr std::uint8_t READ_DMA_EXT = 0x25;
constexpr std::uint8_t READ_NATIVE_MAX_ADDRESS_EXT = 0x27;
constexpr std::uint8_t READ_MULTIPLE_EXT = 0x29;
constexpr std::uint8_t WRITE_SECTORS = 0x30;
constexpr std::uint8_t WRITE_SECTORS_NO_RETRY = 0x31;
constexpr std::uint8_t WRITE_SECTORS_EXT = 0x34;
constexpr std::uint8_t WRITE_DMA_EXT = 0x35;
constexpr std::uint8_t WRITE_MULTIPLE_EXT = 0x39;
constexpr std::uint8_t WRITE_DMA_FUA_EXT = 0x3d;
constexpr std::uint8_t READ_VERIFY_SECTORS = 0x40;
constexpr std::uint8_t READ_VERIFY_SECTORS_NO_RETRY = 0x41;
constexpr std::uint8_t READ_VERIFY_SECTORS_EXT = 0x42;
constexpr std::uint8_t SEEK = 0x70;
constexpr std::uint8_t EXECUTE_DEVICE_DIAGNOSTIC = 0x90;
constexpr std::uint8_t INITIALIZE_DEVICE_PARAMETERS = 0x91;
constexpr std::uint8_t PACKET = 0xa0;
constexpr std::uint8_t IDENTIFY_PACKET_DEVICE = 0xa1;
constexpr std::uint8_t READ_MULTIPLE = 0xc4;
constexpr std::uint8_t WRITE_MULTIPLE = 0xc5;
constexpr std::uint8_t SET_MULTIPLE_MODE = 0xc6;
constexpr std::uint8_t READ_DMA = 0xc8;
constexpr std::uint8_t READ_DMA_NO_RETRY = 0xc9;
constexpr std::uint8_t WRITE_DMA = 0xca;
constexpr std::uint8_t WRITE_DMA_NO_RETRY = 0xcb;
constexpr std::uint8_t WRITE_MULTIPLE_FUA_EXT = 0xce;
constexpr std::uint8_t STANDBY_IMMEDIATE = 0xe0;
constexpr std::uint8_t IDLE_IMMEDIATE = 0xe1;
constexpr std::uint8_t STANDBY = 0xe2;
constexpr std::uint8_t IDLE = 0xe3;
constexpr std::uint8_t CHECK_POWER_MODE = 0xe5;
constexpr std::uint8_t SLEEP = 0xe6;
constexpr std::uint8_t FLUSH_CACHE = 0xe7;
constexpr std::uint8_t FLUSH_CACHE_EXT = 0xea;
constexpr std::uint8_t IDENTIFY_DEVICE = 0xec;
constexpr std::uint8_t SET_FEATURES = 0xef;
constexpr std::uint8_t READ_NATIVE_MAX_ADDRESS = 0xf8;
// The power commands' codes before ATA-2, still sent by old BIOSes and DOS drivers.
constexpr std::uint8_t STANDBY_IMMEDIATE_OLD = 0x94;
constexpr std::uint8_t IDLE_IMMEDIATE_OLD = 0x95;
constexpr std::uint8_t STANDBY_OLD = 0x96;
constexpr std::uint8_t IDLE_OLD = 0x97;
constexpr std::uint8_t CHECK_POWER_MODE_OLD = 0x98;
constexpr std::uint8_t SLEEP_OLD = 0x99;

constexpr std::uint8_t kPowerActive = 0xff;  // [ATA6 8.6.4] CHECK POWER MODE result

// [ATA6 8.46] SET FEATURES subcommands
constexpr std::uint8_t kEnableWriteCache = 0x02;
constexpr std::uint8_t kSetTransferMode = 0x03;
constexpr std::uint8_t kDisableReadAhead = 0x55;
constexpr std::uint8_t kKeepDefaults = 0x66;
constexpr std::uint8_t kDisableWriteCache = 0x82;
constexpr std::uint8_t kEnableReadAhead = 0xaa;
constexpr std::uint8_t kRevertToDefaults = 0xcc;

// [ATA6 table 50] transfer modes
constexpr std::uint8_t kPioDefault = 0x00;
constexpr std::uint8_t kPioFlow = 0x08;
constexpr std::uint8_t kMultiwordDma = 0x20;
constexpr std::uint8_t kUltraDma = 0x40;
constexpr unsigned kBestPio = 4;
constexpr unsigned kBestMultiwordDma = 2;
constexpr unsigned kBestUltraDma = 5;

constexpr std::uint32_t kSectorSize = 512;
constexpr std::uint32_t kMaxMultiple = 16;            // sectors a DRQ block of READ/WRITE MULTIPLE
constexpr std::uint32_t kLba28Sectors = 0x0fff'ffff;  // as many as 28-bit commands reach
constexpr std::uint64_t kLba48Sectors = 1ULL << 48;

// [BMIDE 2] bus master registers of a channel, by offset
constexpr unsigned BMICX = 0;
constexpr unsigned BMISX = 2;
constexpr unsigned BMIDTPX = 4;
constexpr std::uint8_t SSBM = 0x01;  // start
constexpr std::uint8_t RWCON = 0x08;
constexpr std::uint8_t BMIDEA = 0x01;  // active
constexpr std::uint8_t kDmaError = 0x02;
constexpr std::uint8_t kDmaInterrupt = 0x04;
constexpr std::uint8_t kDriveDmaCapable = 0x60;

// [BMIDE 1.2] physical region descriptor
struct Prd {
  core::le32 base;
  core::le16 byte_count;  // 0 means 64 KiB
  core::le16 flags;
};
static_assert(sizeof(Prd) == 8);
constexpr std::uint16_t kEndOfTable = 0x8000;
constexpr std::uint32_t kMaxPrds = 8192;  // a table must not cross a 64 KiB boundary [BMIDE 1.2]

// [PIIX3 2.3] configuration registers
constexpr std::uint32_t IDETIM_PRIMARY = 0x40;
constexpr std::uint32_t IDETIM_SECONDARY = 0x42;
constexpr std::uint32_t SIDETIM = 0x44;

}  // namespace devices::block::abi
