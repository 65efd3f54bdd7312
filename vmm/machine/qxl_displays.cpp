#include "vmm/machine/qxl_displays.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include "devices/qxl/qxl_function.h"

namespace vmm::machine {

namespace {

using devices::qxl::QxlFunction;

core::PciAddress address_of(unsigned index) {
  constexpr core::PciAddress kFirst{2, 0};
  constexpr unsigned kSlotOfSecond = 16;
  return index == 0 ? kFirst : core::PciAddress{kSlotOfSecond + index - 1, 0};
}

QxlFunction::Config config_of(const config::QxlConfig& options, std::uint32_t index) {
  QxlFunction::Config display;
  display.name = fmt::format("qxl{}", index);
  display.primary = index == 0;
  display.sizes = {.revision = static_cast<unsigned>(options.revision),
                   .ram_size = options.ram_size,
                   .vram_size = options.vram_size,
                   .ram_size_mb = static_cast<std::uint32_t>(options.ram_size_mb),
                   .vram_size_mb = static_cast<std::uint32_t>(options.vram_size_mb),
                   .vram64_size_mb = static_cast<std::uint32_t>(options.vram64_size_mb),
                   .vgamem_mb = static_cast<std::uint32_t>(options.vgamem_mb)};
  display.rom.id = index;
  display.rom.surfaces = static_cast<std::uint32_t>(options.surfaces);
  display.rom.log_level = static_cast<std::uint32_t>(options.guestdebug);
  display.rom.xres = static_cast<std::uint32_t>(options.xres);
  display.rom.yres = static_cast<std::uint32_t>(options.yres);
  display.max_outputs = static_cast<std::uint16_t>(options.max_outputs);
  display.trace = options.debug != 0;
  display.guest_log = options.guestdebug != 0;
  display.command_log = options.cmdlog != 0;
  return display;
}

}  // namespace

core::Result<std::unique_ptr<QxlDisplays>> QxlDisplays::create(const config::MachineConfig& config,
                                                               const std::vector<std::uint8_t>& vga_bios,
                                                               const Wiring& wiring) {
  std::unique_ptr<QxlDisplays> displays(new QxlDisplays);
  auto wanted = config.displays;
  if (wanted.empty()) wanted.emplace_back();
  for (const auto& options : wanted) {
    const auto index = static_cast<std::uint32_t>(displays->functions_.size());
    auto display = config_of(options, index);
    if (index == 0) display.vga_bios = vga_bios;
    display.counted_time = wiring.counted_time;
    display.doorbell = true;
    auto function = QxlFunction::create(std::move(display), {wiring.io, wiring.mmio, wiring.ram_map, wiring.clock});
    if (!function) return core::fail_with("--qxl", function);
    displays->functions_.push_back(std::move(*function));
  }
  return displays;
}

QxlDisplays::~QxlDisplays() = default;

core::Result<> QxlDisplays::plug(core::PciBus& bus) {
  for (unsigned i = 0; i < functions_.size(); ++i) {
    if (auto plugged = bus.plug(address_of(i), *functions_[i]); !plugged) return plugged;
  }
  return {};
}

core::Result<> QxlDisplays::attach() {
  return functions_.front()->attach();
}

void QxlDisplays::list(std::vector<core::Device*>& devices) const {
  for (const auto& function : functions_)
    devices.push_back(function.get());
}

std::vector<Display> QxlDisplays::all() const {
  std::vector<Display> displays;
  for (const auto& function : functions_) {
    const auto address = address_of(static_cast<unsigned>(displays.size()));
    displays.push_back(
        {std::string(function->state_name()), &function->source(), address, function->layout().vgamem_bytes});
  }
  return displays;
}

std::string QxlDisplays::describe() const {
  std::string text;
  for (const auto& function : functions_)
    text += function->describe();
  return text;
}

void QxlDisplays::list_memory(std::vector<core::MemoryBlock*>& blocks) const {
  for (const auto& function : functions_)
    std::ranges::copy(function->memory_blocks(), std::back_inserter(blocks));
}

}  // namespace vmm::machine
