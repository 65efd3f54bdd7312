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

bool QxlRamHeader::interrupt_wanted() const {
  const auto pending = header_.read<std::uint32_t>(offsetof(QXLRam, int_pending));
  const auto mask = header_.read<std::uint32_t>(offsetof(QXLRam, int_mask));
  return pending && mask && (*pending & *mask) != 0;
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
