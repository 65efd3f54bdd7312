// What the QXL function shows a guest: PCI identity, I/O ports, the ROM and the RAM header. Names and layouts follow
// the BSD-licensed headers of the SPICE protocol (qxl_dev.h, ipc_ring.h), cited as [QXL name]. All little-endian and
// packed. The commands in the rings are native mode's and not described here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/endian.h"

namespace devices::qxl::abi {

constexpr std::uint16_t kVendor = 0x1b36;
constexpr std::uint16_t kDevice = 0x0100;
constexpr std::uint32_t kClassVga = 0x030000;
constexpr std::uint32_t kClassDisplay = 0x038000;  // a display without VGA
constexpr std::uint16_t kSubsystemVendor = 0x1af4;
constexpr std::uint16_t kSubsystem = 0x1100;

// [QXL QXL_*_RANGE_INDEX]
constexpr unsigned kRamBar = 0;
constexpr unsigned kVramBar = 1;
constexpr unsigned kRomBar = 2;
constexpr unsigned kIoBar = 3;
constexpr unsigned kVram64Bar = 4;

// Ports in BAR3. [QXL QXL_IO_*]
enum class QxlPort : std::uint8_t {
  NotifyCmd = 0,
  NotifyCursor = 1,
  UpdateArea = 2,
  UpdateIrq = 3,
  NotifyOom = 4,
  Reset = 5,
  SetMode = 6,
  Log = 7,
  MemslotAdd = 8,
  MemslotDel = 9,
  DetachPrimary = 10,
  AttachPrimary = 11,
  CreatePrimary = 12,
  DestroyPrimary = 13,
  DestroySurfaceWait = 14,
  DestroyAllSurfaces = 15,
  UpdateAreaAsync = 16,
  MemslotAddAsync = 17,
  CreatePrimaryAsync = 18,
  DestroyPrimaryAsync = 19,
  DestroySurfaceAsync = 20,
  DestroyAllSurfacesAsync = 21,
  FlushSurfacesAsync = 22,
  FlushRelease = 23,
  MonitorsConfigAsync = 24,
};

// [QXL QXL_INTERRUPT_*]
constexpr std::uint32_t kInterruptDisplay = 1 << 0;
constexpr std::uint32_t kInterruptCursor = 1 << 1;
constexpr std::uint32_t kInterruptIoCmd = 1 << 2;
constexpr std::uint32_t kInterruptError = 1 << 3;
constexpr std::uint32_t kInterruptClient = 1 << 4;
constexpr std::uint32_t kInterruptClientMonitorsConfig = 1 << 5;

constexpr std::uint32_t kRomMagic = 0x4f525851;  // "QXRO"
constexpr std::uint32_t kRamMagic = 0x41525851;  // "QXRA"
constexpr std::uint64_t kRomSize = 8192;
constexpr std::uint64_t kRamHeaderSize = 8192;  // whole pages around QXLRam
constexpr std::uint32_t kLogSize = 4096;
constexpr std::uint32_t kMemslotFirst = 1;
constexpr std::uint32_t kMemslotLast = 7;
constexpr std::uint32_t kMaxHeads = 64;

// [QXL QXLURect]
struct QXLURect {
  core::le32 top;
  core::le32 left;
  core::le32 bottom;
  core::le32 right;
};
static_assert(sizeof(QXLURect) == 16);

// [QXL QXLRom::client_monitors_config]
struct QXLClientMonitorsConfig {
  core::le16 count;
  core::le16 padding;
  std::array<QXLURect, kMaxHeads> heads;
};
static_assert(sizeof(QXLClientMonitorsConfig) == 1028);

// [QXL QXLRom]
struct QXLRom {
  core::le32 magic;
  core::le32 id;
  core::le32 update_id;
  core::le32 compression_level;
  core::le32 log_level;
  core::le32 mode;
  core::le32 modes_offset;
  core::le32 num_pages;
  core::le32 pages_offset;
  core::le32 draw_area_offset;
  core::le32 surface0_area_size;
  core::le32 ram_header_offset;
  core::le32 mm_clock;  // 0: drawings with the time that drivers find here are of the moment they arrive
  core::le32 n_surfaces;
  core::le64 flags;
  std::uint8_t slots_start;
  std::uint8_t slots_end;
  std::uint8_t slot_gen_bits;
  std::uint8_t slot_id_bits;
  std::uint8_t slot_generation;
  std::uint8_t client_present;
  std::array<std::uint8_t, 58> client_capabilities;
  core::le32 client_monitors_config_crc;
  QXLClientMonitorsConfig client_monitors_config;
};
static_assert(sizeof(QXLRom) == 1160);
static_assert(offsetof(QXLRom, mm_clock) == 48);
static_assert(offsetof(QXLRom, flags) == 56);
static_assert(offsetof(QXLRom, slots_start) == 64);
static_assert(offsetof(QXLRom, client_capabilities) == 70);
static_assert(offsetof(QXLRom, client_monitors_config_crc) == 128);

// [QXL QXLMode]
struct QXLMode {
  core::le32 id;
  core::le32 x_res;
  core::le32 y_res;
  core::le32 bits;
  core::le32 stride;
  core::le32 x_mili;
  core::le32 y_mili;
  core::le32 orientation;
};
static_assert(sizeof(QXLMode) == 32);

// [QXL SPICE_RING_DECLARE]
template <std::size_t Items, std::size_t ItemSize>
struct QXLRing {
  static constexpr std::uint32_t kItems = Items;
  core::le32 num_items;
  core::le32 prod;
  core::le32 notify_on_prod;
  core::le32 cons;
  core::le32 notify_on_cons;
  std::array<std::array<std::uint8_t, ItemSize>, Items> items;
};
using QXLCommandRing = QXLRing<32, 16>;
using QXLReleaseRing = QXLRing<8, 8>;
static_assert(sizeof(QXLCommandRing) == 532);
static_assert(sizeof(QXLReleaseRing) == 84);

// [QXL QXLMemSlot]
struct QXLMemSlot {
  core::le64 mem_start;
  core::le64 mem_end;
};

// [QXL QXLSurfaceCreate]
struct QXLSurfaceCreate {
  core::le32 width;
  core::le32 height;
  core::le32 stride;  // signed
  core::le32 format;
  core::le32 position;
  core::le32 mouse_mode;
  core::le32 flags;
  core::le32 type;
  core::le64 mem;
};
static_assert(sizeof(QXLSurfaceCreate) == 40);

// [QXL QXLRam], at the start of the last 8 KiB of BAR0.
struct QXLRam {
  core::le32 magic;
  core::le32 int_pending;
  core::le32 int_mask;
  std::array<std::uint8_t, kLogSize> log_buf;
  QXLCommandRing cmd_ring;
  QXLCommandRing cursor_ring;
  QXLReleaseRing release_ring;
  QXLURect update_area;
  core::le32 update_surface;
  QXLMemSlot mem_slot;
  QXLSurfaceCreate create_surface;
  core::le64 flags;
  core::le64 monitors_config;
};
static_assert(sizeof(QXLRam) == 5348);
static_assert(offsetof(QXLRam, int_pending) == 4);
static_assert(offsetof(QXLRam, log_buf) == 12);
static_assert(offsetof(QXLRam, cmd_ring) == 0x100c);
static_assert(offsetof(QXLRam, cursor_ring) == 0x1220);
static_assert(offsetof(QXLRam, release_ring) == 0x1434);
static_assert(offsetof(QXLRam, update_area) == 0x1488);
static_assert(offsetof(QXLRam, update_surface) == 0x1498);
static_assert(offsetof(QXLRam, mem_slot) == 0x149c);
static_assert(offsetof(QXLRam, create_surface) == 0x14ac);
static_assert(offsetof(QXLRam, flags) == 0x14d4);
static_assert(offsetof(QXLRam, monitors_config) == 0x14dc);

}  // namespace devices::qxl::abi
