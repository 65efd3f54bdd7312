// Block seam: a disk controller and the image behind it. Requests run off the vCPU thread and complete on a thread of
// the backend.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "core/base/result.h"

namespace core::inline memory {
class GuestIoVector;
}

namespace core::inline ports {

enum class BlockOp : std::uint8_t {
  Read,
  Write,
  Flush,
  WriteZeroes,  // the range reads as zeros afterwards
  Discard,      // nobody needs what is in the range; it may read as anything
};

struct BlockRequest {
  BlockOp op = BlockOp::Read;
  std::uint64_t offset = 0;  // bytes, multiple of 512; offset + data size lies inside the disk
  // Where the data of a Read or Write lies: guest memory, or a buffer of the controller (exactly one). Both stay valid
  // and untouched until `done`.
  const GuestIoVector* guest = nullptr;
  std::uint8_t* buffer = nullptr;
  std::uint64_t length = 0;  // bytes in `buffer`, or of the range of WriteZeroes and Discard; multiple of 512
  // Called once, on a backend thread with no device lock held, or within submit() by a backend that works at once (for
  // a clock whose completions take no device lock). An error means the data is undefined (Read) or may not have been
  // written (the others).
  std::function<void(Result<>)> done;
};

// What of a disk's contents ends with the process (snapshot=on), so that it can be saved with the machine. Control
// loop, the disk is drained.
class VolatileContents {
 public:
  virtual ~VolatileContents() = default;
  using Take = std::function<Result<>(std::uint64_t offset, std::span<const std::uint8_t> bytes)>;
  virtual Result<> read_all(const Take& take) = 0;  // in pieces of at most 64 KiB, by offset
  virtual void forget_all() = 0;
  virtual Result<> put(std::uint64_t offset, std::span<const std::uint8_t> bytes) = 0;  // a piece that read_all() gave
};

class BlockBackend {
 public:
  virtual ~BlockBackend() = default;
  virtual std::uint64_t size_bytes() const = 0;  // multiple of 512
  virtual bool read_only() const = 0;
  virtual const std::string& path() const = 0;  // for messages and the monitor
  // Any thread, device lock may be held; blocks only if the backend works at once. Requests may complete in any order;
  // a Flush covers every write that was done before it was submitted.
  virtual void submit(BlockRequest request) = 0;
  // Does a Read without its `done`, if it takes no waiting for a disk; false: it has to be submitted, and the data is
  // undefined until then. Any thread, device lock may be held.
  virtual bool read_at_once(const BlockRequest&) { return false; }
  // Waits until everything submitted is done. Control loop, machine stopped or device idle.
  virtual void drain() = 0;
  virtual VolatileContents* volatile_contents() { return nullptr; }  // null: everything is in a file
};

}  // namespace core::inline ports
