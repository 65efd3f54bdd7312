// [82371AB: Intel PIIX4, order number 290562-001] function 3, power management; [ACPI 6.5 4.8.3] its fixed registers.
#pragma once

#include <cstdint>

namespace devices::platform::piix4_abi {

// [82371AB 7.1] configuration registers
constexpr std::uint32_t PMBA = 0x40;
constexpr std::uint32_t DEVACTB = 0x58;
constexpr std::uint32_t APMC_EN_BYTE = 0x5b;  // DEVACTB bits 31:24
constexpr std::uint8_t APMC_EN = 1 << 1;      // DEVACTB bit 25: a write to APMC makes an SMI
constexpr std::uint32_t PMREGMISC = 0x80;
constexpr std::uint8_t PMIOSE = 1 << 0;
constexpr std::uint32_t SMBBA = 0x90;
constexpr std::uint32_t SMBHSTCFG = 0xd2;
constexpr std::uint8_t SMB_HST_EN = 1 << 0;

// [82371AB 7.2] the power management block, 64 ports
constexpr std::uint64_t PMSTS = 0x00;
constexpr std::uint64_t PMEN = 0x02;
constexpr std::uint64_t PMCNTRL = 0x04;
constexpr std::uint64_t PMTMR = 0x08;
// PMSTS and PMEN [ACPI 4.8.3.1]
constexpr std::uint16_t TMROF = 1 << 0;
constexpr std::uint16_t BM_STS = 1 << 4;
constexpr std::uint16_t GBL = 1 << 5;
constexpr std::uint16_t PWRBTN = 1 << 8;
constexpr std::uint16_t RTC = 1 << 10;
constexpr std::uint16_t RSM_STS = 1 << 15;  // ACPI's WAK_STS
// PMCNTRL [ACPI 4.8.3.2]
constexpr std::uint16_t SCI_EN = 1 << 0;
constexpr std::uint16_t BRLD_EN_BM = 1 << 1;
constexpr std::uint16_t SUS_EN = 1 << 13;
constexpr unsigned kSusTypShift = 10;
constexpr unsigned kSusTypBits = 3;
// Sleep types, as the DSDT's \_S5, \_S3 and \_S4 name them.
constexpr unsigned kSusTypSoftOff = 0;
constexpr unsigned kSusTypRam = 1;
constexpr unsigned kSusTypDisk = 2;

// [82371AB 6.8] APM ports
constexpr std::uint64_t APMC = 0xb2;
// Values of APMC that the FADT names (SMI_CMD's ACPI_ENABLE and ACPI_DISABLE).
constexpr std::uint8_t kAcpiEnable = 0xf1;
constexpr std::uint8_t kAcpiDisable = 0xf0;

// General purpose events; not in the chip's own block but where firmware for this kind of machine expects them: two
// status bytes, then two enable bytes. [ACPI 4.8.4]
constexpr std::uint64_t kGpeBlock = 0xafe0;
constexpr std::uint64_t kGpeBlockSize = 4;

// [82371AB 7.3] the SMBus block, 16 ports
constexpr std::uint64_t SMBHSTSTS = 0x00;
constexpr std::uint64_t SMBHSTCNT = 0x02;
constexpr std::uint64_t SMBHSTCMD = 0x03;
constexpr std::uint64_t SMBHSTADD = 0x04;
constexpr std::uint64_t SMBHSTDAT0 = 0x05;
constexpr std::uint64_t SMBHSTDAT1 = 0x06;
constexpr std::uint64_t SMBBLKDAT = 0x07;
constexpr std::uint8_t SMB_DEV_ERR = 1 << 2;  // SMBHSTSTS: nobody acknowledged
constexpr std::uint8_t SMB_STATUS_CLEAR = 0x1e;
constexpr std::uint8_t SMB_START = 1 << 6;  // SMBHSTCNT

}  // namespace devices::platform::piix4_abi
