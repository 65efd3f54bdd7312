// Goes to sleep (S3) by the firmware's ACPI tables, and ends with 0 when it has been woken up with its memory intact.
#include "tests/guest/bare/bare.h"

namespace {

// [ACPI 5.2]
constexpr std::uintptr_t kBiosFirst = 0xe0000;
constexpr std::uintptr_t kBiosEnd = 0x100000;
constexpr std::uintptr_t kRsdtOfRsdp = 16;
constexpr std::uintptr_t kLengthOfTable = 4;
constexpr std::uintptr_t kEntriesOfTable = 36;
constexpr std::uintptr_t kFacsOfFadt = 36;
constexpr std::uintptr_t kPm1EventOfFadt = 56;
constexpr std::uintptr_t kPm1ControlOfFadt = 64;
constexpr std::uintptr_t kWakingVectorOfFacs = 12;
// [ACPI 4.8.3.1, 4.8.3.2] S3 is sleep type 1 of this machine.
constexpr std::uint16_t kWakeStatus = 1 << 15;
constexpr std::uint16_t kSleep = 1 << 13 | 1 << 10;

constexpr std::uintptr_t kMemory = 0x1000000;
constexpr std::uint64_t kMark = 0x736c656570657221;

std::uint16_t pm1_event;

std::uint32_t word(std::uintptr_t address) {
  return bare::at<std::uint32_t>(address);
}

std::uintptr_t find_rsdp() {
  for (auto address = kBiosFirst; address < kBiosEnd; address += 16) {
    if (word(address) == 0x20445352 && word(address + 4) == 0x20525450) return address;  // "RSD PTR "
  }
  bare::expect(false, "a root pointer");
  return 0;
}

std::uintptr_t find_table(std::uint32_t signature) {
  const std::uintptr_t rsdt = word(find_rsdp() + kRsdtOfRsdp);
  const std::uintptr_t end = rsdt + word(rsdt + kLengthOfTable);
  for (auto entry = rsdt + kEntriesOfTable; entry < end; entry += 4) {
    if (word(word(entry)) == signature) return word(entry);
  }
  bare::expect(false, "the table");
  return 0;
}

void woken() {
  bare::expect((bare::in16(pm1_event) & kWakeStatus) != 0, "a wake status");
  bare::expect(bare::at<std::uint64_t>(kMemory) == kMark, "memory kept");
  bare::print("woken\n");
  bare::exit(0);
}

}  // namespace

void guest_main() {
  const auto fadt = find_table(0x50434146);  // "FACP"
  const std::uintptr_t facs = word(fadt + kFacsOfFadt);
  pm1_event = static_cast<std::uint16_t>(word(fadt + kPm1EventOfFadt));
  const auto pm1_control = static_cast<std::uint16_t>(word(fadt + kPm1ControlOfFadt));
  bare::at<std::uint64_t>(kMemory) = kMark;
  bare::enter_next(woken);
  bare::at<std::uint32_t>(facs + kWakingVectorOfFacs) = bare::kEntry;
  bare::out16(pm1_event, kWakeStatus);
  bare::print("asleep\n");
  bare::out16(pm1_control, kSleep);
  for (;;)
    bare::relax();
}
