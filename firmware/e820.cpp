#include "firmware/e820.h"

#include <algorithm>
#include <utility>

namespace firmware {

namespace {

constexpr std::uint64_t kLowMemory = 0x9fc00;  // the rest up to A0000h is the extended BIOS data area
constexpr std::uint64_t kVideoMemory = 0xa0000;
constexpr std::uint64_t kBiosArea = 0xf0000;

E820Entry entry(std::uint64_t start, std::uint64_t end, E820Type type) {
  return {.start = start, .size = end - start, .type = std::to_underlying(type)};
}

}  // namespace

std::vector<E820Entry> e820_for_bios(const RamLayout& ram, std::span<const AddressRange> reserved) {
  std::vector<E820Entry> map{entry(0, ram.below_4g, E820Type::Ram)};
  if (ram.above_4g > 0) map.push_back(entry(kFourGib, kFourGib + ram.above_4g, E820Type::Ram));
  for (const auto& range : reserved)
    map.push_back(entry(range.start, range.start + range.size, E820Type::Reserved));
  return map;
}

std::vector<E820Entry> e820_for_os(const RamLayout& ram) {
  std::vector<E820Entry> map{
      entry(0, std::min(kLowMemory, ram.below_4g), E820Type::Ram),
      entry(kLowMemory, kVideoMemory, E820Type::Reserved),
      entry(kBiosArea, kOneMib, E820Type::Reserved),
  };
  if (ram.below_4g > kOneMib) map.push_back(entry(kOneMib, ram.below_4g, E820Type::Ram));
  if (ram.above_4g > 0) map.push_back(entry(kFourGib, kFourGib + ram.above_4g, E820Type::Ram));
  return map;
}

std::vector<std::uint8_t> e820_bytes(std::span<const E820Entry> entries) {
  std::vector<std::uint8_t> bytes(entries.size_bytes());
  if (!bytes.empty()) std::memcpy(bytes.data(), entries.data(), bytes.size());
  return bytes;
}

}  // namespace firmware
