#include "devices/platform/ioapic.h"

#include "core/base/bits.h"
#include "devices/platform/ioapic_abi.h"

namespace devices::platform {

using namespace ioapic_abi;

namespace {

bool is_level(std::uint64_t entry) {
  const auto mode = core::bits(entry, kDeliveryModeShift, 3);
  return (entry & kLevelTrigger) != 0 && (mode == kFixed || mode == kLowestPriority);
}

core::IoApicRoute route_of(std::uint64_t entry) {
  const std::uint64_t destination = entry >> kDestinationShift;
  const std::uint64_t logical = core::bit(entry, kLogicalDestinationBit) ? 1 : 0;
  const auto vector_and_mode = static_cast<std::uint32_t>(entry & (0xff | (kDeliveryModeMask << kDeliveryModeShift)));
  return {
      .message = {.address = kMsiAddress | (destination << kMsiDestinationShift) | (logical << kMsiLogicalBit),
                  .data = vector_and_mode | (is_level(entry) ? kMsiLevelTrigger : 0)},
      .level = is_level(entry),
      .masked = (entry & kMasked) != 0,
  };
}

}  // namespace

IoApic::State::State() {
  redirection.fill(kMasked);
}

void IoApic::State::visit(core::StateVisitor& v) {
  v.field("id", id);
  v.field("select", select);
  v.field("lines", lines);
  v.field("redirection", redirection);
}

core::Result<> IoApic::attach(core::AddressSpace& mmio) {
  auto window = mmio.add({.start = kBase, .size = kSize, .max_width = 4}, *this, lock(), state_name());
  if (!window) return core::fail_with(state_name(), window);
  window_ = std::move(*window);
  return {};
}

// The lines are not ours: they keep the levels their devices give them.
void IoApic::reset() {
  const auto lines = state_.lines;
  state_ = {};
  state_.lines = lines;
  publish();
}

core::Result<> IoApic::state_loaded() {
  state_.id &= kIdMask;
  state_.lines &= (1U << core::kIoApicPins) - 1;
  for (auto& entry : state_.redirection) {
    entry &= kWritable | kRemoteIrr;
    if (!is_level(entry)) entry &= ~kRemoteIrr;
  }
  publish();
  return {};
}

void IoApic::set_input(unsigned input, bool level) {
  if (input >= core::kIoApicPins) return;
  const std::scoped_lock guard(lock());
  if (core::bit(state_.lines, input) == level) return;
  state_.lines = core::with_bit(state_.lines, input, level);
  if (!level) return;
  const auto entry = state_.redirection[input];
  if (is_level(entry)) {
    service_level(input);
  } else if ((entry & kMasked) == 0) {  // an edge at a masked pin is lost [82093AA 3.2.4, Interrupt Mask]
    wiring_.msi.deliver(route_of(entry).message);
  }
}

void IoApic::service_level(unsigned pin) {
  auto& entry = state_.redirection[pin];
  if (!is_level(entry) || !core::bit(state_.lines, pin) || (entry & (kMasked | kRemoteIrr)) != 0) return;
  entry |= kRemoteIrr;  // before the message: its EOI may come from another thread at once
  wiring_.msi.deliver(route_of(entry).message);
}

void IoApic::eoi(std::uint8_t vector) {
  const std::scoped_lock guard(lock());
  end_interrupt(vector);
}

void IoApic::end_interrupt(std::uint8_t vector) {
  for (unsigned pin = 0; pin < core::kIoApicPins; ++pin) {
    auto& entry = state_.redirection[pin];
    if ((entry & kRemoteIrr) == 0 || (entry & 0xff) != vector) continue;
    entry &= ~kRemoteIrr;
    service_level(pin);
  }
}

// Only whole words exist. [82093AA 3.1]
std::uint64_t IoApic::read(std::uint64_t offset, unsigned width) {
  if (width != 4) return 0;
  if (offset == kSelect) return state_.select;
  if (offset == kWindow) return read_window();
  return 0;
}

void IoApic::write(std::uint64_t offset, unsigned width, std::uint64_t value) {
  if (width != 4) return;
  if (offset == kSelect) state_.select = static_cast<std::uint8_t>(value);
  if (offset == kWindow) write_window(static_cast<std::uint32_t>(value));
  if (offset == kEoi) end_interrupt(static_cast<std::uint8_t>(value));
}

std::uint32_t IoApic::read_window() const {
  switch (state_.select) {
    case kId:
    case kArbitration: return std::uint32_t{state_.id} << kIdShift;
    case kVersion: return kVersionWithEoi | ((core::kIoApicPins - 1) << 16);
    default: break;
  }
  const unsigned index = state_.select - kRedirection;
  if (state_.select < kRedirection || index / 2 >= core::kIoApicPins) return 0;
  return static_cast<std::uint32_t>(state_.redirection[index / 2] >> (index % 2 == 0 ? 0 : 32));
}

void IoApic::write_window(std::uint32_t value) {
  if (state_.select == kId) state_.id = static_cast<std::uint8_t>((value >> kIdShift) & kIdMask);
  const unsigned index = state_.select - kRedirection;
  if (state_.select < kRedirection || index / 2 >= core::kIoApicPins) return;
  write_redirection(index / 2, index % 2 != 0, value);
}

void IoApic::write_redirection(unsigned pin, bool upper, std::uint32_t value) {
  auto& entry = state_.redirection[pin];
  const auto half_mask = upper ? 0xffff'ffff'0000'0000 : 0x0000'0000'ffff'ffff;
  const auto writable = kWritable & half_mask;
  entry = (entry & ~writable) | ((std::uint64_t{value} << (upper ? 32 : 0)) & writable);
  // Linux ends an interrupt on an I/O APIC without EOI register by making the pin edge and level again.
  if (!is_level(entry)) entry &= ~kRemoteIrr;
  publish();
  service_level(pin);
}

void IoApic::publish() {
  std::array<core::IoApicRoute, core::kIoApicPins> routes;
  for (unsigned pin = 0; pin < core::kIoApicPins; ++pin)
    routes[pin] = route_of(state_.redirection[pin]);
  if (routes == published_) return;
  published_ = routes;
  wiring_.routes.set_ioapic_routes(routes);
}

}  // namespace devices::platform
