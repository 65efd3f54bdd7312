// A QXL function on a PCI bus with its ports, window and display worker's canvas, driven as a guest and a worker would.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/pci/pci_bus.h"
#include "devices/qxl/qxl_function.h"
#include "tests/device/fake_clock.h"
#include "tests/device/fake_wiring.h"

namespace tests {

// The worker's side of a refresh: remembers what was reported.
class FakeCanvas final : public core::DisplayCanvas, private core::CursorSink {
 public:
  core::PixelView pixels() override { return {pixels_.data(), width, height, width}; }
  core::PixelView set_mode(std::int32_t new_width, std::int32_t new_height) override {
    width = new_width;
    height = new_height;
    pixels_.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 0);
    ++modes;
    return pixels();
  }
  void changed(const core::Rect& area) override {
    EXPECT_FALSE(area.empty());
    EXPECT_TRUE(area.left >= 0 && area.top >= 0 && area.right <= width && area.bottom <= height);
    reported.push_back(area);
  }

  // Native mode: surfaces of real bytes, on which solid fills of whole pixels are drawn; the rest is only remembered.
  struct Surface {
    core::SurfaceShape shape;
    std::vector<std::uint8_t> bytes;
    std::size_t pixel_bytes() const { return bytes_of(shape.format); }
    std::ptrdiff_t stride() const { return shape.width * static_cast<std::ptrdiff_t>(pixel_bytes()); }
    std::uint32_t at(std::int32_t x, std::int32_t y) const {
      std::uint32_t value = 0;
      std::memcpy(&value, &bytes[static_cast<std::size_t>(y * stride()) + static_cast<std::size_t>(x) * pixel_bytes()],
                  pixel_bytes());
      return value;
    }
  };
  static std::size_t bytes_of(core::SurfaceFormat format) {
    switch (format) {
      case core::SurfaceFormat::Rgb555:
      case core::SurfaceFormat::Rgb565: return 2;
      case core::SurfaceFormat::Xrgb:
      case core::SurfaceFormat::Argb: return 4;
      default: return 1;
    }
  }
  bool create_surface(core::SurfaceId id, const core::SurfaceShape& shape) override {
    Surface made{shape, {}};
    made.bytes.resize(static_cast<std::size_t>(made.stride()) * static_cast<std::size_t>(shape.height));
    surfaces[id] = std::move(made);
    return true;
  }
  void destroy_surface(core::SurfaceId id) override { surfaces.erase(id); }
  void destroy_surfaces() override { surfaces.clear(); }
  void load_surface(core::SurfaceId id, const core::Pixels& from) override {
    auto& to = surfaces.at(id);
    ASSERT_EQ(to.shape, (core::SurfaceShape{from.width, from.height, from.format}));
    for (std::int32_t y = 0; y < from.height; ++y)
      std::memcpy(&to.bytes[static_cast<std::size_t>(y * to.stride())], from.row(y),
                  static_cast<std::size_t>(to.stride()));
  }
  void draw(core::DrawingPtr drawing) override {
    drawings.push_back(drawing);
    const auto* fill = std::get_if<core::DrawFill>(&drawing->operation);
    const auto* color = fill != nullptr ? std::get_if<core::SolidBrush>(&fill->brush) : nullptr;
    const auto found = surfaces.find(drawing->surface);
    if (color == nullptr || found == surfaces.end()) return;
    auto& to = found->second;
    for (auto y = std::max(drawing->box.top, 0); y < std::min(drawing->box.bottom, to.shape.height); ++y) {
      for (auto x = std::max(drawing->box.left, 0); x < std::min(drawing->box.right, to.shape.width); ++x) {
        const auto at = static_cast<std::size_t>(y * to.stride()) + static_cast<std::size_t>(x) * to.pixel_bytes();
        std::memcpy(&to.bytes[at], &color->color, to.pixel_bytes());
      }
    }
  }
  core::Pixels read_surface(core::SurfaceId id, const core::Rect&) override {
    const auto found = surfaces.find(id);
    if (found == surfaces.end()) return {};
    const auto& from = found->second;
    return {from.bytes.data(), from.stride(), from.shape.width, from.shape.height, from.shape.format};
  }
  void set_monitors(const core::MonitorLayout& layout) override { monitors.push_back(layout); }

  // The pointer.
  core::CursorSink& cursor() override { return *this; }
  void set(core::CursorShapePtr shape, core::Point position, bool visible) override {
    pointer = std::move(shape);
    pointer_at = position;
    pointer_visible = visible;
  }
  void move(core::Point position) override {
    pointer_at = position;
    pointer_visible = true;
  }
  void hide() override { pointer_visible = false; }
  void set_trail(std::uint16_t length, std::uint16_t frequency) override { trail = {length, frequency}; }
  void reset() override {
    pointer.reset();
    pointer_at = {};
    pointer_visible = false;
    trail = {};
  }

  std::uint32_t at(std::int32_t x, std::int32_t y) { return pixels().row(y)[static_cast<std::size_t>(x)]; }
  // FNV-1a over size and pixels.
  std::uint64_t hash() const {
    std::uint64_t value = 0xcbf29ce484222325;
    const auto add = [&value](std::uint32_t word) {
      for (int i = 0; i < 4; ++i, word >>= 8)
        value = (value ^ (word & 0xff)) * 0x100000001b3;
    };
    add(static_cast<std::uint32_t>(width));
    add(static_cast<std::uint32_t>(height));
    for (const auto pixel : pixels_)
      add(pixel);
    return value;
  }
  const std::vector<std::uint32_t>& raw() const { return pixels_; }

  std::int32_t width = 0;
  std::int32_t height = 0;
  unsigned modes = 0;
  std::vector<core::Rect> reported;
  std::map<core::SurfaceId, Surface> surfaces;
  std::vector<core::DrawingPtr> drawings;
  std::vector<core::MonitorLayout> monitors;
  core::CursorShapePtr pointer;
  core::Point pointer_at;
  bool pointer_visible = false;
  std::pair<std::uint16_t, std::uint16_t> trail;

 private:
  std::vector<std::uint32_t> pixels_;
};

struct QxlRig {
  static constexpr std::uint32_t kRam = 0xf4000000;
  static constexpr std::uint32_t kVram = 0xf8000000;
  static constexpr std::uint32_t kRom = 0xfc010000;
  static constexpr std::uint16_t kIo = 0xc000;
  static constexpr core::PciAddress kSlot{2, 0};

  explicit QxlRig(devices::qxl::QxlFunction::Config config = {}) : owner(make(std::move(config))), device(*owner) {
    EXPECT_TRUE(bus.plug(kSlot, device));
    EXPECT_TRUE(device.attach());
    device.source().set_wake([this] {
      ++wakes;
      pull();
    });
  }

  std::unique_ptr<devices::qxl::QxlFunction> make(devices::qxl::QxlFunction::Config config) {
    auto made = devices::qxl::QxlFunction::create(std::move(config),
                                                  {.io = io, .mmio = mmio, .ram_map = ram_map, .clock = clock});
    return made ? std::move(*made) : nullptr;
  }

  // What firmware does: addresses into the BARs, decoding on.
  void place_bars() {
    bus.config_write(0, kSlot, 0x10, 4, kRam);
    bus.config_write(0, kSlot, 0x14, 4, kVram);
    bus.config_write(0, kSlot, 0x18, 4, kRom);
    bus.config_write(0, kSlot, 0x1c, 4, kIo);
    bus.config_write(0, kSlot, 0x04, 2, 3);
  }

  std::uint8_t in8(std::uint16_t port) { return static_cast<std::uint8_t>(io.read(port, 1)); }
  void out8(std::uint16_t port, unsigned value) { io.write(port, 1, value); }
  void out16(std::uint16_t port, unsigned value) { io.write(port, 2, value); }
  void seq(unsigned index, unsigned value) { out16(0x3c4, index | value << 8); }
  void gfx(unsigned index, unsigned value) { out16(0x3ce, index | value << 8); }
  void crtc(unsigned index, unsigned value) { out16(0x3d4, index | value << 8); }
  void attr(unsigned index, unsigned value) {
    in8(0x3da);
    out8(0x3c0, index);
    out8(0x3c0, value);
    out8(0x3c0, 0x20);
  }
  void dac(unsigned index, std::uint32_t rgb) {
    out8(0x3c8, index);
    out8(0x3c9, rgb >> 16 & 0xff);
    out8(0x3c9, rgb >> 8 & 0xff);
    out8(0x3c9, rgb & 0xff);
  }
  void vbe(unsigned index, unsigned value) {
    out16(0x1ce, index);
    out16(0x1cf, value);
  }
  std::uint16_t vbe(unsigned index) {
    out16(0x1ce, index);
    return static_cast<std::uint16_t>(io.read(0x1cf, 2));
  }
  void vbe_mode(unsigned width, unsigned height, unsigned bpp, unsigned flags = 0x41) {
    vbe(4, 0);
    vbe(1, width);
    vbe(2, height);
    vbe(3, bpp);
    vbe(4, flags);
    screen_on();
  }
  void screen_on() {
    in8(0x3da);
    out8(0x3c0, 0x20);
  }

  // The window, as the handler sees it and, where it is mapped, as the CPU does.
  std::uint8_t peek(std::uint32_t address) { return static_cast<std::uint8_t>(mmio.read(address, 1)); }
  void poke(std::uint32_t address, unsigned value) { mmio.write(address, 1, value); }

  // What the CPU sees as memory at an address; of size 0 for nothing.
  core::RamRegion mapped(std::uint64_t address) const {
    return ram_map.find(core::Gpa(address)).value_or(core::RamRegion{});
  }

  core::MemoryBlock& ram() { return *device.memory_blocks()[0]; }
  core::MemoryBlock& rom() { return *device.memory_blocks()[2]; }
  std::uint32_t word(std::uint32_t index) { return ram().all().read<std::uint32_t>(index * 4ull).value_or(0); }
  void set_word(std::uint32_t index, std::uint32_t planes) { ram().all().write(index * 4ull, planes); }
  void fill_vram(std::uint64_t offset, std::span<const std::uint8_t> bytes) { ram().all().write(offset, bytes); }
  template <class T>
  T header(std::size_t offset) {
    return ram().all().read<T>(device.layout().ram_header_offset() + offset).value_or(0);
  }
  void set_header(std::size_t offset, std::uint32_t value) {
    ram().all().write(device.layout().ram_header_offset() + offset, value);
  }

  // The worker, which here runs whenever the device wakes it.
  void pull() {
    do {
      next = device.source().pull(canvas);
    } while (next == core::DisplaySource::Next::AtOnce);
  }
  bool refresh(bool full = false) {
    canvas.reported.clear();
    return device.source().refresh(canvas, full);
  }

  // For tests/state/state_law.h.
  void scribble() {
    for (unsigned i = 0; i < 25; ++i)
      crtc(i, 0x35 + 7 * i);
    for (unsigned i = 0; i < 9; ++i)
      gfx(i, 0x5a ^ i);
    for (unsigned i = 0; i < 5; ++i)
      seq(i, 0x2d + i);
    for (unsigned i = 0; i < 21; ++i)
      attr(i, 0x3f - i);
    dac(77, 0x112233);
    out8(0x3c7, 9);
    out8(0x3c2, 0x63);
    out8(0x3da, 2);
    peek(0xa0123);
    poke(0xa0124, 0x5a);
    vbe_mode(128, 64, 8, 0xe1);
    vbe(5, 3);
    vbe(8, 5);
    place_bars();
    out8(kIo + 12, 0);
    refresh();
  }

  FakeClock clock;
  core::AddressSpace io{"ports", 0x10000};
  core::AddressSpace mmio{"memory", 0};
  core::RamMap ram_map;
  RecordingIrqSink pirq;
  std::unique_ptr<devices::qxl::QxlFunction> owner;
  devices::qxl::QxlFunction& device;
  core::PciBus bus{{.io = io, .mmio = mmio, .ram = ram_map, .pirq = pirq}};
  FakeCanvas canvas;
  unsigned wakes = 0;
  core::DisplaySource::Next next = core::DisplaySource::Next::OnWake;
};

}  // namespace tests
