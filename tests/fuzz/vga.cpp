// Bytes become port and memory accesses of a guest and refreshes of a display worker, on a whole QXL function.
//
// Each operation is a byte that says what, and its operands. Nothing the guest does may touch memory outside the
// device's, or keep a refresh busy for long.
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "core/base/log.h"
#include "core/pci/pci_bus.h"
#include "devices/qxl/qxl_function.h"
#include "tests/device/fake_clock.h"

namespace {

class Canvas final : public core::DisplayCanvas, private core::CursorSink {
 public:
  core::PixelView pixels() override { return {pixels_.data(), width_, height_, width_}; }
  core::PixelView set_mode(std::int32_t width, std::int32_t height) override {
    if (width < 1 || width > 8192 || height < 1 || height > 8192) __builtin_trap();
    width_ = width;
    height_ = height;
    pixels_.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 0);
    return pixels();
  }
  void changed(const core::Rect& area) override {
    if (area.empty() || area.left < 0 || area.top < 0 || area.right > width_ || area.bottom > height_) {
      __builtin_trap();
    }
  }
  bool create_surface(core::SurfaceId, const core::SurfaceShape&) override { return false; }
  void destroy_surface(core::SurfaceId) override {}
  void destroy_surfaces() override {}
  void load_surface(core::SurfaceId, const core::Pixels&) override {}
  void draw(core::DrawingPtr) override {}
  core::Pixels read_surface(core::SurfaceId, const core::Rect&) override { return {}; }
  void set_monitors(const core::MonitorLayout&) override {}
  core::CursorSink& cursor() override { return *this; }
  void set(core::CursorShapePtr, core::Point, bool) override {}
  void move(core::Point) override {}
  void hide() override {}
  void set_trail(std::uint16_t, std::uint16_t) override {}
  void reset() override {}

 private:
  std::vector<std::uint32_t> pixels_;
  std::int32_t width_ = 0;
  std::int32_t height_ = 0;
};

class NoPirq final : public core::IrqSink {
 public:
  void set_input(unsigned, bool) override {}
};

class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool at_end() const { return bytes_.empty(); }
  std::uint8_t u8() {
    if (bytes_.empty()) return 0;
    const auto value = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return value;
  }
  std::uint32_t u32() { return u8() | u8() << 8 | u8() << 16 | static_cast<std::uint32_t>(u8()) << 24; }

 private:
  std::span<const std::uint8_t> bytes_;
};

struct Machine {
  static constexpr core::PciAddress kSlot{2, 0};
  static constexpr unsigned kMaxRefreshes = 12;  // of pictures of up to 8 MiB

  Machine() {
    devices::qxl::QxlFunction::Config config;
    config.sizes = {.ram_size = 16 << 20, .vram_size = 4096, .vgamem_mb = 8};
    auto made = devices::qxl::QxlFunction::create(config, {.io = io, .mmio = mmio, .ram_map = map, .clock = clock});
    device = std::move(*made);
    if (!bus.plug(kSlot, *device) || !device->attach()) __builtin_trap();
    bus.config_write(0, kSlot, 0x10, 4, 0xf0000000);
    bus.config_write(0, kSlot, 0x1c, 4, 0xc000);
    bus.config_write(0, kSlot, 0x04, 2, 3);
  }

  void step(Input& input) {
    const auto what = input.u8();
    const unsigned width = 1u << (what >> 4 & 1);
    switch (what & 0x0f) {
      case 0:
      case 1: return io.write(0x3b0 + (input.u8() & 0x3f), width, input.u32());
      case 2: return static_cast<void>(io.read(0x3b0 + (input.u8() & 0x3f), width));
      case 3: return indexed(0x3c4, input);
      case 4: return indexed(0x3ce, input);
      case 5: return indexed(0x3d4, input);
      case 6: return attribute(input);
      case 7: return vbe(input);
      case 8: return mmio.write(0xa0000 + (input.u32() & 0x1ffff), 1u << (what >> 4 & 3), input.u32() * 0x100000001ull);
      case 9: return static_cast<void>(mmio.read(0xa0000 + (input.u32() & 0x1ffff), 1u << (what >> 4 & 3)));
      case 10: return io.write(0xc000 + (input.u8() & 0x1f), width, input.u8());
      case 11: return store(input);
      case 12: return clock.advance(std::chrono::milliseconds(input.u8()));
      case 13: return config(input);
      default: return refresh((what & 0x10) != 0);
    }
  }
  void indexed(std::uint16_t port, Input& input) {
    const auto index = input.u8();
    io.write(port, 2, index | input.u8() << 8);
  }
  void attribute(Input& input) {
    io.read(0x3da, 1);
    io.write(0x3c0, 1, input.u8() & 0x1f);
    io.write(0x3c0, 1, input.u8());
    io.write(0x3c0, 1, 0x20);
  }
  void vbe(Input& input) {
    io.write(0x1ce, 2, input.u8() & 0x0f);
    io.read(0x1d0, 2);
    const auto low = input.u8();
    io.write(0x1cf, 2, low | input.u8() << 8);
  }
  // As the CPU does where memory is mapped: around the window and BAR0.
  void store(Input& input) {
    const auto at = input.u32() & 0xffffff;
    device->memory_blocks()[0]->all().write(at, input.u32());
  }
  void config(Input& input) {
    const auto offset = input.u8() & 0xfcu;
    bus.config_write(0, kSlot, offset, 4, input.u32());
  }
  void refresh(bool full) {
    if (++refreshes <= kMaxRefreshes) device->source().refresh(canvas, full);
  }

  tests::FakeClock clock;
  core::AddressSpace io{"ports", 0x10000};
  core::AddressSpace mmio{"memory", 0};
  core::RamMap map;
  NoPirq pirq;
  std::unique_ptr<devices::qxl::QxlFunction> device;
  core::PciBus bus{{.io = io, .mmio = mmio, .ram = map, .pirq = pirq}};
  Canvas canvas;
  unsigned refreshes = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMaxInput = 16384;
  core::set_log_level(core::LogLevel::Error);
  const auto machine = std::make_unique<Machine>();
  Input input(std::span(data, std::min(size, kMaxInput)));
  while (!input.at_end())
    machine->step(input);
  machine->device->source().refresh(machine->canvas, false);
  const std::scoped_lock guard(machine->device->lock());
  machine->device->reset();
  return 0;
}
