#include "core/pci/pci_bus.h"

#include <algorithm>

#include "core/base/bits.h"
#include "core/base/log.h"

namespace core::inline pci {

namespace {
// BARs lose against RAM, should a guest put one there.
constexpr int kBarPriority = -1;
}  // namespace

Result<> PciBus::plug(PciAddress address, PciFunction& function) {
  if (!functions_.try_emplace(address, Plugged{&function, {}, false}).second) {
    return fail("PCI slot {:02x}.{} is taken twice", address.device, address.function);
  }
  const auto pin = function.identity().interrupt_pin;
  if (pin != 0) function.connect_intx(IrqLine(*this, address.device * 4 + pin - 1));
  return {};
}

PciBus::Plugged* PciBus::find(unsigned bus, PciAddress address) {
  if (bus != 0) return nullptr;
  const auto found = functions_.find(address);
  return found == functions_.end() ? nullptr : &found->second;
}

std::uint32_t PciBus::config_read(unsigned bus, PciAddress address, std::uint32_t offset, unsigned width) {
  auto* plugged = find(bus, address);
  if (plugged == nullptr || !range_inside(offset, width, abi::kConfigSize))
    return static_cast<std::uint32_t>(all_ones(width));
  const std::scoped_lock device(plugged->function->lock());
  return plugged->function->config_read(offset, width);
}

void PciBus::config_write(unsigned bus, PciAddress address, std::uint32_t offset, unsigned width, std::uint32_t value) {
  auto* plugged = find(bus, address);
  if (plugged == nullptr || !range_inside(offset, width, abi::kConfigSize)) return;
  std::vector<PciFunction::Window> windows;
  {
    const std::scoped_lock device(plugged->function->lock());
    plugged->function->config_write(offset, width, value);
    windows = plugged->function->windows();
  }
  const bool freed = follow(*plugged, windows);
  // What was freed may be where another BAR has been waiting, as when a guest swaps two.
  if (freed && std::ranges::any_of(functions_, [](const auto& entry) { return entry.second.denied; })) remap();
}

bool PciBus::follow(Plugged& plugged, const std::vector<PciFunction::Window>& windows) {
  const std::scoped_lock guard(mapping_mutex_);
  const auto freed = std::erase_if(plugged.mappings, [&windows](const Mapping& mapping) {
    return std::ranges::none_of(windows, [&mapping](const PciFunction::Window& window) {
      return window.bar == mapping.bar && window.base == mapping.base;
    });
  });
  plugged.denied = false;
  for (const auto& [bar, base] : windows) {
    if (!base) continue;
    if (std::ranges::any_of(plugged.mappings, [b = bar](const Mapping& mapping) { return mapping.bar == b; })) continue;
    if (bar->memory != nullptr) {
      const auto size = align_up<std::uint64_t>(std::min(bar->size, bar->memory->size()), kPageSize);
      const RamRegion region{
          Gpa(align_down<std::uint64_t>(*base, kPageSize)), size, bar->memory, 0, bar->writable, bar->log_dirty};
      plugged.mappings.push_back({bar, *base, wiring_.ram.map(region, kBarPriority), {}});
      continue;
    }
    auto& space = bar->kind == BarKind::Io ? wiring_.io : wiring_.mmio;
    auto range = space.add({*base, bar->size, bar->max_width}, *bar->handler, plugged.function->lock(), bar->name);
    if (range) {
      std::vector<Registration> doorbells;
      doorbells.reserve(bar->doorbells.size());
      for (const auto& [offset, width, match, eventfd] : bar->doorbells)
        doorbells.push_back(space.add_doorbell({*base + offset, width, match, eventfd}));
      plugged.mappings.push_back({bar, *base, std::move(*range), std::move(doorbells)});
    } else {
      plugged.denied = true;
      MV_LOG_LIMITED(Debug, "pci", "{}", range.error().message);
    }
  }
  return freed > 0;
}

void PciBus::remap() {
  // Twice: in the first round a BAR may find its place still held by another that has yet to leave it.
  for (unsigned round = 0; round < 2; ++round) {
    for (auto& [address, plugged] : functions_) {
      std::vector<PciFunction::Window> windows;
      {
        const std::scoped_lock device(plugged.function->lock());
        windows = plugged.function->windows();
      }
      follow(plugged, windows);
    }
  }
}

void PciBus::unplug_all() {
  functions_.clear();
}

void PciBus::set_input(unsigned input, bool level) {
  const std::scoped_lock guard(intx_mutex_);
  intx_[input % intx_.size()] = level;
  // [i440FX] the board wires pin p of device d to PIRQ (d - 1 + p) mod 4.
  const auto pirq_of = [](unsigned i) { return (i / 4 + 3 + i % 4) % 4; };
  bool joined = false;
  for (unsigned i = 0; i < intx_.size(); ++i)
    joined = joined || (intx_[i] && pirq_of(i) == pirq_of(input));
  wiring_.pirq.set_input(pirq_of(input), joined);
}

std::vector<PciBus::Slot> PciBus::slots() const {
  std::vector<Slot> result;
  result.reserve(functions_.size());
  for (const auto& [address, plugged] : functions_)
    result.push_back({address, plugged.function});
  return result;
}

}  // namespace core::inline pci
