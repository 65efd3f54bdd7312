#include "core/bus/registers.h"

#include <algorithm>

#include "core/base/assert.h"

namespace core::inline bus {

RegisterFile::RegisterFile(std::span<const Register> table, std::size_t size)
    : table_(table), bytes_(size), writable_(size), clear_on_one_(size) {
  for (const auto& entry : table_) {
    MV_ASSERT(entry.offset + entry.width <= size, "a register lies inside its file");
    for (unsigned i = 0; i < entry.width; ++i) {
      writable_[entry.offset + i] = static_cast<std::uint8_t>(entry.writable >> (8 * i));
      clear_on_one_[entry.offset + i] = static_cast<std::uint8_t>(entry.clear_on_one >> (8 * i));
    }
  }
  reset();
}

void RegisterFile::reset() {
  std::ranges::fill(bytes_, std::uint8_t{0});
  for (const auto& entry : table_)
    set(entry.offset, entry.width, entry.reset);
}

std::uint64_t RegisterFile::read(std::uint64_t offset, unsigned width) const {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < width && offset + i < bytes_.size(); ++i) {
    value |= std::uint64_t{bytes_[offset + i]} << (8 * i);
  }
  return value;
}

void RegisterFile::write(std::uint64_t offset, unsigned width, std::uint64_t value) {
  for (unsigned i = 0; i < width && offset + i < bytes_.size(); ++i) {
    const auto written = static_cast<std::uint8_t>(value >> (8 * i));
    auto& byte = bytes_[offset + i];
    const auto mask = writable_[offset + i];
    byte = static_cast<std::uint8_t>((byte & ~mask) | (written & mask));
    byte = static_cast<std::uint8_t>(byte & ~(written & clear_on_one_[offset + i]));
  }
}

void RegisterFile::set(std::uint32_t offset, unsigned width, std::uint64_t value) {
  MV_ASSERT(offset + width <= bytes_.size(), "a device sets its own registers");
  for (unsigned i = 0; i < width; ++i)
    bytes_[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

const Register* RegisterFile::at(std::uint64_t offset) const {
  const auto found = std::ranges::find_if(
      table_, [offset](const Register& r) { return offset >= r.offset && offset < r.offset + r.width; });
  return found == table_.end() ? nullptr : &*found;
}

void RegisterFile::set_writable(std::uint32_t offset, unsigned width, std::uint64_t mask) {
  MV_ASSERT(offset + width <= bytes_.size(), "a device sets its own registers");
  for (unsigned i = 0; i < width; ++i)
    writable_[offset + i] = static_cast<std::uint8_t>(mask >> (8 * i));
}

}  // namespace core::inline bus
