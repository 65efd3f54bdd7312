// --qxl. Names and values are those of QEMU's -device qxl-vga and qxl.
#include <algorithm>
#include <iterator>

#include "vmm/config/key_values.h"
#include "vmm/config/options.h"

namespace vmm::config {

namespace {

struct Key {
  std::string_view name;
  std::uint64_t QxlConfig::* member;
  std::uint64_t low;
  std::uint64_t high;
};

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 32;
constexpr Key kKeys[] = {
    {"revision", &QxlConfig::revision, 1, 5},
    {"ram_size", &QxlConfig::ram_size, 0, kMostBytes},
    {"vram_size", &QxlConfig::vram_size, 0, kMostBytes},
    {"ram_size_mb", &QxlConfig::ram_size_mb, 0, 4096},
    {"vram_size_mb", &QxlConfig::vram_size_mb, 0, 4096},
    {"vram64_size_mb", &QxlConfig::vram64_size_mb, 0, 65536},
    {"vgamem_mb", &QxlConfig::vgamem_mb, 0, 4096},
    {"surfaces", &QxlConfig::surfaces, 1, 65536},
    {"max_outputs", &QxlConfig::max_outputs, 0, 64},
    {"xres", &QxlConfig::xres, 0, 8192},
    {"yres", &QxlConfig::yres, 0, 8192},
    {"debug", &QxlConfig::debug, 0, 255},
    {"guestdebug", &QxlConfig::guestdebug, 0, 255},
    {"cmdlog", &QxlConfig::cmdlog, 0, 255},
};

}  // namespace

core::Result<> apply_qxl(MachineConfig& config, std::string_view value) {
  if (config.displays.size() == kMaxDisplays) return core::fail("there are at most {} displays", kMaxDisplays);
  const auto pairs = split_key_values(value, "");
  if (!pairs) return std::unexpected(pairs.error());
  QxlConfig display;
  for (const auto& pair : *pairs) {
    if (pair.key == "record") {
      if (pair.value.empty()) return core::fail("record needs a file");
      display.record = pair.value;
      continue;
    }
    const auto* const key = std::ranges::find(kKeys, pair.key, &Key::name);
    if (key == std::end(kKeys)) return core::fail("unknown key \"{}\"; --help lists them", pair.key);
    const auto number = parse_number(pair.value, key->low, key->high);
    if (!number) return core::fail("{}: {}", pair.key, number.error().message);
    display.*key->member = *number;
  }
  config.displays.push_back(display);
  return {};
}

}  // namespace vmm::config
