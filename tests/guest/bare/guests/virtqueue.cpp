// A driver of virtio's rings with one queue: every way to notify the device, then as many notifications as it can until
// the host has had enough.
#include "tests/guest/bare/bare.h"

namespace {

// Where the host has put the function's BARs.
constexpr std::uintptr_t kModern = 0xe0000000;
constexpr std::uintptr_t kNotify = kModern + 0x3000;
constexpr std::uintptr_t kMsix = 0xe0010000;
constexpr std::uint16_t kLegacyNotify = 0xc000 + 16;
constexpr std::uint16_t kEnough = 0x600;  // reads as 1

constexpr std::uint8_t kVector = 0x41;
constexpr std::uint16_t kSize = 64;
constexpr std::uintptr_t kRings = 0x200000;
constexpr std::uintptr_t kAvailable = kRings + 0x1000;
constexpr std::uintptr_t kUsed = kRings + 0x2000;
constexpr std::uintptr_t kBuffer = kRings + 0x3000;
constexpr std::uintptr_t kRung = kRings + 0x4000;  // the requests that were rung for, for the host to see

volatile unsigned interrupts;
std::uint16_t added;

template <class T>
void set(std::uintptr_t offset, T value) {
  bare::at<T>(kModern + offset) = value;
}

std::uint16_t used() {
  return bare::at<std::uint16_t>(kUsed + 2);
}

void start_device() {
  bare::on_interrupt(kVector, [] { interrupts = interrupts + 1; });
  bare::at<std::uint32_t>(kMsix) = 0xfee00000;
  bare::at<std::uint32_t>(kMsix + 4) = 0;
  bare::at<std::uint32_t>(kMsix + 8) = kVector;
  bare::at<std::uint32_t>(kMsix + 12) = 0;
  set<std::uint8_t>(20, 3);   // device_status: ACKNOWLEDGE, DRIVER
  set<std::uint32_t>(8, 1);   // driver_feature_select
  set<std::uint32_t>(12, 1);  // VIRTIO_F_VERSION_1
  set<std::uint8_t>(20, 11);  // FEATURES_OK
  set<std::uint16_t>(22, 0);  // queue_select
  set<std::uint16_t>(26, 0);  // queue_msix_vector
  set<std::uint32_t>(32, kRings);
  set<std::uint32_t>(40, kAvailable);
  set<std::uint32_t>(48, kUsed);
  set<std::uint16_t>(28, 1);  // queue_enable
  set<std::uint8_t>(20, 15);  // DRIVER_OK
}

// A request that reads four bytes and writes four.
void add_request() {
  const std::uint16_t head = added % (kSize / 2) * 2;
  const auto descriptor = kRings + 16u * head;
  bare::at<std::uint64_t>(descriptor) = kBuffer;
  bare::at<std::uint64_t>(descriptor + 8) = std::uint64_t{4} | std::uint64_t{1} << 32 | std::uint64_t(head + 1) << 48;
  bare::at<std::uint64_t>(descriptor + 16) = kBuffer + 8;
  bare::at<std::uint64_t>(descriptor + 24) = std::uint64_t{4} | std::uint64_t{2} << 32;
  bare::at<std::uint32_t>(kBuffer) = added;
  bare::at<std::uint16_t>(kAvailable + 4 + added % kSize * 2) = head;
  ++added;
  bare::at<std::uint16_t>(kAvailable + 2) = added;
}

void wait_for_answer() {
  while (interrupts < added)
    bare::relax();
  bare::expect(used() == added, "the answer is there before the interrupt");
  bare::expect(bare::at<std::uint32_t>(kBuffer + 8) == added - 1u, "and it is the right one");
}

}  // namespace

void guest_main() {
  bare::in8(kEnough);
  start_device();
  for (unsigned i = 0; i < 100; ++i) {
    add_request();
    bare::at<std::uint16_t>(kNotify) = 0;
    wait_for_answer();
  }
  bare::print("memory\n");
  for (unsigned i = 0; i < 100; ++i) {
    add_request();
    bare::out16(kLegacyNotify, 0);
    wait_for_answer();
  }
  bare::at<std::uint16_t>(kRung) = added;
  bare::print("ports\n");
  while (bare::in8(kEnough) == 0) {
    for (unsigned i = 0; i < 16; ++i) {
      if (static_cast<std::uint16_t>(added - used()) < kSize / 2) add_request();
      bare::at<std::uint16_t>(kNotify) = 0;
      bare::at<std::uint16_t>(kRung) = added;
    }
  }
  while (used() != added)
    bare::relax();
}
