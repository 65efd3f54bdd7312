// The memory map that firmware and direct boots start from. [ACPI 6.4 15]
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/endian.h"

namespace firmware {

enum class E820Type : std::uint32_t { Ram = 1, Reserved = 2 };

struct E820Entry {
  core::le64 start;
  core::le64 size;
  core::le32 type;
};
static_assert(sizeof(E820Entry) == 20);

// RAM around the PCI hole: [0, below_4g) and above_4g bytes from 4 GiB on.
struct RamLayout {
  std::uint64_t below_4g = 0;
  std::uint64_t above_4g = 0;
};

struct AddressRange {
  std::uint64_t start = 0;
  std::uint64_t size = 0;
};

constexpr std::uint64_t kFourGib = std::uint64_t{4} << 30;
constexpr std::uint64_t kOneMib = std::uint64_t{1} << 20;

// etc/e820: all of RAM and what the accelerator keeps for itself. The BIOS cuts its own areas out.
std::vector<E820Entry> e820_for_bios(const RamLayout& ram, std::span<const AddressRange> reserved);
// What a BIOS would report to the operating system; for boots without one.
std::vector<E820Entry> e820_for_os(const RamLayout& ram);

std::vector<std::uint8_t> e820_bytes(std::span<const E820Entry> entries);

}  // namespace firmware
