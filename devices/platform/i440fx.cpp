#include "devices/platform/i440fx.h"

#include <algorithm>

#include "core/base/bits.h"
#include "devices/platform/i440fx_abi.h"

namespace devices::platform {

using namespace i440fx_abi;

namespace {

constexpr std::uint64_t kVgaWindow = 0xa0000;
constexpr std::uint64_t kVgaWindowSize = 0x20000;
constexpr std::uint64_t kShadowArea = 0xc0000;
constexpr std::uint64_t kOneMib = 0x100000;
constexpr std::uint64_t kFourGib = std::uint64_t{4} << 30;
constexpr std::uint64_t kLowBiosSize = 0x20000;
constexpr int kFixedPriority = 0;
constexpr int kShadowPriority = 1;
constexpr int kSmramPriority = 2;  // above the display's own mapping of the VGA window

// Values after reset are those of the data sheet; registers without effect here are storage. [82441FX 3.2]
constexpr core::Register kRegisters[] = {
    {.name = "PCICMD", .offset = 0x04, .width = 2, .reset = 0x0006, .writable = 0x0140},
    {.name = "PCISTS", .offset = 0x06, .width = 2, .reset = 0x0280, .clear_on_one = 0xf900},
    {.name = "MLT", .offset = 0x0d, .width = 1, .writable = 0xf8},
    {.name = "PMCCFG", .offset = 0x50, .width = 2, .writable = 0xffff},
    {.name = "DETURBO", .offset = 0x52, .width = 1, .writable = 0xff},
    {.name = "DBC", .offset = 0x53, .width = 1, .reset = 0x83, .writable = 0xff},
    {.name = "AXC", .offset = 0x54, .width = 1, .writable = 0xff},
    {.name = "DRT", .offset = 0x55, .width = 2, .writable = 0xffff},
    {.name = "DRAMC", .offset = 0x57, .width = 1, .reset = 0x01, .writable = 0xff},
    {.name = "DRAMT", .offset = 0x58, .width = 1, .reset = 0x10, .writable = 0xff},
    {.name = "PAM0", .offset = PAM0, .width = 1, .writable = 0x70},
    {.name = "PAM1", .offset = 0x5a, .width = 1, .writable = 0x77},
    {.name = "PAM2", .offset = 0x5b, .width = 1, .writable = 0x77},
    {.name = "PAM3", .offset = 0x5c, .width = 1, .writable = 0x77},
    {.name = "PAM4", .offset = 0x5d, .width = 1, .writable = 0x77},
    {.name = "PAM5", .offset = 0x5e, .width = 1, .writable = 0x77},
    {.name = "PAM6", .offset = PAM6, .width = 1, .writable = 0x77},
    {.name = "DRB", .offset = 0x60, .width = 8, .reset = 0x0101'0101'0101'0101, .writable = ~std::uint64_t{0}},
    {.name = "FDHC", .offset = 0x68, .width = 1},
    {.name = "MTT", .offset = 0x70, .width = 1, .reset = 0x20, .writable = 0xff},
    {.name = "CLT", .offset = 0x71, .width = 1, .reset = 0x10, .writable = 0xff},
    {.name = "SMRAM", .offset = SMRAM, .width = 1, .reset = 0x02, .writable = G_SMRAME | D_LCK | D_CLS | D_OPEN},
    {.name = "ERRCMD", .offset = 0x90, .width = 1, .writable = 0xff},
    {.name = "ERRSTS", .offset = 0x91, .width = 1, .clear_on_one = 0x11},
};
constexpr std::uint64_t kSmramWritable = G_SMRAME | D_LCK | D_CLS | D_OPEN;

// SeaBIOS takes the machine for one of QEMU's kind (debug console, fw_cfg, ACPI by the table loader) by this subsystem.
constexpr core::PciIdentity kIdentity{.vendor = 0x8086,
                                      .device = 0x1237,
                                      .revision = 2,
                                      .class_code = 0x060000,
                                      .subsystem_vendor = 0x1af4,
                                      .subsystem = 0x1100};

// [82441FX table 3] sections in the order of their nibbles, from PAM0's high one on.
struct Section {
  std::uint64_t start;
  std::uint64_t size;
};

constexpr Section section_at(unsigned index) {
  return index == 0 ? Section{0xf0000, 0x10000} : Section{kShadowArea + (index - 1) * 0x4000u, 0x4000};
}

constexpr unsigned section_of(std::uint64_t address) {
  return address >= 0xf0000 ? 0 : static_cast<unsigned>((address - kShadowArea) / 0x4000) + 1;
}

}  // namespace

I440fx::I440fx(const Wiring& wiring) : PciFunction(kIdentity, kRegisters), wiring_(wiring) {
  const core::RamMap::Batch batch(wiring_.map);
  map_fixed();
  for (unsigned section = 0; section < kSections; ++section)
    map_section(section, 0);
}

core::Result<> I440fx::attach(core::AddressSpace& mmio) {
  auto range =
      mmio.add({.start = kShadowArea, .size = kOneMib - kShadowArea}, shadow_handler_, lock(), "i440fx-shadow");
  if (!range) return std::unexpected(range.error());
  shadow_range_ = std::move(*range);
  return {};
}

core::RamMapping I440fx::map_low_ram(std::uint64_t start, std::uint64_t size, bool writable, int priority) {
  const auto& low = wiring_.ram.pieces().front();
  if (start >= low.size) return {};
  return wiring_.map.map({.start = core::Gpa(start),
                          .size = std::min(size, low.size - start),
                          .block = low.block,
                          .offset = low.offset + start,
                          .writable = writable},
                         priority);
}

void I440fx::map_fixed() {
  const auto pieces = wiring_.ram.pieces();
  fixed_.push_back(map_low_ram(0, kVgaWindow, true, kFixedPriority));
  fixed_.push_back(map_low_ram(kOneMib, pieces.front().size, true, kFixedPriority));
  for (const auto& piece : pieces.subspan(1)) {
    fixed_.push_back(
        wiring_.map.map({.start = piece.start, .size = piece.size, .block = piece.block, .offset = piece.offset}));
  }
  const auto size = wiring_.bios.size();
  fixed_.push_back(
      wiring_.map.map({.start = core::Gpa(kFourGib - size), .size = size, .block = &wiring_.bios, .writable = false}));
  const auto low_size = std::min(size, kLowBiosSize);
  fixed_.push_back(wiring_.map.map({.start = core::Gpa(kOneMib - low_size),
                                    .size = low_size,
                                    .block = &wiring_.bios,
                                    .offset = size - low_size,
                                    .writable = false}));
}

unsigned I440fx::attributes_of(unsigned section) const {
  const auto nibble = section + 1;  // counted from PAM0's low one
  const auto pam = static_cast<unsigned>(config().value(PAM0 + nibble / 2, 1));
  return core::bits(pam, nibble % 2 * 4, 2);
}

// Write-only sections keep showing the ROM, read-only to the accelerator; stores to it come to shadow_write(). That is
// how a BIOS copies itself into the RAM beneath it while it runs.
void I440fx::map_section(unsigned section, unsigned attributes) {
  const auto [start, size] = section_at(section);
  shadow_[section].reset();
  if ((attributes & PAM_RE) != 0) {
    shadow_[section] = map_low_ram(start, size, (attributes & PAM_WE) != 0, kShadowPriority);
  }
  mapped_as_[section] = attributes;
}

void I440fx::update_map() {
  const core::RamMap::Batch batch(wiring_.map);
  for (unsigned section = 0; section < kSections; ++section) {
    const auto attributes = attributes_of(section);
    if (attributes != mapped_as_[section]) map_section(section, attributes);
  }
  update_smram();
}

void I440fx::update_smram() {
  const auto smram = static_cast<std::uint8_t>(config().value(SMRAM, 1));
  const bool open = (smram & G_SMRAME) != 0 && (smram & D_OPEN) != 0;
  if (open == static_cast<bool>(smram_)) return;
  smram_ = open ? map_low_ram(kVgaWindow, kVgaWindowSize, true, kSmramPriority) : core::RamMapping();
}

void I440fx::config_written(std::uint32_t offset, unsigned width) {
  if (offset <= PAM6 && offset + width > PAM0) update_map();
  if (offset <= SMRAM && offset + width > SMRAM) {
    const auto smram = static_cast<std::uint8_t>(config().value(SMRAM, 1));
    // [82441FX 3.2.23] locking closes it and makes all but D_CLS read-only.
    if ((smram & D_LCK) != 0) {
      config().set_writable(SMRAM, 1, D_CLS);
      config().set(SMRAM, 1, smram & static_cast<std::uint8_t>(~D_OPEN));
    }
    update_map();
  }
}

void I440fx::reset() {
  config().set_writable(SMRAM, 1, kSmramWritable);
  reset_config();
  update_map();
}

core::Result<> I440fx::state_loaded() {
  const bool locked = (config().value(SMRAM, 1) & D_LCK) != 0;
  config().set_writable(SMRAM, 1, locked ? D_CLS : kSmramWritable);
  update_map();
  return {};
}

// Loads come here only where neither RAM nor ROM is: nothing answers.
std::uint64_t I440fx::shadow_read(std::uint64_t, unsigned width) {
  return core::all_ones(width);
}

void I440fx::shadow_write(std::uint64_t offset, unsigned width, std::uint64_t value) {
  for (unsigned i = 0; i < width; ++i) {
    const auto address = kShadowArea + offset + i;
    if ((mapped_as_[section_of(address)] & PAM_WE) == 0) continue;
    wiring_.ram.write(core::Gpa(address), static_cast<std::uint8_t>(value >> (8 * i)));
  }
}

}  // namespace devices::platform
