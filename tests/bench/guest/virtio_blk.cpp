#include "tests/bench/guest/virtio_blk.h"

#include "tests/bench/guest/clock.h"
#include "tests/bench/guest/pci.h"
#include "tests/guest/bare/bare.h"

namespace bench {

namespace {

constexpr std::uint8_t kVector = 0x41;
constexpr unsigned kQueueSize = 128;
constexpr unsigned kDescriptorsEach = 3;
static_assert(kSlots * kDescriptorsEach <= kQueueSize);

// [4.1.4] vendor-specific capabilities
constexpr std::uint8_t kVendorCapability = 0x09;
constexpr std::uint8_t kCommonCfg = 1;
constexpr std::uint8_t kNotifyCfg = 2;
constexpr std::uint8_t kDeviceCfg = 4;

// [4.1.4.3] common configuration
constexpr unsigned kDeviceFeatureSelect = 0x00;
constexpr unsigned kDeviceFeature = 0x04;
constexpr unsigned kDriverFeatureSelect = 0x08;
constexpr unsigned kDriverFeature = 0x0c;
constexpr unsigned kConfigVector = 0x10;
constexpr unsigned kStatus = 0x14;
constexpr unsigned kQueueSelect = 0x16;
constexpr unsigned kQueueSizeRegister = 0x18;
constexpr unsigned kQueueVector = 0x1a;
constexpr unsigned kQueueEnable = 0x1c;
constexpr unsigned kQueueNotifyOff = 0x1e;
constexpr unsigned kQueueDesc = 0x20;
constexpr unsigned kQueueDriver = 0x28;
constexpr unsigned kQueueDevice = 0x30;
constexpr std::uint16_t kNoVector = 0xffff;

// [2.1] device status
constexpr std::uint8_t kAcknowledge = 1;
constexpr std::uint8_t kDriver = 2;
constexpr std::uint8_t kDriverOk = 4;
constexpr std::uint8_t kFeaturesOk = 8;

// Without the flush feature each write would have to reach the medium. [5.2.6.2]
constexpr std::uint32_t kFlush = 1U << 9;
constexpr std::uint32_t kEventIndex = 1U << 29;
constexpr std::uint32_t kVersion1 = 1U << 0;  // of the upper half

constexpr std::uint32_t kIn = 0;
constexpr std::uint32_t kOut = 1;
constexpr std::uint32_t kGetId = 8;
constexpr std::uint32_t kIdBytes = 20;

constexpr std::uint16_t kNext = 1;
constexpr std::uint16_t kWrite = 2;

struct Descriptor {
  std::uint64_t address;
  std::uint32_t length;
  std::uint16_t flags;
  std::uint16_t next;
};
struct Available {
  std::uint16_t flags;
  volatile std::uint16_t index;
  std::uint16_t ring[kQueueSize];
  volatile std::uint16_t used_event;
};
struct Used {
  std::uint16_t flags;
  volatile std::uint16_t index;
  struct {
    volatile std::uint32_t id;
    volatile std::uint32_t length;
  } ring[kQueueSize];
  volatile std::uint16_t available_event;
};
struct Header {
  std::uint32_t type;
  std::uint32_t reserved;
  std::uint64_t sector;
};

alignas(16) Descriptor descriptors[kQueueSize];
alignas(4) Available available;
alignas(4) Used used;
alignas(16) Header headers[kSlots];
volatile std::uint8_t statuses[kSlots];

volatile std::uint64_t interrupt_count;
volatile std::uint64_t last_interrupt;

template <class T>
std::uintptr_t address_of(T& object) {
  return reinterpret_cast<std::uintptr_t>(&object);
}

// Stores before this are seen by the device before loads after it are made. [2.7.13.4.1]
void full_barrier() {
  asm volatile("mfence" ::: "memory");
}

void on_interrupt() {
  last_interrupt = ticks();
  interrupt_count = interrupt_count + 1;
}

std::uintptr_t region(const PciFunction& function, std::uint8_t type, unsigned& capability) {
  capability = 0;
  do {
    capability = function.capability(kVendorCapability, capability);
    bare::expect(capability != 0, "a modern virtio device");
  } while (function.config8(capability + 3) != type);
  return function.bar(function.config8(capability + 4)) + function.config(capability + 8);
}

void write64(std::uintptr_t at, std::uint64_t value) {
  bare::at<std::uint32_t>(at) = static_cast<std::uint32_t>(value);
  bare::at<std::uint32_t>(at + 4) = static_cast<std::uint32_t>(value >> 32);
}

}  // namespace

void VirtioBlk::open() {
  const auto function = find_function(0, 0xffff'ffff, 0x1001'1af4, "a virtio disk");
  bare::on_interrupt(kVector, on_interrupt);
  bare::expect(function.open(kVector), "MSI-X");
  unsigned capability = 0;
  common_ = region(function, kCommonCfg, capability);
  const auto device = region(function, kDeviceCfg, capability);
  const auto doorbells = region(function, kNotifyCfg, capability);
  const auto multiplier = function.config(capability + 16);

  auto& status = bare::at<std::uint8_t>(common_ + kStatus);
  status = 0;
  while (status != 0)
    bare::relax();
  status = kAcknowledge | kDriver;
  for (std::uint32_t half = 0; half < 2; ++half) {
    const auto wanted = half == 0 ? kFlush | kEventIndex : kVersion1;
    bare::at<std::uint32_t>(common_ + kDeviceFeatureSelect) = half;
    bare::expect((bare::at<std::uint32_t>(common_ + kDeviceFeature) & wanted) == wanted,
                 "the features of a cached disk");
    bare::at<std::uint32_t>(common_ + kDriverFeatureSelect) = half;
    bare::at<std::uint32_t>(common_ + kDriverFeature) = wanted;
  }
  status = kAcknowledge | kDriver | kFeaturesOk;
  bare::expect((status & kFeaturesOk) != 0, "features accepted");
  open_queue();
  doorbell_ = doorbells + bare::at<std::uint16_t>(common_ + kQueueNotifyOff) * multiplier;
  status = kAcknowledge | kDriver | kFeaturesOk | kDriverOk;
  size_bytes_ = bare::at<std::uint32_t>(device) * std::uint64_t{kSectorBytes};  // a disk of less than 2 TiB
}

void VirtioBlk::open_queue() {
  bare::at<std::uint16_t>(common_ + kConfigVector) = kNoVector;
  bare::at<std::uint16_t>(common_ + kQueueSelect) = 0;
  bare::expect(bare::at<std::uint16_t>(common_ + kQueueSizeRegister) >= kQueueSize, "a queue of 128");
  bare::at<std::uint16_t>(common_ + kQueueSizeRegister) = kQueueSize;
  bare::at<std::uint16_t>(common_ + kQueueVector) = 0;
  write64(common_ + kQueueDesc, address_of(descriptors));
  write64(common_ + kQueueDriver, address_of(available));
  write64(common_ + kQueueDevice, address_of(used));
  bare::at<std::uint16_t>(common_ + kQueueEnable) = 1;
}

void VirtioBlk::fill(unsigned slot, std::uint32_t type, std::uint64_t sector, std::uint32_t bytes, bool to_guest) {
  const auto first = slot * kDescriptorsEach;
  const auto second = static_cast<std::uint16_t>(first + 1);
  const auto third = static_cast<std::uint16_t>(first + 2);
  headers[slot] = {type, 0, sector};
  statuses[slot] = 0xff;
  descriptors[first] = {address_of(headers[slot]), sizeof(Header), kNext, second};
  descriptors[second] = {buffer_of(slot), bytes, static_cast<std::uint16_t>(to_guest ? kNext | kWrite : kNext), third};
  descriptors[third] = {address_of(statuses[slot]), 1, kWrite, 0};
}

void VirtioBlk::prepare(unsigned slot, const Request& request) {
  fill(slot, request.write ? kOut : kIn, request.offset / kSectorBytes, request.bytes, !request.write);
}

void VirtioBlk::prepare_id(unsigned slot) {
  fill(slot, kGetId, 0, kIdBytes, true);
}

void VirtioBlk::offer(std::uint32_t slots) {
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    if ((slots >> slot & 1) != 0)
      available.ring[offered_++ % kQueueSize] = static_cast<std::uint16_t>(slot * kDescriptorsEach);
  }
  asm volatile("" ::: "memory");  // the index after what it counts
  available.index = offered_;
}

void VirtioBlk::ring_doorbell() {
  bare::at<std::uint16_t>(doorbell_) = 0;
}

// [2.7.10] The device wants a doorbell if its event index is among what is new.
void VirtioBlk::start(std::uint32_t slots) {
  const auto before = offered_;
  offer(slots);
  full_barrier();
  const auto passed = static_cast<std::uint16_t>(offered_ - used.available_event - 1);
  if (passed < static_cast<std::uint16_t>(offered_ - before)) ring_doorbell();
}

std::uint32_t VirtioBlk::wait() {
  while (interrupt_count == seen_interrupts_)
    bare::relax();
  seen_interrupts_ = interrupt_count;
  return reap();
}

bool VirtioBlk::has_used() const {
  return used.index != taken_;
}

// [2.7.7.1] An event index half a range away is never passed.
void VirtioBlk::mask_interrupts() {
  available.used_event = static_cast<std::uint16_t>(taken_ + 0x8000);
  full_barrier();
}

// Takes all there is and asks for an interrupt with the next one; what came before the device has seen that is taken
// too.
std::uint32_t VirtioBlk::reap() {
  std::uint32_t done = 0;
  do {
    while (has_used()) {
      const auto slot = used.ring[taken_++ % kQueueSize].id / kDescriptorsEach;
      bare::expect(slot < kSlots && statuses[slot] == 0, "a virtio request that succeeds");
      done |= 1U << slot;
    }
    available.used_event = taken_;
    full_barrier();
  } while (has_used());
  return done;
}

std::uint64_t VirtioBlk::interrupt_ticks() const {
  return last_interrupt;
}

}  // namespace bench
