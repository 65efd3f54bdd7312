// Packet commands and their sense data, as CD-ROM drives know them; the documents are named in ide_abi.h.
#pragma once

#include <cstdint>

namespace devices::block::abi {

constexpr std::uint32_t kCdSectorSize = 2048;
constexpr std::uint32_t kRawCdSectorSize = 2352;
constexpr std::uint32_t kPacketBytes = 12;

// [MMC5 6] operation codes
constexpr std::uint8_t TEST_UNIT_READY = 0x00;
constexpr std::uint8_t REQUEST_SENSE = 0x03;
constexpr std::uint8_t INQUIRY = 0x12;
constexpr std::uint8_t START_STOP_UNIT = 0x1b;
constexpr std::uint8_t PREVENT_ALLOW_MEDIUM_REMOVAL = 0x1e;
constexpr std::uint8_t READ_CAPACITY = 0x25;
constexpr std::uint8_t READ_10 = 0x28;
constexpr std::uint8_t SEEK_10 = 0x2b;
constexpr std::uint8_t READ_TOC_PMA_ATIP = 0x43;
constexpr std::uint8_t GET_CONFIGURATION = 0x46;
constexpr std::uint8_t GET_EVENT_STATUS_NOTIFICATION = 0x4a;
constexpr std::uint8_t READ_DISC_INFORMATION = 0x51;
constexpr std::uint8_t MODE_SENSE_10 = 0x5a;
constexpr std::uint8_t READ_12 = 0xa8;
constexpr std::uint8_t SET_CD_SPEED = 0xbb;
constexpr std::uint8_t MECHANISM_STATUS = 0xbd;
constexpr std::uint8_t READ_CD = 0xbe;

// [SPC3 4.5.6] sense keys
constexpr std::uint8_t NO_SENSE = 0x0;
constexpr std::uint8_t NOT_READY = 0x2;
constexpr std::uint8_t MEDIUM_ERROR = 0x3;
constexpr std::uint8_t ILLEGAL_REQUEST = 0x5;
constexpr std::uint8_t UNIT_ATTENTION = 0x6;
constexpr std::uint8_t ABORTED_COMMAND = 0xb;

// [MMC5 annex F] additional sense code and qualifier, one 16-bit word
constexpr std::uint16_t kNoAdditionalSense = 0x0000;
constexpr std::uint16_t kUnrecoveredReadError = 0x1100;
constexpr std::uint16_t kInvalidCommand = 0x2000;
constexpr std::uint16_t kAddressOutOfRange = 0x2100;
constexpr std::uint16_t kInvalidFieldInPacket = 0x2400;
constexpr std::uint16_t kMediumMayHaveChanged = 0x2800;
constexpr std::uint16_t kSavingNotSupported = 0x3900;
constexpr std::uint16_t kMediumNotPresentTrayClosed = 0x3a01;
constexpr std::uint16_t kMediumNotPresentTrayOpen = 0x3a02;
constexpr std::uint16_t kDataPhaseError = 0x4b00;
constexpr std::uint16_t kMediumRemovalPrevented = 0x5302;

// [MMC5 table 5] profiles
constexpr std::uint16_t kProfileNone = 0x0000;
constexpr std::uint16_t kProfileCdRom = 0x0008;
constexpr std::uint16_t kProfileDvdRom = 0x0010;
constexpr std::uint64_t kMaxCdSectors = 80 * 60 * 75;  // more must be a DVD

// [MMC5 table 298] media events
enum class MediaEvent : std::uint8_t { NoChange = 0, EjectRequest = 1, NewMedia = 2, MediaRemoval = 3 };
constexpr std::uint8_t kMediaClass = 4;

// [MMC5 7] mode pages
constexpr std::uint8_t kPageErrorRecovery = 0x01;
constexpr std::uint8_t kPageAudioControl = 0x0e;
constexpr std::uint8_t kPageCapabilities = 0x2a;
constexpr std::uint8_t kPageAll = 0x3f;

}  // namespace devices::block::abi
