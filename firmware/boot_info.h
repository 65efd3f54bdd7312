// What Multiboot 1 and PVH kernels are told at their start. [Multiboot 0.6.96 3.3; Xen
// public/arch-x86/hvm/start_info.h]
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "firmware/boot_plan.h"
#include "firmware/e820.h"

namespace firmware {

struct BootInfoModule {
  std::uint32_t address = 0;
  std::uint32_t size = 0;
  std::string command_line;
};

struct BootInfoSource {
  std::uint32_t address = 0;  // where the information will lie; a multiple of 16 below 1 MiB
  std::string command_line;
  std::string kernel;  // its name
  std::vector<BootInfoModule> modules;
  std::uint64_t upper_memory = 0;  // bytes from 1 MiB on
  std::vector<E820Entry> map;      // empty if the BIOS's map will be filled in
};

struct BootInfo {
  std::vector<std::uint8_t> bytes;
  BootMap map;  // where the BIOS's map would go
};

constexpr std::uint32_t kMultibootLoaderMagic = 0x2badb002;  // in EAX

BootInfo multiboot_info(const BootInfoSource& source);
BootInfo pvh_info(const BootInfoSource& source);

}  // namespace firmware
