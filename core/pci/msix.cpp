#include "core/pci/msix.h"

#include <array>

#include "core/base/assert.h"

namespace core::inline pci {

namespace {

constexpr std::uint8_t kMsixId = 0x11;
// [PCI 3.0 6.8.2.3] Message Control
constexpr std::uint32_t kControl = 2;
constexpr std::uint16_t kEnable = 1 << 15;
constexpr std::uint16_t kFunctionMask = 1 << 14;

constexpr std::uint64_t kEntryBytes = 16;
constexpr std::uint64_t kPendingArray = 0x800;  // behind kMaxVectors entries
static_assert(kPendingArray >= Msix::kMaxVectors * kEntryBytes);

}  // namespace

Msix::Msix(unsigned vectors, MsiSink& sink) : sink_(sink), entries_(vectors) {
  MV_ASSERT(vectors > 0 && vectors <= kMaxVectors, "an MSI-X table has 1 to 128 vectors here");
}

void Msix::announce(CapabilityList& list, unsigned bar) {
  const std::array rows{
      Register{.name = "MC",
               .offset = kControl,
               .width = 2,
               .reset = entries_.size() - 1,
               .writable = kEnable | kFunctionMask},
      Register{.name = "TABLE", .offset = 4, .width = 4, .reset = bar},
      Register{.name = "PBA", .offset = 8, .width = 4, .reset = kPendingArray | bar},
  };
  capability_ = list.add(kMsixId, 12, rows);
}

void Msix::follow(const RegisterFile& config) {
  const auto control = config.value(capability_ + kControl, 2);
  enabled_ = (control & kEnable) != 0;
  function_masked_ = (control & kFunctionMask) != 0;
  if (!enabled_) return;
  for (auto& entry : entries_) {
    if (entry.pending && !is_masked(entry)) send(entry);
  }
}

void Msix::notify(unsigned vector) {
  if (!enabled_ || vector >= entries_.size()) return;
  auto& entry = entries_[vector];
  if (is_masked(entry)) {
    entry.pending = true;
    return;
  }
  send(entry);
}

void Msix::send(Entry& entry) {
  entry.pending = false;
  const MsiMessage message{std::uint64_t{entry.address_high} << 32 | entry.address_low, entry.data};
  if (running_ && entry.routed != message) {
    entry.route.reset();
    entry.route = sink_.open_route(message);
    entry.routed = message;
  }
  if (entry.route != nullptr) return entry.route->send();
  sink_.deliver(message);
}

void Msix::set_running(bool running) {
  running_ = running;
  if (running) return;
  for (auto& entry : entries_) {
    entry.route.reset();
    entry.routed.reset();
  }
}

// [PCI 3.0 6.8.2] Guests access both structures by aligned doublewords or quadwords; anything else is undefined, and
// here does nothing.
std::uint64_t Msix::read(std::uint64_t offset, unsigned width) {
  if (width < 4 || offset % 4 != 0) return 0;
  const auto word = [this](std::uint64_t at) { return at < kPendingArray ? read_table(at) : read_pending(at); };
  const std::uint64_t low = word(offset);
  return width == 8 ? low | std::uint64_t{word(offset + 4)} << 32 : low;
}

void Msix::write(std::uint64_t offset, unsigned width, std::uint64_t value) {
  if (width < 4 || offset % 4 != 0) return;
  write_table(offset, static_cast<std::uint32_t>(value));
  if (width == 8) write_table(offset + 4, static_cast<std::uint32_t>(value >> 32));
}

std::uint32_t Msix::read_table(std::uint64_t offset) const {
  const auto index = offset / kEntryBytes;
  if (index >= entries_.size()) return 0;
  const auto& entry = entries_[index];
  const std::array words{entry.address_low, entry.address_high, entry.data, entry.control};
  return words[offset % kEntryBytes / 4];
}

void Msix::write_table(std::uint64_t offset, std::uint32_t value) {
  const auto index = offset / kEntryBytes;
  if (index >= entries_.size()) return;
  auto& entry = entries_[index];
  switch (offset % kEntryBytes / 4) {
    case 0: entry.address_low = value & ~3U; break;
    case 1: entry.address_high = value; break;
    case 2: entry.data = value; break;
    default: entry.control = value & kMasked;
  }
  if (enabled_ && entry.pending && !is_masked(entry)) send(entry);
}

std::uint32_t Msix::read_pending(std::uint64_t offset) const {
  const auto first = (offset - kPendingArray) * 8;
  std::uint32_t bits = 0;
  for (std::uint32_t i = 0; i < 32 && first + i < entries_.size(); ++i) {
    if (entries_[first + i].pending) bits |= std::uint32_t{1} << i;
  }
  return bits;
}

void Msix::reset() {
  for (auto& entry : entries_)
    entry = {};
  enabled_ = false;
  function_masked_ = false;
}

void Msix::Entry::visit(StateVisitor& visitor) {
  visitor.field("address_low", address_low);
  visitor.field("address_high", address_high);
  visitor.field("data", data);
  visitor.field("control", control);
  visitor.field("pending", pending);
}

void Msix::visit(StateVisitor& visitor) {
  visitor.enter("msix");
  std::size_t index = 0;
  for (auto& entry : entries_)
    visitor.field(std::to_string(index++), entry);
  visitor.field("enabled", enabled_);
  visitor.field("function_masked", function_masked_);
  visitor.leave();
}

}  // namespace core::inline pci
