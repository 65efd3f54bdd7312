// What drivers of virtio 1.x functions have in common: set-up, and queues with event indexes whose interrupts are one
// message. [virtio 1.2]
#pragma once

#include <cstdint>

namespace bench {

// [2.7] A split queue, to be enabled by VirtioFunction. Its users number its descriptors.
class VirtioQueue {
 public:
  static constexpr unsigned kSize = 128;  // at most
  static constexpr std::uint16_t kNext = 1;
  static constexpr std::uint16_t kWrite = 2;
  struct Descriptor {
    std::uint64_t address;
    std::uint32_t length;
    std::uint16_t flags;
    std::uint16_t next;
  };
  struct Used {
    std::uint32_t head = 0;
    std::uint32_t written = 0;
  };

  Descriptor& descriptor(unsigned number) { return descriptors_[number]; }
  unsigned size() const { return size_; }
  void add(unsigned head) { available_.ring[offered_++ % size_] = static_cast<std::uint16_t>(head); }
  // The device may take what was added.
  void offer();
  void ring_doorbell();
  // offer(), and the doorbell if the device wants to hear it.
  void start();

  bool has_used() const { return used_.index != taken_; }
  Used take();
  void ask_for_interrupt();  // with the next one used; what is used already brings none
  void mask_interrupts();

 private:
  friend class VirtioFunction;

  // As long as the device's queues may be; behind the last entry of each ring lies an event index.
  alignas(16) Descriptor descriptors_[kSize];
  struct {
    std::uint16_t flags;
    volatile std::uint16_t index;
    volatile std::uint16_t ring[kSize + 1];
  } available_;
  struct alignas(4) {
    std::uint16_t flags;
    volatile std::uint16_t index;
    struct {
      volatile std::uint32_t id;
      volatile std::uint32_t length;
    } ring[kSize + 1];
  } used_;
  std::uint16_t size_ = 0;
  std::uintptr_t doorbell_ = 0;
  std::uint16_t index_ = 0;    // of the queue
  std::uint16_t offered_ = 0;  // chains ever, modulo 2^16
  std::uint16_t visible_ = 0;  // of them, to the device
  std::uint16_t taken_ = 0;    // used elements ever
};

class VirtioFunction {
 public:
  static constexpr std::uint64_t kEventIndex = std::uint64_t{1} << 29;
  static constexpr std::uint64_t kVersion1 = std::uint64_t{1} << 32;

  // The function with this PCI device ID, which must offer `features` beside the two above. All its queues interrupt
  // as `vector`.
  void open(std::uint32_t device_id, std::uint64_t features, std::uint8_t vector, const char* what);
  void enable(unsigned index, VirtioQueue& queue);
  void start();  // with the queues that are enabled
  std::uintptr_t config() const { return config_; }

 private:
  void agree(std::uint64_t features);

  std::uintptr_t common_ = 0;
  std::uintptr_t config_ = 0;
  std::uintptr_t doorbells_ = 0;
  std::uint32_t multiplier_ = 0;  // bytes from one doorbell to the next
};

}  // namespace bench
