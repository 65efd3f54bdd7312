// MC146818 registers [MC146818A data sheet] and the CMOS bytes that PC firmware gives a meaning. [RBIL CMOS.LST]
#pragma once

#include <cstddef>
#include <cstdint>

namespace devices::platform::rtc_abi {

constexpr std::uint16_t kPort = 0x70;  // index, data; then index and data of the extended bank
constexpr std::size_t kBankBytes = 128;
constexpr std::uint8_t kIndexMask = 0x7f;
constexpr std::uint8_t kNmiMask = 1 << 7;  // in the index of the first bank

enum Index : std::uint8_t {
  kSeconds = 0x00,
  kSecondsAlarm = 0x01,
  kMinutes = 0x02,
  kMinutesAlarm = 0x03,
  kHours = 0x04,
  kHoursAlarm = 0x05,
  kDayOfWeek = 0x06,
  kDayOfMonth = 0x07,
  kMonth = 0x08,
  kYear = 0x09,
  kRegisterA = 0x0a,
  kRegisterB = 0x0b,
  kRegisterC = 0x0c,
  kRegisterD = 0x0d,
  kShutdownCode = 0x0f,
  kFloppyTypes = 0x10,
  kEquipment = 0x14,
  kBaseMemory = 0x15,       // KiB, two bytes
  kExtendedMemory = 0x17,   // KiB above 1 MiB, two bytes
  kExtendedMemory2 = 0x30,  // the same again
  kCentury = 0x32,
  kMemoryAbove16M = 0x34,  // 64 KiB units up to 4 GiB, two bytes
  kCenturyPs2 = 0x37,      // where Windows XP looks for the century
  kBootOrder3 = 0x38,      // third device in the upper nibble; bit 0: boot floppies without a signature
  kBootOrder12 = 0x3d,     // second and first device
  kMemoryAbove4G = 0x5b,   // 64 KiB units, three bytes
  kProcessors = 0x5f,      // number of CPUs less one
};

// What firmware finds in kShutdownCode after a reset that is no cold start.
constexpr std::uint8_t kResumeFromS3 = 0xfe;  // SeaBIOS: go on by the FACS's waking vector

// Register A
constexpr std::uint8_t kUpdateInProgress = 1 << 7;
constexpr std::uint8_t kDividerMask = 7 << 4;
constexpr std::uint8_t kDivider32768 = 2 << 4;  // above it: test modes and divider reset, the clock stands
constexpr std::uint8_t kDividerReset = 6 << 4;
constexpr std::uint8_t kRateMask = 15;

// Register B
constexpr std::uint8_t kHours24 = 1 << 1;
constexpr std::uint8_t kBinary = 1 << 2;
constexpr std::uint8_t kSquareWaveEnable = 1 << 3;
constexpr std::uint8_t kUpdateEnable = 1 << 4;  // these three stand at the same bits in register C
constexpr std::uint8_t kAlarmEnable = 1 << 5;
constexpr std::uint8_t kPeriodicEnable = 1 << 6;
constexpr std::uint8_t kSet = 1 << 7;

// Register C
constexpr std::uint8_t kUpdateFlag = kUpdateEnable;
constexpr std::uint8_t kAlarmFlag = kAlarmEnable;
constexpr std::uint8_t kPeriodicFlag = kPeriodicEnable;
constexpr std::uint8_t kFlags = kUpdateFlag | kAlarmFlag | kPeriodicFlag;
constexpr std::uint8_t kInterruptFlag = 1 << 7;

// Register D [PIIX4 4.2.5]
constexpr std::uint8_t kValidRam = 1 << 7;
constexpr std::uint8_t kDateAlarm = 0x3f;  // day of month; 0: any

constexpr std::uint8_t kPm = 1 << 7;           // in hours of 12-hour mode
constexpr std::uint8_t kAlarmDontCare = 0xc0;  // both bits set: any value matches
constexpr std::int64_t kCrystalHz = 32768;
// UIP rises this long before the second: 244 us of warning and 1984 us of update. [MC146818A, Update Cycle]
constexpr std::int64_t kUpdateNs = 244'000 + 1'984'000;

}  // namespace devices::platform::rtc_abi
