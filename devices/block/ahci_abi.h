// What guests see of an AHCI host bus adapter. Names as in
//   [AHCI] Serial ATA AHCI 1.3.1     [SATA] Serial ATA 2.6     [ACS3] T13/2161-D revision 5
#pragma once

#include <cstdint>

#include "core/base/endian.h"

namespace devices::block::abi::hba {

constexpr unsigned kPorts = 6;
constexpr unsigned kSlots = 32;  // commands of a port

// [AHCI 3] memory registers: generic host control, then the ports.
constexpr std::uint32_t kPortRegisters = 0x100;
constexpr std::uint32_t kPortStride = 0x80;

// [AHCI 3.1] generic host control, by offset
enum Generic : std::uint32_t {
  CAP = 0x00,
  GHC = 0x04,
  IS = 0x08,
  PI = 0x0c,
  VS = 0x10,
  CCC_CTL = 0x14,
  CCC_PORTS = 0x18,
  EM_LOC = 0x1c,
  EM_CTL = 0x20,
  CAP2 = 0x24,
  BOHC = 0x28,
};

// [AHCI 3.1.1] CAP
constexpr std::uint32_t CAP_S64A = 1U << 31;
constexpr std::uint32_t CAP_SNCQ = 1U << 30;
constexpr std::uint32_t CAP_SCLO = 1U << 24;
constexpr std::uint32_t CAP_ISS_GEN2 = 2U << 20;
constexpr std::uint32_t CAP_SAM = 1U << 18;
constexpr std::uint32_t CAP_PMD = 1U << 15;
constexpr unsigned CAP_NCS_SHIFT = 8;

// [AHCI 3.1.2] GHC
constexpr std::uint32_t GHC_AE = 1U << 31;
constexpr std::uint32_t GHC_IE = 1U << 1;
constexpr std::uint32_t GHC_HR = 1U << 0;

// [AHCI 3.3] registers of a port, by offset
enum Port : std::uint32_t {
  PxCLB = 0x00,
  PxCLBU = 0x04,
  PxFB = 0x08,
  PxFBU = 0x0c,
  PxIS = 0x10,
  PxIE = 0x14,
  PxCMD = 0x18,
  PxTFD = 0x20,
  PxSIG = 0x24,
  PxSSTS = 0x28,
  PxSCTL = 0x2c,
  PxSERR = 0x30,
  PxSACT = 0x34,
  PxCI = 0x38,
  PxSNTF = 0x3c,
  PxFBS = 0x40,
  PxDEVSLP = 0x44,
};

// [AHCI 3.3.5] PxIS; PxIE has the same bits
constexpr std::uint32_t DHRS = 1U << 0;   // device to host register FIS
constexpr std::uint32_t PSS = 1U << 1;    // PIO setup FIS
constexpr std::uint32_t SDBS = 1U << 3;   // set device bits FIS
constexpr std::uint32_t DPS = 1U << 5;    // a descriptor that asks for an interrupt is done
constexpr std::uint32_t PCS = 1U << 6;    // PxSERR.DIAG.X
constexpr std::uint32_t PRCS = 1U << 22;  // PxSERR.DIAG.N
constexpr std::uint32_t OFS = 1U << 24;
constexpr std::uint32_t IFS = 1U << 27;
constexpr std::uint32_t HBFS = 1U << 29;
constexpr std::uint32_t TFES = 1U << 30;
constexpr std::uint32_t kInterruptsEnabled = 0xfdc0'007f;
constexpr std::uint32_t kInterruptsCleared =
    0xfd80'002f;  // the others follow PxSERR, or are for switches there are not

// [AHCI 3.3.7] PxCMD
constexpr std::uint32_t CMD_ST = 1U << 0;
constexpr std::uint32_t CMD_SUD = 1U << 1;
constexpr std::uint32_t CMD_POD = 1U << 2;
constexpr std::uint32_t CMD_CLO = 1U << 3;
constexpr std::uint32_t CMD_FRE = 1U << 4;
constexpr unsigned CMD_CCS_SHIFT = 8;
constexpr std::uint32_t CMD_CCS = 0x1fU << CMD_CCS_SHIFT;
constexpr std::uint32_t CMD_FR = 1U << 14;
constexpr std::uint32_t CMD_CR = 1U << 15;
constexpr std::uint32_t CMD_ATAPI = 1U << 24;
constexpr std::uint32_t CMD_DLAE = 1U << 25;

// [AHCI 3.3.8] PxTFD
constexpr std::uint32_t kNoDevice = 0x7f;
// [AHCI 3.3.9] PxSIG
constexpr std::uint32_t kNoSignature = 0xffff'ffff;

// [AHCI 3.3.10] PxSSTS and [AHCI 3.3.11] PxSCTL
constexpr std::uint32_t kDetMask = 0xf;
constexpr std::uint32_t kDetInitialize = 1;
constexpr std::uint32_t kDetDisable = 4;
constexpr std::uint32_t kLinkUp = 0x123;  // active, 3 Gbit/s, device present
constexpr std::uint32_t kLinkDisabled = 4;

// [AHCI 3.3.12] PxSERR
constexpr std::uint32_t ERR_P = 1U << 10;   // protocol
constexpr std::uint32_t DIAG_N = 1U << 16;  // PhyRdy changed
constexpr std::uint32_t DIAG_X = 1U << 26;  // exchanged: COMINIT was received
constexpr std::uint32_t kErrorBits = 0x07ff'0f03;

// [AHCI 4.2.2] command header
struct CommandHeader {
  core::le16 flags;
  core::le16 prdt_length;  // entries
  core::le32 transferred;  // PRDBC
  core::le32 table;
  core::le32 table_upper;
  core::le32 reserved[4];
};
static_assert(sizeof(CommandHeader) == 32);
constexpr std::uint64_t kTransferredOffset = 4;
constexpr std::uint16_t kFisLength = 0x1f;  // CFL, dwords
constexpr std::uint16_t kAtapiCommand = 1U << 5;
constexpr std::uint16_t kClearBusy = 1U << 10;
constexpr std::uint32_t kHeaderAlignment = 1024;
constexpr std::uint32_t kTableAlignment = 128;
constexpr std::uint32_t kFisAlignment = 256;

// [AHCI 4.2.3] command table
constexpr std::uint64_t kAtapiOffset = 0x40;
constexpr std::uint64_t kPrdtOffset = 0x80;
struct Prd {
  core::le32 base;
  core::le32 base_upper;
  core::le32 reserved;
  core::le32 count;
};
static_assert(sizeof(Prd) == 16);
constexpr std::uint32_t kPrdCount = 0x003f'ffff;  // bytes - 1, odd
constexpr std::uint32_t kPrdInterrupt = 1U << 31;

// [SATA 10.3] frame information structures
constexpr std::uint8_t kRegisterH2D = 0x27;
constexpr std::uint8_t kRegisterD2H = 0x34;
constexpr std::uint8_t kSetDeviceBits = 0xa1;
constexpr std::uint8_t kPioSetup = 0x5f;
constexpr unsigned kRegisterDwords = 5;

struct RegisterH2D {
  std::uint8_t type;
  std::uint8_t flags;
  std::uint8_t command;
  std::uint8_t features;
  std::uint8_t lba[3];
  std::uint8_t device;
  std::uint8_t lba_exp[3];
  std::uint8_t features_exp;
  std::uint8_t count;
  std::uint8_t count_exp;
  std::uint8_t icc;
  std::uint8_t control;
  core::le32 auxiliary;
};
static_assert(sizeof(RegisterH2D) == 20);
constexpr std::uint8_t kIsCommand = 0x80;  // flags: a command, not device control
constexpr std::uint8_t kPortMultiplierPort = 0x0f;

// A PIO setup FIS has the same layout, with what follows the count.
struct RegisterD2H {
  std::uint8_t type;
  std::uint8_t flags;
  std::uint8_t status;
  std::uint8_t error;
  std::uint8_t lba[3];
  std::uint8_t device;
  std::uint8_t lba_exp[3];
  std::uint8_t reserved0;
  std::uint8_t count;
  std::uint8_t count_exp;
  std::uint8_t reserved1;
  std::uint8_t e_status;      // PIO setup: the status after the data
  core::le16 transfer_count;  // PIO setup: bytes
  core::le16 reserved2;
};
static_assert(sizeof(RegisterD2H) == 20);
constexpr std::uint8_t kFisInterrupt = 0x40;  // flags: I
constexpr std::uint8_t kFisToHost = 0x20;     // flags: D

struct SetDeviceBits {
  std::uint8_t type;
  std::uint8_t flags;
  std::uint8_t status;  // bits 6-4 and 2-0
  std::uint8_t error;
  core::le32 active;  // tags that are done
};
static_assert(sizeof(SetDeviceBits) == 8);
constexpr std::uint8_t kDeviceBits = 0x77;

// [AHCI 4.2.1] received FISes, by offset
constexpr std::uint64_t kReceivedPioSetup = 0x20;
constexpr std::uint64_t kReceivedRegister = 0x40;
constexpr std::uint64_t kReceivedDeviceBits = 0x58;

}  // namespace devices::block::abi::hba

namespace devices::block::abi {

// [ACS3 7] commands that only SATA disks have
constexpr std::uint8_t DATA_SET_MANAGEMENT = 0x06;
constexpr std::uint8_t READ_LOG_EXT = 0x2f;
constexpr std::uint8_t READ_FPDMA_QUEUED = 0x60;
constexpr std::uint8_t WRITE_FPDMA_QUEUED = 0x61;
constexpr std::uint8_t kForceUnitAccess = 0x80;  // Device register of a queued command
constexpr unsigned kTagShift = 3;                // Count register

// [ACS3 7.5] DATA SET MANAGEMENT: blocks of 512 bytes with ranges, each a 48-bit address and a 16-bit count of sectors
constexpr std::uint8_t kTrim = 0x01;         // Features
constexpr std::uint32_t kMaxTrimBlocks = 8;  // a command
constexpr unsigned kTrimAddressBits = 48;

// [ACS3 A.2, A.14] general purpose logs
constexpr std::uint8_t kLogDirectory = 0x00;
constexpr std::uint8_t kQueuedErrorLog = 0x10;

}  // namespace devices::block::abi
