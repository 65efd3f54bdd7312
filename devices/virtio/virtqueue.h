// A split virtqueue as the device sees it. [virtio 1.2, 2.7]
//
// The rings and everything in them are the guest's and may change at any time. Each field is read once and checked; a
// queue in which something is wrong is broken and hands out nothing more until it is reset.
#pragma once

#include <cstdint>
#include <optional>

#include "core/memory/guest_memory.h"
#include "core/state/state.h"

namespace devices::virtio {

// A chain of buffers that the driver made available. The device-readable part comes first. [2.6, 2.7.4.2]
struct Chain {
  std::uint16_t head = 0;
  core::GuestIoVector readable;
  core::GuestIoVector writable;
};

class Virtqueue {
 public:
  static constexpr std::uint16_t kMaxSize = 1024;
  // Buffers of one chain; an indirect table may hold more than the queue has entries, as Linux's and QEMU's do.
  static constexpr unsigned kMaxBuffers = 1024;
  // Bytes of each of a chain's two parts: above what drivers ask for, below what would keep a host busy for seconds.
  static constexpr std::uint64_t kMaxBytes = 128 << 20;

  // Where the driver has put the three parts.
  struct Places {
    std::uint64_t descriptors = 0;
    std::uint64_t available = 0;
    std::uint64_t used = 0;
    void visit(core::StateVisitor& visitor);
  };
  struct Ring {
    std::uint16_t size = 0;  // a power of two
    Places places;
    bool indirect = false;     // VIRTIO_F_INDIRECT_DESC was negotiated
    bool event_index = false;  // VIRTIO_F_EVENT_IDX was negotiated
  };

  Virtqueue(const core::GuestMemory& memory, std::uint16_t max_size) : memory_(&memory), max_size_(max_size) {}

  // From here on the device uses the ring; false, and broken, if it does not lie in RAM, aligned as 2.7 demands.
  bool enable(const Ring& ring);
  bool enabled() const { return enabled_; }
  bool broken() const { return state_.broken; }
  std::uint16_t max_size() const { return max_size_; }
  void disable() { enabled_ = false; }
  void reset();  // as it was made

  // Takes the next chain into `chain`; false if there is none or the queue is broken.
  bool pop(Chain& chain);
  // Puts the last chain popped back, to be popped again.
  void unpop();
  // Chains that pop() would give now.
  std::uint16_t waiting() const;
  // After pop() gave none: the driver need not ring before `count` chains wait, where it can be told so. False: they
  // do.
  bool ring_after(std::uint16_t count);
  // Gives a chain back, `written` bytes of its writable part filled.
  void push(std::uint16_t head, std::uint32_t written);
  // Whether the driver wants to be interrupted for what was pushed since the last call.
  bool wants_interrupt();

  // Where in the rings it is; the transport saves and enables the rings themselves.
  void visit(core::StateVisitor& visitor);

 private:
  struct State {
    std::uint16_t next_available = 0;  // in the available ring
    std::uint16_t next_used = 0;       // in the used ring
    std::uint16_t signalled = 0;       // next_used when the driver was last asked about
    bool broken = false;
  };
  // The ring in use; the slices have the sizes of 2.7.
  struct Parts {
    Ring ring;
    core::MemorySlice descriptors;
    core::MemorySlice available;
    core::MemorySlice used;
  };

  std::uint16_t read_available(std::uint64_t offset) const;
  bool has_next();
  bool collect(Chain& chain) const;
  std::optional<core::MemorySlice> indirect_table(std::uint64_t address, std::uint32_t length) const;
  bool break_down();

  const core::GuestMemory* memory_;
  std::uint16_t max_size_;
  Parts parts_;
  bool enabled_ = false;
  State state_;
};

}  // namespace devices::virtio
