// Guest RAM as devices see it by DMA: a list of pieces fixed before the machine starts, so that lookups take no lock.
//
// Which accessor to use:
//   read<T>/write<T>(Gpa)   one structure or scalar          read/write(Gpa, span)   bytes, within one piece
//   slice(Gpa, length)      a region used repeatedly          gather(Gpa, length, v)  part of a file transfer
// All of them refuse (nullopt, false) what does not lie in RAM as a whole.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/memory/gpa.h"
#include "core/memory/memory_block.h"

namespace core::inline memory {

class GuestMemory {
 public:
  struct Piece {
    Gpa start;
    std::uint64_t size = 0;  // bytes, whole pages
    MemoryBlock* block = nullptr;
    std::uint64_t offset = 0;  // in the block
  };

  // Where PC RAM lies: [0, below_4g) and the rest from 4 GiB on, in one block. `below_4g` is the start of the PCI hole
  // (at most 3 GiB). The VGA window and the BIOS area are RAM for DMA, whatever the CPU sees there.
  static Result<std::unique_ptr<GuestMemory>> create(std::uint64_t bytes, std::uint64_t below_4g);

  std::uint64_t size() const { return block_->size(); }
  std::span<const Piece> pieces() const { return pieces_; }
  MemoryBlock& block() { return *block_; }

  std::optional<MemorySlice> slice(Gpa start, std::uint64_t length) const;
  bool read(Gpa from, std::span<std::uint8_t> out) const;
  bool write(Gpa to, std::span<const std::uint8_t> bytes) const;
  bool gather(Gpa start, std::uint64_t length, GuestIoVector& vector) const;

  // Gives whole pages that the guest does not use back to the host; they read as zeros.
  bool discard(Gpa start, std::uint64_t length) const;

  template <GuestPod T>
  std::optional<T> read(Gpa from) const {
    const auto part = slice(from, sizeof(T));
    return part ? part->template read<T>(0) : std::nullopt;
  }
  template <GuestPod T>
  bool write(Gpa to, const T& value) const {
    const auto part = slice(to, sizeof(T));
    return part && part->write(0, value);
  }

 private:
  explicit GuestMemory(std::unique_ptr<MemoryBlock> block) : block_(std::move(block)) {}

  std::unique_ptr<MemoryBlock> block_;
  std::vector<Piece> pieces_;
};

}  // namespace core::inline memory
