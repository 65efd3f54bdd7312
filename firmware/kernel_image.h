// What a --kernel file is: a Linux bzImage, a Multiboot 1 kernel or an ELF with a PVH entry. [Linux Documentation/arch/
// x86/boot.rst] Parsing treats the file as hostile; nothing is copied.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "firmware/elf_image.h"

namespace firmware {

struct LinuxImage {
  std::uint32_t setup_bytes = 0;  // real-mode part at the file's start; the rest is the kernel
  std::uint16_t protocol = 0;     // 0x020f is 2.15
  std::uint32_t initrd_max = 0;   // highest address an initrd may occupy
  std::uint32_t command_line_max = 0;
  std::uint64_t memory_end = 0;  // what the kernel needs before it knows of an initrd
};

struct FlatKernel {
  enum class Protocol : std::uint8_t { Multiboot, Pvh };
  Protocol protocol = Protocol::Multiboot;
  std::vector<KernelSegment> segments;
  std::uint32_t entry = 0;

  std::uint64_t end() const;
};

using KernelImage = std::variant<LinuxImage, FlatKernel>;

constexpr std::uint64_t kLinuxLoadAddress = 0x100000;

// `path` is for the error's sentence.
core::Result<KernelImage> parse_kernel(std::span<const std::uint8_t> file, std::string_view path);

}  // namespace firmware
