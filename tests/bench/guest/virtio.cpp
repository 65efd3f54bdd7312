#include "tests/bench/guest/virtio.h"

#include "tests/bench/guest/pci.h"
#include "tests/guest/bare/bare.h"

namespace bench {

namespace {

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

template <class T>
std::uintptr_t address_of(T& object) {
  return reinterpret_cast<std::uintptr_t>(&object);
}

// Stores before this are seen by the device before loads after it are made. [2.7.13.4.1]
void full_barrier() {
  asm volatile("mfence" ::: "memory");
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

void VirtioQueue::offer() {
  asm volatile("" ::: "memory");  // the index after what it counts
  available_.index = offered_;
  visible_ = offered_;
}

void VirtioQueue::ring_doorbell() {
  bare::at<std::uint16_t>(doorbell_) = index_;
}

// [2.7.10] The device wants a doorbell if its event index is among what is new.
void VirtioQueue::start() {
  const auto before = visible_;
  offer();
  full_barrier();
  const auto passed = static_cast<std::uint16_t>(offered_ - used_.ring[size_].id - 1);
  if (passed < static_cast<std::uint16_t>(offered_ - before)) ring_doorbell();
}

VirtioQueue::Used VirtioQueue::take() {
  const auto& element = used_.ring[taken_++ % size_];
  return {element.id, element.length};
}

void VirtioQueue::ask_for_interrupt() {
  available_.ring[size_] = taken_;
  full_barrier();
}

// [2.7.7.1] An event index half a range away is never passed.
void VirtioQueue::mask_interrupts() {
  available_.ring[size_] = static_cast<std::uint16_t>(taken_ + 0x8000);
  full_barrier();
}

void VirtioFunction::open(std::uint32_t device_id, std::uint64_t features, std::uint8_t vector, const char* what) {
  constexpr std::uint32_t kVendor = 0x1af4;
  const auto function = find_function(0, 0xffff'ffff, device_id << 16 | kVendor, what);
  bare::expect(function.open(vector), "MSI-X");
  unsigned capability = 0;
  common_ = region(function, kCommonCfg, capability);
  config_ = region(function, kDeviceCfg, capability);
  doorbells_ = region(function, kNotifyCfg, capability);
  multiplier_ = function.config(capability + 16);

  auto& status = bare::at<std::uint8_t>(common_ + kStatus);
  status = 0;
  while (status != 0)
    bare::relax();
  status = kAcknowledge | kDriver;
  agree(features | kEventIndex | kVersion1);
  status = kAcknowledge | kDriver | kFeaturesOk;
  bare::expect((status & kFeaturesOk) != 0, "features accepted");
  bare::at<std::uint16_t>(common_ + kConfigVector) = kNoVector;
}

void VirtioFunction::agree(std::uint64_t features) {
  for (std::uint32_t half = 0; half < 2; ++half) {
    const auto wanted = static_cast<std::uint32_t>(features >> 32 * half);
    bare::at<std::uint32_t>(common_ + kDeviceFeatureSelect) = half;
    bare::expect((bare::at<std::uint32_t>(common_ + kDeviceFeature) & wanted) == wanted, "the features of the driver");
    bare::at<std::uint32_t>(common_ + kDriverFeatureSelect) = half;
    bare::at<std::uint32_t>(common_ + kDriverFeature) = wanted;
  }
}

void VirtioFunction::enable(unsigned index, VirtioQueue& queue) {
  queue.index_ = static_cast<std::uint16_t>(index);
  bare::at<std::uint16_t>(common_ + kQueueSelect) = queue.index_;
  auto& size = bare::at<std::uint16_t>(common_ + kQueueSizeRegister);
  if (size > VirtioQueue::kSize) size = VirtioQueue::kSize;
  queue.size_ = size;
  bare::at<std::uint16_t>(common_ + kQueueVector) = 0;
  write64(common_ + kQueueDesc, address_of(queue.descriptors_));
  write64(common_ + kQueueDriver, address_of(queue.available_));
  write64(common_ + kQueueDevice, address_of(queue.used_));
  bare::at<std::uint16_t>(common_ + kQueueEnable) = 1;
  queue.doorbell_ = doorbells_ + bare::at<std::uint16_t>(common_ + kQueueNotifyOff) * multiplier_;
}

void VirtioFunction::start() {
  bare::at<std::uint8_t>(common_ + kStatus) = kAcknowledge | kDriver | kFeaturesOk | kDriverOk;
}

}  // namespace bench
