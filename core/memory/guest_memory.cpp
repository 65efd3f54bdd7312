#include "core/memory/guest_memory.h"

#include <algorithm>

namespace core::inline memory {

namespace {
constexpr std::uint64_t kFourGib = std::uint64_t{4} << 30;
}

Result<std::unique_ptr<GuestMemory>> GuestMemory::create(std::uint64_t bytes, std::uint64_t below_4g) {
  auto block = MemoryBlock::create("ram", bytes);
  if (!block) return std::unexpected(block.error());
  std::unique_ptr<GuestMemory> memory(new GuestMemory(std::move(*block)));
  const auto size = memory->size();
  const auto low = std::min(size, below_4g);
  memory->pieces_.push_back({Gpa(0), low, memory->block_.get(), 0});
  if (size > low) memory->pieces_.push_back({Gpa(kFourGib), size - low, memory->block_.get(), low});
  return memory;
}

std::optional<MemorySlice> GuestMemory::slice(Gpa start, std::uint64_t length) const {
  for (const auto& piece : pieces_) {
    if (start < piece.start) continue;
    const auto offset = start.value() - piece.start.value();
    if (range_inside(offset, length, piece.size)) return piece.block->slice(piece.offset + offset, length);
  }
  return std::nullopt;
}

bool GuestMemory::read(Gpa from, std::span<std::uint8_t> out) const {
  const auto part = slice(from, out.size());
  return part && part->read(0, out);
}

bool GuestMemory::write(Gpa to, std::span<const std::uint8_t> bytes) const {
  const auto part = slice(to, bytes.size());
  return part && part->write(0, bytes);
}

bool GuestMemory::gather(Gpa start, std::uint64_t length, GuestIoVector& vector) const {
  const auto part = slice(start, length);
  if (part) vector.append(*part);
  return part.has_value();
}

bool GuestMemory::discard(Gpa start, std::uint64_t length) const {
  if (start.value() % kPageSize != 0 || length % kPageSize != 0) return false;
  for (const auto& piece : pieces_) {
    const auto offset = start.value() - piece.start.value();
    if (start < piece.start || !range_inside(offset, length, piece.size)) continue;
    piece.block->discard(piece.offset + offset, length);
    return true;
  }
  return false;
}

}  // namespace core::inline memory
