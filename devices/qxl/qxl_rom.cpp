#include "devices/qxl/qxl_rom.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

#include "core/base/assert.h"
#include "devices/qxl/qxl_abi.h"

namespace devices::qxl {

namespace {

struct Size {
  std::uint16_t width;
  std::uint16_t height;
};

// The order is the guest's: a mode's id is its place in the unfiltered list.
constexpr Size kSizes[] = {
    {640, 480},   {800, 480},   {800, 600},   {832, 624},   {960, 640},   {1024, 600},  {1024, 768},  {1152, 864},
    {1152, 870},  {1280, 720},  {1280, 760},  {1280, 768},  {1280, 800},  {1280, 960},  {1280, 1024}, {1360, 768},
    {1366, 768},  {1400, 1050}, {1440, 900},  {1600, 900},  {1600, 1200}, {1680, 1050}, {1920, 1080}, {1920, 1200},
    {1920, 1440}, {2000, 2000}, {2048, 1536}, {2048, 2048}, {2560, 1440}, {2560, 1600}, {2560, 2048}, {2800, 2100},
    {3200, 2400}, {3840, 2160}, {4096, 2160}, {7680, 4320}, {8192, 4320}};

// Each size in this order.
struct Variant {
  std::uint32_t bits;
  std::uint32_t orientation;
};
constexpr Variant kVariants[] = {{16, 0}, {32, 0}, {16, 1}, {32, 1}};

// What a driver tells its users a monitor measures: 86.5 dots per inch.
std::uint32_t millimetres(std::uint32_t pixels) {
  return static_cast<std::uint32_t>(std::uint64_t{pixels} * 2'936'875 / 10'000'000);
}

void append(std::vector<std::uint8_t>& out, const void* bytes, std::size_t length) {
  const auto* from = static_cast<const std::uint8_t*>(bytes);
  out.insert(out.end(), from, from + length);
}

// Linux's crc32(0, ...): reflected polynomial edb88320, neither end inverted.
std::uint32_t crc32(std::span<const std::uint8_t> bytes) {
  std::uint32_t crc = 0;
  for (const auto byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit)
      crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320u : 0u);
  }
  return crc;
}

void set_first_monitor(abi::QXLRom& rom, const QxlRomOptions& options) {
  if (options.xres == 0 || options.yres == 0) return;
  auto& config = rom.client_monitors_config;
  config.count = 1;
  config.heads[0].right = options.xres;
  config.heads[0].bottom = options.yres;
  rom.client_monitors_config_crc = crc32(std::span(reinterpret_cast<const std::uint8_t*>(&config), sizeof config));
}

abi::QXLRom header(const QxlLayout& layout, const QxlRomOptions& options) {
  abi::QXLRom rom{};
  rom.magic = abi::kRomMagic;
  rom.id = options.id;
  rom.log_level = options.log_level;
  rom.modes_offset = sizeof rom;
  rom.num_pages = static_cast<std::uint32_t>((layout.ram_bytes - abi::kRamHeaderSize - layout.vgamem_bytes) / 4096);
  rom.pages_offset = layout.vgamem_bytes;
  rom.surface0_area_size = layout.vgamem_bytes;
  rom.ram_header_offset = static_cast<std::uint32_t>(layout.ram_header_offset());
  rom.n_surfaces = options.surfaces;
  rom.slots_start = abi::kMemslotFirst;
  rom.slots_end = abi::kMemslotLast;
  rom.slot_gen_bits = 8;
  rom.slot_id_bits = 8;
  set_first_monitor(rom, options);
  return rom;
}

}  // namespace

std::vector<std::uint8_t> rom_image(const QxlLayout& layout, const QxlRomOptions& options) {
  std::vector<std::uint8_t> modes;
  core::le32 count = 0;
  std::uint32_t id = 0;
  for (const auto& [width, height] : kSizes) {
    for (const auto& [bits, orientation] : kVariants) {
      const abi::QXLMode mode{.id = id++,
                              .x_res = width,
                              .y_res = height,
                              .bits = bits,
                              .stride = width * bits / 8,
                              .x_mili = millimetres(width),
                              .y_mili = millimetres(height),
                              .orientation = orientation};
      if (std::uint64_t{height} * mode.stride > layout.vgamem_bytes) continue;
      append(modes, &mode, sizeof mode);
      count = count + 1;
    }
  }
  const auto rom = header(layout, options);
  std::vector<std::uint8_t> image;
  append(image, &rom, sizeof rom);
  append(image, &count, sizeof count);
  append(image, modes.data(), modes.size());
  MV_ASSERT(image.size() <= abi::kRomSize, "the mode list fits the ROM");
  image.resize(abi::kRomSize);
  return image;
}

QxlRom::QxlRom(core::MemoryBlock& block, const QxlLayout& layout, const QxlRomOptions& options)
    : rom_(block.all()), layout_(layout), options_(options) {}

void QxlRom::reset() {
  rom_.write(0, rom_image(layout_, options_));
  restore_clients();
  if (monitors_) write_monitors(*monitors_);
}

std::optional<abi::QXLMode> QxlRom::mode(std::uint32_t index) const {
  if (index >= rom_.read<core::le32>(sizeof(abi::QXLRom)).value_or(0)) return std::nullopt;
  return rom_.read<abi::QXLMode>(sizeof(abi::QXLRom) + sizeof(core::le32) + index * sizeof(abi::QXLMode));
}

void QxlRom::set_mode(std::uint32_t index) {
  rom_.write(offsetof(abi::QXLRom, mode), core::le32(index));
}

void QxlRom::set_slot_generation(std::uint8_t generation) {
  rom_.write(offsetof(abi::QXLRom, slot_generation), generation);
}

void QxlRom::set_update_id(std::uint32_t id) {
  rom_.write(offsetof(abi::QXLRom, update_id), core::le32(id));
}

void QxlRom::set_compression_level(std::uint32_t level) {
  compression_level_ = level;
  rom_.write(offsetof(abi::QXLRom, compression_level), core::le32(level));
}

void QxlRom::restore_clients() {
  write_clients();
  set_compression_level(compression_level_);
}

bool QxlRom::set_clients(const core::DisplayClients& clients) {
  if (clients == clients_) return false;
  clients_ = clients;
  write_clients();
  return true;
}

void QxlRom::write_clients() {
  rom_.write(offsetof(abi::QXLRom, client_present), static_cast<std::uint8_t>(clients_.present ? 1 : 0));
  rom_.write(offsetof(abi::QXLRom, client_capabilities), clients_.capabilities);
}

bool QxlRom::set_client_monitors(std::span<const core::ClientMonitor> monitors, std::size_t most) {
  abi::QXLClientMonitorsConfig config{};
  const auto count = std::min({monitors.size(), most, config.heads.size()});
  config.count = static_cast<std::uint16_t>(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& area = monitors[i].area;
    config.heads[i] = {.top = static_cast<std::uint32_t>(area.top),
                       .left = static_cast<std::uint32_t>(area.left),
                       .bottom = static_cast<std::uint32_t>(area.bottom),
                       .right = static_cast<std::uint32_t>(area.right)};
  }
  const auto now = rom_.read<abi::QXLClientMonitorsConfig>(offsetof(abi::QXLRom, client_monitors_config));
  monitors_ = config;
  if (now && std::memcmp(&*now, &config, sizeof config) == 0) return false;
  write_monitors(config);
  return true;
}

// The driver reads until the checksum is right: it comes last.
void QxlRom::write_monitors(const abi::QXLClientMonitorsConfig& config) {
  rom_.write(offsetof(abi::QXLRom, client_monitors_config), config);
  rom_.write(offsetof(abi::QXLRom, client_monitors_config_crc),
             core::le32(crc32(std::span(reinterpret_cast<const std::uint8_t*>(&config), sizeof config))));
}

}  // namespace devices::qxl
