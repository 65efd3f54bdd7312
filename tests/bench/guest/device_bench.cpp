// Disks and their interrupts, as a guest sees them: requests a second, and how long a doorbell and an interrupt take.
#include <initializer_list>

#include "tests/bench/guest/ahci.h"
#include "tests/bench/guest/clock.h"
#include "tests/bench/guest/virtio_blk.h"
#include "tests/guest/bare/bare.h"

namespace {

using namespace bench;

constexpr std::uint32_t kBlockBytes = 4096;
constexpr std::uint32_t kSequentialBytes = 64 << 10;
constexpr std::uint64_t kWorkloadMs = 400;
constexpr unsigned kSamples = 500;

std::uint64_t ticks_per_ms;

struct Workload {
  const char* name;
  bool write;
  bool random;
};
constexpr Workload kWorkloads[] = {
    {"random_read", false, true},
    {"random_write", true, true},
    {"sequential_read", false, false},
    {"sequential_write", true, false},
};

void say(const char* drive, const char* what, const char* more, std::uint64_t number) {
  for (const auto* text : {"bench: ", drive, "_", what, more, " "})
    bare::print(text);
  bare::print_number(number);
  bare::print("\n");
}

// Where the next request goes: everywhere with xorshift64, or on and on.
class Places {
 public:
  Places(const Workload& workload, std::uint64_t disk_bytes)
      : workload_(workload), bytes_(workload.random ? kBlockBytes : kSequentialBytes), requests_(disk_bytes / bytes_) {}

  Request next() {
    if (workload_.random) {
      place_ ^= place_ << 13;
      place_ ^= place_ >> 7;
      place_ ^= place_ << 17;
    } else {
      ++place_;
    }
    return {place_ % requests_ * bytes_, bytes_, workload_.write};
  }

 private:
  const Workload& workload_;
  std::uint32_t bytes_;
  std::uint64_t requests_;
  std::uint64_t place_ = 88172645463325252;
};

// The number that each block of the disk begins with.
volatile std::uint64_t& block_number(unsigned slot, std::uint32_t offset) {
  return bare::at<std::uint64_t>(buffer_of(slot) + offset);
}

void mark(unsigned slot, const Request& request) {
  for (std::uint32_t at = 0; at < request.bytes; at += kBlockBytes)
    block_number(slot, at) = request.write ? (request.offset + at) / kBlockBytes : ~std::uint64_t{0};
}

void check(unsigned slot, const Request& request) {
  for (std::uint32_t at = 0; at < request.bytes; at += kBlockBytes)
    bare::expect(block_number(slot, at) == (request.offset + at) / kBlockBytes, "the block that was asked for");
}

// Requests a second with `depth` of them under way.
template <class Disk>
std::uint64_t rate(Disk& disk, const Workload& workload, unsigned depth) {
  Places places(workload, disk.size_bytes());
  Request requests[kSlots];
  std::uint64_t count = 0;
  std::uint32_t idle = depth == 32 ? 0xffff'ffff : (1U << depth) - 1;
  std::uint32_t under_way = 0;
  const auto begun = ticks();
  while (ticks() - begun < kWorkloadMs * ticks_per_ms || under_way != 0) {
    if (ticks() - begun < kWorkloadMs * ticks_per_ms) {
      for (unsigned slot = 0; slot < depth; ++slot) {
        if ((idle >> slot & 1) == 0) continue;
        requests[slot] = places.next();
        mark(slot, requests[slot]);
        disk.prepare(slot, requests[slot]);
      }
      disk.start(idle);
      under_way |= idle;
      idle = 0;
    }
    const auto done = disk.wait();
    for (unsigned slot = 0; slot < depth; ++slot) {
      if ((done >> slot & 1) == 0) continue;
      check(slot, requests[slot]);
      ++count;
    }
    under_way &= ~done;
    idle |= done;
  }
  return count * 1000 * ticks_per_ms / (ticks() - begun);
}

template <class Disk>
void measure_rates(Disk& disk) {
  bare::expect(disk.size_bytes() >= (16 << 20), "a disk of 16 MiB at least");
  for (const auto& workload : kWorkloads) {
    for (const unsigned depth : {1U, 32U})
      say(Disk::kName, workload.name, depth == 1 ? "_1" : "_32", rate(disk, workload, depth));
  }
}

class Samples {
 public:
  void add(std::uint64_t sample) {
    auto at = count_++;
    for (; at > 0 && sorted_[at - 1] > sample; --at)
      sorted_[at] = sorted_[at - 1];
    sorted_[at] = sample;
  }
  std::uint64_t median_ns() const { return sorted_[count_ / 2] * 1'000'000 / ticks_per_ms; }

 private:
  std::uint64_t sorted_[kSamples];
  unsigned count_ = 0;
};

// From the doorbell of a request that needs no disk until the store to the doorbell is done, and until the guest sees
// the request in the used ring.
void measure_doorbell(VirtioBlk& disk) {
  static Samples store, used;
  for (unsigned i = 0; i < kSamples; ++i) {
    disk.prepare_id(0);
    disk.mask_interrupts();
    disk.offer(1);
    const auto begun = ticks();
    disk.ring_doorbell();
    store.add(ticks() - begun);
    while (!disk.has_used())
      bare::relax();
    used.add(ticks() - begun);
    disk.reap();
  }
  say(VirtioBlk::kName, "doorbell", "_ns", store.median_ns());
  say(VirtioBlk::kName, "used", "_ns", used.median_ns());
}

// From the same doorbell until the handler of the completion's interrupt is entered.
void measure_interrupt(VirtioBlk& disk) {
  static Samples handler;
  for (unsigned i = 0; i < kSamples; ++i) {
    disk.prepare_id(0);
    disk.offer(1);
    const auto begun = ticks();
    disk.ring_doorbell();
    while (disk.wait() == 0)
      bare::relax();
    handler.add(disk.interrupt_ticks() - begun);
  }
  say(VirtioBlk::kName, "interrupt", "_ns", handler.median_ns());
}

VirtioBlk virtio_disk;
Ahci ahci_disk;

}  // namespace

void guest_main() {
  ticks_per_ms = calibrate();
  say("tsc", "khz", "", ticks_per_ms);
  // Memory that the host has not given yet would be part of the first figures.
  for (std::uintptr_t at = 0; at < std::uintptr_t{kSlots} * kMaxBytes; at += kBlockBytes)
    bare::at<std::uint64_t>(kBuffers + at) = 0;
  virtio_disk.open();
  ahci_disk.open();
  say(Ahci::kName, "messages", "", ahci_disk.uses_messages() ? 1 : 0);
  measure_doorbell(virtio_disk);
  measure_interrupt(virtio_disk);
  measure_rates(virtio_disk);
  measure_rates(ahci_disk);
}
