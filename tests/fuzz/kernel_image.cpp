// A hostile --kernel file: parsed, planned for a small machine with and without a BIOS, and made into a boot ROM.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "firmware/boot_rom.h"
#include "firmware/kernel_boot.h"

namespace {

constexpr std::uint64_t kRam = 64 << 20;

void plan(std::span<const std::uint8_t> kernel, const core::GuestMemory& memory, firmware::BootFrom from) {
  firmware::FwCfg fw_cfg({.memory = memory});
  firmware::KernelFiles files{.path = "fuzz",
                              .kernel = {kernel.begin(), kernel.end()},
                              .command_line = "vga=0x314 quiet",
                              .modules = {{.command_line = "module", .bytes = {1, 2, 3}}}};
  const auto plan = firmware::plan_kernel_boot(fw_cfg, std::move(files), {.below_4g = kRam, .above_4g = 0}, from);
  if (!plan) return;
  for (const auto& load : plan->loads)
    if (!core::range_inside<std::uint64_t>(load.address, load.length, kRam)) std::abort();
  if (from == firmware::BootFrom::Bios) {
    firmware::boot_option_rom(*plan);
  } else {
    firmware::boot_bios(*plan);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto memory = std::move(*core::GuestMemory::create(1 << 20, 1 << 20));
  plan({data, size}, *memory, firmware::BootFrom::Bios);
  plan({data, size}, *memory, firmware::BootFrom::None);
  return 0;
}
