#include "core/pci/pci_function.h"

#include <bit>

#include "core/base/assert.h"
#include "core/base/bits.h"

namespace core::inline pci {

using namespace abi;

namespace {

std::uint32_t bar_offset(const Bar& bar) {
  return bar.kind == BarKind::Rom ? kRomBar : kBar0 + 4 * bar.index;
}

// The read-only low bits that tell the kind of a BAR. [PCI 3.0 6.2.5.1]
std::uint32_t bar_type_bits(const Bar& bar) {
  switch (bar.kind) {
    case BarKind::Io: return kBarIo;
    case BarKind::Memory32: return bar.prefetchable ? kBarPrefetch : 0;
    case BarKind::Memory64: return kBar64 | (bar.prefetchable ? kBarPrefetch : 0);
    case BarKind::Rom: return 0;
  }
  return 0;
}

}  // namespace

std::vector<Register> PciFunction::header_rows(const PciIdentity& id, std::span<const Register> rows) {
  constexpr std::uint16_t kWritableCommand =
      kCommandIo | kCommandMemory | kCommandBusMaster | kCommandParity | kCommandSerr | kCommandIntxDisable;
  std::vector<Register> all{
      {.name = "VID", .offset = kVendorId, .width = 2, .reset = id.vendor},
      {.name = "DID", .offset = kDeviceId, .width = 2, .reset = id.device},
      {.name = "CMD", .offset = kCommand, .width = 2, .writable = kWritableCommand},
      {.name = "STS", .offset = kStatus, .width = 2, .clear_on_one = kStatusErrors},
      {.name = "RID", .offset = kRevision, .width = 1, .reset = id.revision},
      {.name = "CC0", .offset = kClassCode, .width = 1, .reset = id.class_code & 0xff},
      {.name = "CC1", .offset = kClassCode + 1, .width = 2, .reset = id.class_code >> 8},
      {.name = "CLS", .offset = kCacheLineSize, .width = 1, .writable = 0xff},
      {.name = "MLT", .offset = kLatencyTimer, .width = 1, .writable = 0xff},
      {.name = "HTYPE", .offset = kHeaderType, .width = 1, .reset = id.multi_function ? kMultiFunction : 0u},
      {.name = "SVID", .offset = kSubsystemVendorId, .width = 2, .reset = id.subsystem_vendor},
      {.name = "SID", .offset = kSubsystemId, .width = 2, .reset = id.subsystem},
      {.name = "INTLN", .offset = kInterruptLine, .width = 1, .writable = id.interrupt_pin != 0 ? 0xffu : 0u},
      {.name = "INTPN", .offset = kInterruptPin, .width = 1, .reset = id.interrupt_pin},
  };
  // A device's own row replaces the standard one at its offset (command and status bits differ between chips).
  for (const auto& row : rows) {
    std::erase_if(all, [&row](const Register& standard) { return standard.offset == row.offset; });
    all.push_back(row);
  }
  return all;
}

PciFunction::PciFunction(const PciIdentity& identity, std::span<const Register> rows, DeviceLock* shared)
    : Device(shared), identity_(identity), rows_(header_rows(identity, rows)), config_(rows_, kConfigSize) {}

void PciFunction::declare_bar(Bar bar) {
  MV_ASSERT(std::has_single_bit(bar.size), "a BAR's size is a power of two");
  MV_ASSERT((bar.handler != nullptr) != (bar.memory != nullptr), "a BAR is registers or memory");
  const auto offset = bar_offset(bar);
  const auto mask = ~(bar.size - 1);
  auto low = static_cast<std::uint32_t>(mask);
  if (bar.kind == BarKind::Rom) low |= kRomEnable;
  config_.set_writable(offset, 4, low);
  config_.set(offset, 4, bar_type_bits(bar));
  if (bar.kind == BarKind::Memory64) config_.set_writable(offset + 4, 4, mask >> 32);
  bars_.push_back(std::move(bar));
}

void PciFunction::reset_config() {
  config_.reset();
  for (const auto& bar : bars_)
    config_.set(bar_offset(bar), 4, bar_type_bits(bar));
}

std::uint32_t PciFunction::config_read(std::uint32_t offset, unsigned width) {
  config_reading(offset, width);
  auto value = static_cast<std::uint32_t>(config_.read(offset, width));
  const auto status_bit = 8 * (kStatus - offset);
  if (intx_level_ && offset <= kStatus && offset + width > kStatus) value |= std::uint32_t{kStatusIntx} << status_bit;
  return value;
}

void PciFunction::config_write(std::uint32_t offset, unsigned width, std::uint32_t value) {
  config_.write(offset, width, value);
  update_intx();
  config_written(offset, width);
}

void PciFunction::config_reading(std::uint32_t, unsigned) {}
void PciFunction::config_written(std::uint32_t, unsigned) {}

bool PciFunction::bus_master_enabled() const {
  return (config_.value(kCommand, 2) & kCommandBusMaster) != 0;
}

void PciFunction::set_intx(bool level) {
  intx_level_ = level;
  update_intx();
}

void PciFunction::update_intx() {
  intx_line_.set(intx_level_ && (config_.value(kCommand, 2) & kCommandIntxDisable) == 0);
}

std::optional<std::uint64_t> PciFunction::base_of(const Bar& bar) const {
  const auto command = config_.value(kCommand, 2);
  const auto offset = bar_offset(bar);
  std::uint64_t base = config_.value(offset, 4);
  if (bar.kind == BarKind::Io) {
    if ((command & kCommandIo) == 0) return std::nullopt;
    base &= ~std::uint64_t{3} & 0xffff'ffff;
    // A PC has 64 Ki ports.
    return base != 0 && base + bar.size <= 0x10000 ? std::optional(base) : std::nullopt;
  }
  if ((command & kCommandMemory) == 0) return std::nullopt;
  if (bar.kind == BarKind::Rom && (base & kRomEnable) == 0) return std::nullopt;
  if (bar.kind == BarKind::Memory64) base |= config_.value(offset + 4, 4) << 32;
  base &= ~(bar.size - 1) & ~std::uint64_t{0xf};
  const auto last = checked_add(base, bar.size - 1);
  // Zero and the top of the space are what a guest leaves in a BAR while it sizes it, not addresses.
  if (base == 0 || !last || *last >= (std::uint64_t{1} << 52)) return std::nullopt;
  if (bar.kind != BarKind::Memory64 && *last >= 0xffff'ffff) return std::nullopt;
  return base;
}

std::vector<PciFunction::Window> PciFunction::windows() const {
  std::vector<Window> result;
  result.reserve(bars_.size());
  for (const auto& bar : bars_)
    result.push_back({&bar, base_of(bar)});
  return result;
}

}  // namespace core::inline pci
