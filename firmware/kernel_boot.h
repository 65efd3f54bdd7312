// Direct kernel boot: --kernel, --initrd and --append become fw_cfg items and a boot plan.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "firmware/boot_plan.h"
#include "firmware/e820.h"
#include "firmware/fw_cfg.h"

namespace firmware {

struct BootModule {
  std::string command_line;  // what the kernel is told of it: usually its path
  std::vector<std::uint8_t> bytes;
};

// Linux takes all modules as one initrd (their archives in a row), PVH kernels and Multiboot ones get a list.
struct KernelFiles {
  std::string path;
  std::vector<std::uint8_t> kernel;
  std::string command_line;
  std::vector<BootModule> modules;
};

core::Result<KernelFiles> load_kernel_files(const std::string& kernel, std::span<const std::string> modules,
                                            std::string command_line);

// Bios: a BIOS has run, and says what memory is free. None: straight from the reset, Linux by its 32-bit protocol.
enum class BootFrom : std::uint8_t { Bios, None };

// Adds the kernel's items to `fw_cfg` and plans its start. Errors: not a kernel, does not fit.
core::Result<BootPlan> plan_kernel_boot(FwCfg& fw_cfg, KernelFiles files, const RamLayout& ram, BootFrom from);

}  // namespace firmware
