// x86 kernels as ELF files and the two protocols such a file can offer: Multiboot 1 (header in its first 8 KiB) and PVH
// (a note). [ELF 1.2; Multiboot 0.6.96; Xen docs/misc/pvh.pandoc] Parsing treats the file as hostile.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/base/result.h"

namespace firmware {

// Bytes of the file, and zeros behind them, that belong at a physical address.
struct KernelSegment {
  std::uint64_t file_offset = 0;
  std::uint32_t file_bytes = 0;
  std::uint32_t memory_bytes = 0;  // at least file_bytes
  std::uint32_t address = 0;

  std::uint64_t end() const { return std::uint64_t{address} + memory_bytes; }
};

struct ElfImage {
  std::vector<KernelSegment> segments;  // what is loadable and not empty
  std::uint32_t entry = 0;              // physical
  std::optional<std::uint32_t> pvh_entry;
};

bool is_elf(std::span<const std::uint8_t> file);
// Errors are the end of a sentence that begins with the file's name.
core::Result<ElfImage> parse_elf(std::span<const std::uint8_t> file);

// [Multiboot 3.1]
struct MultibootHeader {
  std::uint32_t flags = 0;
  // Where the file goes if it says so itself (flag 16), as it may even where it is no ELF.
  std::optional<KernelSegment> segment;
  std::uint32_t entry = 0;  // only with `segment`
};

constexpr std::uint32_t kMultibootUnderstood = 0x0001'0007;  // page-aligned modules, memory map, video mode, addresses

// nullopt: the file has no Multiboot header.
core::Result<std::optional<MultibootHeader>> find_multiboot(std::span<const std::uint8_t> file);

}  // namespace firmware
