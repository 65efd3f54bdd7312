// A driver of a small QXL device: two memory slots, a heap for commands, rings, and what comes back through the release
// ring.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "devices/qxl/qxl_command_abi.h"
#include "tests/device/qxl/qxl_rig.h"

namespace tests {

namespace abi = devices::qxl::abi;

inline devices::qxl::QxlFunction::Config small_qxl(devices::qxl::QxlFunction::Config config = {}) {
  config.sizes = {.revision = config.sizes.revision, .ram_size = 16 << 20, .vram_size = 1 << 20, .vgamem_mb = 8};
  return config;
}

struct NativeRig : QxlRig {
  static constexpr std::uint64_t kHeap = 9 << 20;  // in RAM, behind surface 0
  static constexpr std::uint64_t kSlotRam = std::uint64_t{1} << 56;
  static constexpr std::uint64_t kSlotVram = std::uint64_t{2} << 56;
  static constexpr std::uint32_t kDisplay = 1, kCursor = 2, kIoCmd = 4, kError = 8;

  explicit NativeRig(devices::qxl::QxlFunction::Config config = {}, bool placed = true)
      : QxlRig(small_qxl(std::move(config))) {
    if (placed) place_bars();
  }

  void port(abi::QxlPort port, unsigned value = 0) {
    out8(static_cast<std::uint16_t>(kIo + static_cast<unsigned>(port)), value);
  }
  std::uint32_t pending() { return header<std::uint32_t>(offsetof(abi::QXLRam, int_pending)); }
  std::uint32_t take_pending() {
    const auto value = pending();
    set_header(offsetof(abi::QXLRam, int_pending), 0);
    return value;
  }

  template <class T>
  void set_field(std::size_t offset, const T& value) {
    ram().all().write(device.layout().ram_header_offset() + offset, value);
  }

  void set_slot(std::uint64_t start, std::uint64_t end) {
    set_field(offsetof(abi::QXLRam, mem_slot), abi::QXLMemSlot{start, end});
  }
  void add_slots() {
    set_slot(kRam, kRam + (16u << 20));
    port(abi::QxlPort::MemslotAdd, 1);
    set_slot(kVram, kVram + (1u << 20));
    port(abi::QxlPort::MemslotAdd, 2);
  }

  static abi::QXLSurfaceCreate primary(std::uint32_t width, std::uint32_t height, std::int32_t stride,
                                       std::uint32_t flags = 0) {
    return {.width = width,
            .height = height,
            .stride = static_cast<std::uint32_t>(stride),
            .format = 32,
            .position = 0,
            .mouse_mode = 0,
            .flags = flags,
            .type = 0,
            .mem = kSlotRam};
  }
  void set_primary(const abi::QXLSurfaceCreate& wanted) { set_field(offsetof(abi::QXLRam, create_surface), wanted); }
  // Slots and a primary surface.
  void go_native(std::uint32_t width = 64, std::uint32_t height = 32) {
    add_slots();
    set_primary(primary(width, height, -static_cast<std::int32_t>(width * 4)));
    port(abi::QxlPort::CreatePrimary);
    take_pending();
  }

  // Puts something into the heap; its address for commands.
  std::uint64_t put(std::span<const std::uint8_t> bytes) {
    const auto at = heap_;
    EXPECT_TRUE(ram().all().write(at, bytes));
    heap_ += (bytes.size() + 15) / 16 * 16;
    return kSlotRam + at;
  }
  template <class... Parts>
  std::uint64_t put_all(const Parts&... parts) {
    std::vector<std::uint8_t> bytes;
    const auto add = [&bytes](const auto& part) {
      const auto* from = reinterpret_cast<const std::uint8_t*>(&part);
      bytes.insert(bytes.end(), from, from + sizeof part);
    };
    (add(parts), ...);
    return put(bytes);
  }
  std::uint64_t chunk(std::span<const std::uint8_t> data, std::uint64_t following = 0) {
    const abi::QXLDataChunk head{static_cast<std::uint32_t>(data.size()), 0, following};
    std::vector<std::uint8_t> bytes(sizeof head);
    std::memcpy(bytes.data(), &head, sizeof head);
    bytes.insert(bytes.end(), data.begin(), data.end());
    return put(bytes);
  }

  // Rings.
  std::size_t ring_offset(bool cursor) {
    return cursor ? offsetof(abi::QXLRam, cursor_ring) : offsetof(abi::QXLRam, cmd_ring);
  }
  template <class Ring = abi::QXLCommandRing>
  std::uint32_t ring_word(std::size_t ring, std::size_t field) {
    return header<std::uint32_t>(ring + field);
  }
  // Without telling the device.
  void push(std::uint64_t command, abi::QxlCommandType type, bool cursor = false) {
    const auto ring = ring_offset(cursor);
    const auto prod = header<std::uint32_t>(ring + offsetof(abi::QXLCommandRing, prod));
    set_field(ring + offsetof(abi::QXLCommandRing, items) + 16 * (prod % 32),
              abi::QXLCommand{command, static_cast<std::uint32_t>(type), 0});
    set_header(ring + offsetof(abi::QXLCommandRing, prod), prod + 1);
  }
  void submit(std::uint64_t command, abi::QxlCommandType type = abi::QxlCommandType::Draw) {
    const bool cursor = type == abi::QxlCommandType::Cursor;
    push(command, type, cursor);
    port(cursor ? abi::QxlPort::NotifyCursor : abi::QxlPort::NotifyCmd);
  }

  // All ids that have come back since the last call.
  std::vector<std::uint64_t> released() {
    const auto ring = offsetof(abi::QXLRam, release_ring);
    std::vector<std::uint64_t> ids;
    auto cons = header<std::uint32_t>(ring + offsetof(abi::QXLReleaseRing, cons));
    const auto prod = header<std::uint32_t>(ring + offsetof(abi::QXLReleaseRing, prod));
    for (; cons != prod; ++cons) {
      auto id = header<std::uint64_t>(ring + offsetof(abi::QXLReleaseRing, items) + 8 * (cons % 8));
      while (id != 0) {
        ids.push_back(id);
        // Ids here are places in RAM of the commands.
        id = ram().all().read<std::uint64_t>(id).value_or(0);
      }
    }
    set_header(ring + offsetof(abi::QXLReleaseRing, cons), cons);
    return ids;
  }

  // Commands. The id of each is its place in RAM.
  abi::QXLDrawable drawable(abi::QxlDrawType type, const abi::QXLRect& box, std::uint32_t surface = 0) {
    abi::QXLDrawable head{};
    head.release_info = heap_;
    head.surface_id = surface;
    head.type = static_cast<std::uint8_t>(type);
    head.effect = 1;
    head.bbox = box;
    return head;
  }
  static abi::QXLRect box(std::uint32_t left, std::uint32_t top, std::uint32_t right, std::uint32_t bottom) {
    return {top, left, bottom, right};
  }
  std::uint64_t fill(std::uint32_t color, const abi::QXLRect& area, std::uint32_t surface = 0) {
    const abi::QXLFill body{{abi::QXLBrush::kSolid, color, {}}, 8, {}};
    return put_all(drawable(abi::QxlDrawType::Fill, area, surface), body);
  }
  std::uint64_t surface_command(std::uint8_t type, std::uint32_t id, std::uint32_t width = 0, std::uint32_t height = 0,
                                std::uint64_t data = kSlotVram, std::uint32_t flags = 0, std::uint32_t format = 32) {
    return put_all(abi::QXLSurfaceCmd{heap_, id, type, flags, format, width, height, width * 4, data});
  }

  std::uint64_t heap_ = kHeap;
};

}  // namespace tests
