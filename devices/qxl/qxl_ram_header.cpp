#include "devices/qxl/qxl_ram_header.h"

#include <array>

#include "devices/qxl/qxl_abi.h"

namespace devices::qxl {

using abi::QXLRam;

namespace {

template <class Ring>
void reset_ring(const core::MemorySlice& header, std::uint64_t offset) {
  header.write(offset + offsetof(Ring, num_items), core::le32(Ring::kItems));
  header.write(offset + offsetof(Ring, prod), core::le32(0));
  header.write(offset + offsetof(Ring, notify_on_prod), core::le32(1));
  header.write(offset + offsetof(Ring, cons), core::le32(0));
  header.write(offset + offsetof(Ring, notify_on_cons), core::le32(0));
}

}  // namespace

void QxlRamHeader::reset() const {
  header_.write(offsetof(QXLRam, magic), core::le32(abi::kRamMagic));
  header_.write(offsetof(QXLRam, int_pending), core::le32(0));
  header_.write(offsetof(QXLRam, int_mask), core::le32(0));
  reset_ring<abi::QXLCommandRing>(header_, offsetof(QXLRam, cmd_ring));
  reset_ring<abi::QXLCommandRing>(header_, offsetof(QXLRam, cursor_ring));
  reset_ring<abi::QXLReleaseRing>(header_, offsetof(QXLRam, release_ring));
  // The slot under construction: nothing released yet.
  header_.write(offsetof(QXLRam, release_ring) + offsetof(abi::QXLReleaseRing, items), core::le64(0));
  header_.write(offsetof(QXLRam, update_surface), core::le32(0));
  header_.write(offsetof(QXLRam, monitors_config), core::le64(0));
}

bool QxlRamHeader::raise(std::uint32_t interrupts) const {
  const auto old = header_.fetch_or(offsetof(QXLRam, int_pending), interrupts);
  return old && (*old & interrupts) != interrupts;
}

std::uint32_t QxlRamHeader::interrupt_mask() const {
  return header_.read<std::uint32_t>(offsetof(QXLRam, int_mask)).value_or(0);
}

bool QxlRamHeader::interrupt_wanted() const {
  return (header_.read<std::uint32_t>(offsetof(QXLRam, int_pending)).value_or(0) & interrupt_mask()) != 0;
}

QxlRamHeader::Update QxlRamHeader::update_area() const {
  return {header_.read<core::le32>(offsetof(QXLRam, update_surface)).value_or(0),
          header_.read<abi::QXLURect>(offsetof(QXLRam, update_area)).value_or(abi::QXLURect{})};
}

QxlRamHeader::Range QxlRamHeader::mem_slot() const {
  const auto slot = header_.read<abi::QXLMemSlot>(offsetof(QXLRam, mem_slot)).value_or(abi::QXLMemSlot{});
  return {slot.mem_start, slot.mem_end};
}

abi::QXLSurfaceCreate QxlRamHeader::create_surface() const {
  return header_.read<abi::QXLSurfaceCreate>(offsetof(QXLRam, create_surface)).value_or(abi::QXLSurfaceCreate{});
}

std::uint64_t QxlRamHeader::monitors_config() const {
  return header_.read<core::le64>(offsetof(QXLRam, monitors_config)).value_or(0);
}

bool QxlRamHeader::release_ring_empty() const {
  const auto ring = release_ring();
  return ring.read<std::uint32_t>(offsetof(abi::QXLReleaseRing, prod)) ==
         ring.read<std::uint32_t>(offsetof(abi::QXLReleaseRing, cons));
}

core::MemorySlice QxlRamHeader::part(std::size_t offset, std::size_t size) const {
  return header_.slice(offset, size).value_or(core::MemorySlice{});
}

core::MemorySlice QxlRamHeader::command_ring() const {
  return part(offsetof(QXLRam, cmd_ring), sizeof(abi::QXLCommandRing));
}

core::MemorySlice QxlRamHeader::cursor_ring() const {
  return part(offsetof(QXLRam, cursor_ring), sizeof(abi::QXLCommandRing));
}

core::MemorySlice QxlRamHeader::release_ring() const {
  return part(offsetof(QXLRam, release_ring), sizeof(abi::QXLReleaseRing));
}

std::string QxlRamHeader::log_text() const {
  std::array<std::uint8_t, abi::kLogSize> bytes{};
  header_.read(offsetof(QXLRam, log_buf), bytes);
  std::string text;
  for (const auto byte : bytes) {
    if (byte == 0) break;
    text.push_back(byte >= ' ' && byte < 0x7f ? static_cast<char>(byte) : ' ');
  }
  return text;
}

}  // namespace devices::qxl
