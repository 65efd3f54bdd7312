#include "tests/bench/guest/virtio_blk.h"

#include "tests/bench/guest/clock.h"
#include "tests/guest/bare/bare.h"

namespace bench {

namespace {

constexpr std::uint32_t kDeviceId = 0x1001;
constexpr std::uint8_t kVector = 0x41;
constexpr unsigned kDescriptorsEach = 3;
static_assert(kSlots * kDescriptorsEach <= VirtioQueue::kSize);

// Without the flush feature each write would have to reach the medium. [5.2.6.2]
constexpr std::uint64_t kFlush = 1U << 9;

constexpr std::uint32_t kIn = 0;
constexpr std::uint32_t kOut = 1;
constexpr std::uint32_t kGetId = 8;
constexpr std::uint32_t kIdBytes = 20;

struct Header {
  std::uint32_t type;
  std::uint32_t reserved;
  std::uint64_t sector;
};

VirtioQueue queue;
alignas(16) Header headers[kSlots];
volatile std::uint8_t statuses[kSlots];

volatile std::uint64_t interrupt_count;
volatile std::uint64_t last_interrupt;

template <class T>
std::uintptr_t address_of(T& object) {
  return reinterpret_cast<std::uintptr_t>(&object);
}

void on_interrupt() {
  last_interrupt = ticks();
  interrupt_count = interrupt_count + 1;
}

}  // namespace

void VirtioBlk::open() {
  bare::on_interrupt(kVector, on_interrupt);
  VirtioFunction function;
  function.open(kDeviceId, kFlush, kVector, "a cached virtio disk");
  function.enable(0, queue);
  bare::expect(queue.size() >= kSlots * kDescriptorsEach, "a queue of 96");
  function.start();
  size_bytes_ = bare::at<std::uint32_t>(function.config()) * std::uint64_t{kSectorBytes};  // a disk of less than 2 TiB
}

void VirtioBlk::fill(unsigned slot, std::uint32_t type, std::uint64_t sector, std::uint32_t bytes, bool to_guest) {
  constexpr auto kNext = VirtioQueue::kNext;
  constexpr auto kWrite = VirtioQueue::kWrite;
  const auto first = slot * kDescriptorsEach;
  const auto second = static_cast<std::uint16_t>(first + 1);
  const auto third = static_cast<std::uint16_t>(first + 2);
  headers[slot] = {type, 0, sector};
  statuses[slot] = 0xff;
  queue.descriptor(first) = {address_of(headers[slot]), sizeof(Header), kNext, second};
  queue.descriptor(second) = {buffer_of(slot), bytes, static_cast<std::uint16_t>(to_guest ? kNext | kWrite : kNext),
                              third};
  queue.descriptor(third) = {address_of(statuses[slot]), 1, kWrite, 0};
}

void VirtioBlk::prepare(unsigned slot, const Request& request) {
  fill(slot, request.write ? kOut : kIn, request.offset / kSectorBytes, request.bytes, !request.write);
}

void VirtioBlk::prepare_id(unsigned slot) {
  fill(slot, kGetId, 0, kIdBytes, true);
}

void VirtioBlk::add(std::uint32_t slots) {
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    if ((slots >> slot & 1) != 0) queue.add(slot * kDescriptorsEach);
  }
}

void VirtioBlk::offer(std::uint32_t slots) {
  add(slots);
  queue.offer();
}

void VirtioBlk::ring_doorbell() {
  queue.ring_doorbell();
}

void VirtioBlk::start(std::uint32_t slots) {
  add(slots);
  queue.start();
}

std::uint32_t VirtioBlk::wait() {
  while (interrupt_count == seen_interrupts_)
    bare::relax();
  seen_interrupts_ = interrupt_count;
  return reap();
}

bool VirtioBlk::has_used() const {
  return queue.has_used();
}

void VirtioBlk::mask_interrupts() {
  queue.mask_interrupts();
}

// Takes all there is and asks for an interrupt with the next one; what came before the device has seen that is taken
// too.
std::uint32_t VirtioBlk::reap() {
  std::uint32_t done = 0;
  do {
    while (queue.has_used()) {
      const auto slot = queue.take().head / kDescriptorsEach;
      bare::expect(slot < kSlots && statuses[slot] == 0, "a virtio request that succeeds");
      done |= 1U << slot;
    }
    queue.ask_for_interrupt();
  } while (queue.has_used());
  return done;
}

std::uint64_t VirtioBlk::interrupt_ticks() const {
  return last_interrupt;
}

}  // namespace bench
