// Bytes become what a driver does to a QXL device in native mode: memory, ports, commands in the rings with all that
// they refer to, and a worker that takes them.
//
// The device's memory is small, and addresses in commands are made so that most of them hit it. Nothing the guest does
// may touch memory outside of it, hold more than the documented bounds, or keep a pull busy for long.
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "core/base/log.h"
#include "core/pci/pci_bus.h"
#include "devices/qxl/qxl_command_abi.h"
#include "devices/qxl/qxl_function.h"
#include "tests/device/fake_clock.h"
#include "tests/fuzz/input.h"

namespace {

namespace abi = devices::qxl::abi;

class Canvas final : public core::DisplayCanvas, private core::CursorSink {
 public:
  core::PixelView pixels() override { return {frame_.data(), width_, height_, width_}; }
  core::PixelView set_mode(std::int32_t width, std::int32_t height) override {
    surfaces_.clear();
    width_ = width;
    height_ = height;
    frame_.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 0);
    return pixels();
  }
  void changed(const core::Rect&) override {}
  bool create_surface(core::SurfaceId id, const core::SurfaceShape& shape) override {
    if (shape.width < 1 || shape.height < 1) __builtin_trap();
    auto& surface = surfaces_[id];
    surface.shape = shape;
    surface.bytes.assign(4 * static_cast<std::size_t>(shape.width) * static_cast<std::size_t>(shape.height), 1);
    return true;
  }
  void destroy_surface(core::SurfaceId id) override { surfaces_.erase(id); }
  void destroy_surfaces() override { surfaces_.clear(); }
  void load_surface(core::SurfaceId id, const core::Pixels& from) override {
    if (!surfaces_.contains(id)) __builtin_trap();
    std::uint32_t sum = 0;
    const auto wide = from.format == core::SurfaceFormat::Xrgb || from.format == core::SurfaceFormat::Argb;
    const auto row_bytes = from.width * (from.format == core::SurfaceFormat::A8 ? 1 : wide ? 4 : 2);
    for (std::int32_t y = 0; y < from.height; ++y) {
      for (std::int32_t x = 0; x < row_bytes; x += 64)
        sum += from.row(y)[x];
      sum += from.row(y)[row_bytes - 1];
    }
    sum_ = sum;
  }
  void draw(core::DrawingPtr drawing) override {
    if (!drawing || !surfaces_.contains(drawing->surface)) __builtin_trap();
    constexpr std::size_t kMost = 65 << 20;
    if (drawing->memory > kMost) __builtin_trap();
  }
  core::Pixels read_surface(core::SurfaceId id, const core::Rect& area) override {
    const auto found = surfaces_.find(id);
    if (found == surfaces_.end()) return {};
    const auto& [shape, bytes] = found->second;
    if (area.left < 0 || area.top < 0 || area.right > shape.width || area.bottom > shape.height) __builtin_trap();
    return {bytes.data(), 4 * std::ptrdiff_t{shape.width}, shape.width, shape.height, shape.format};
  }
  void set_monitors(const core::MonitorLayout& layout) override {
    if (layout.heads.size() > abi::kMaxHeads) __builtin_trap();
  }
  core::CursorSink& cursor() override { return *this; }
  void set(core::CursorShapePtr shape, core::Point, bool) override {
    if (!shape) __builtin_trap();
  }
  void move(core::Point) override {}
  void hide() override {}
  void set_trail(std::uint16_t, std::uint16_t) override {}
  void reset() override {}

 private:
  struct Surface {
    core::SurfaceShape shape;
    std::vector<std::uint8_t> bytes;
  };
  std::vector<std::uint32_t> frame_;
  std::int32_t width_ = 0;
  std::int32_t height_ = 0;
  std::map<core::SurfaceId, Surface> surfaces_;
  volatile std::uint32_t sum_ = 0;
};

class NoPirq final : public core::IrqSink {
 public:
  void set_input(unsigned, bool) override {}
};

struct Machine {
  static constexpr core::PciAddress kSlot{2, 0};
  static constexpr std::uint32_t kRam = 0xf0000000;
  static constexpr std::uint32_t kVram = 0xf4000000;
  static constexpr std::uint64_t kHeap = 9 << 20;
  static constexpr std::uint64_t kHeapSize = 64 << 10;
  static constexpr unsigned kMaxPulls = 64;

  explicit Machine(unsigned revision) {
    devices::qxl::QxlFunction::Config config;
    config.sizes = {.revision = revision, .ram_size = 16 << 20, .vram_size = 1 << 20, .vgamem_mb = 8};
    config.rom.surfaces = 16;
    auto made = devices::qxl::QxlFunction::create(config, {.io = io, .mmio = mmio, .ram_map = map, .clock = clock});
    device = std::move(*made);
    if (!bus.plug(kSlot, *device) || !device->attach()) __builtin_trap();
    bus.config_write(0, kSlot, 0x10, 4, kRam);
    bus.config_write(0, kSlot, 0x14, 4, kVram);
    bus.config_write(0, kSlot, 0x1c, 4, 0xc000);
    bus.config_write(0, kSlot, 0x04, 2, 3);
    device->source().set_wake([this] { pull(); });
    header = device->layout().ram_header_offset();
    go_native();
  }

  void pull() {
    constexpr unsigned kEnough = 8;  // of turns that the time slice cuts short
    for (unsigned i = 0; i < kEnough; ++i) {
      if (device->source().pull(canvas) != core::DisplaySource::Next::AtOnce) return;
    }
  }
  void port(unsigned number, unsigned value) { io.write(0xc000 + (number & 0x1f), 1, value); }
  template <class T>
  void set(std::uint64_t offset, const T& value) {
    ram().write(header + offset, value);
  }
  core::MemorySlice ram() { return device->memory_blocks()[0]->all(); }

  void go_native() {
    set(offsetof(abi::QXLRam, mem_slot), abi::QXLMemSlot{kRam, kRam + (16u << 20)});
    port(8, 1);
    set(offsetof(abi::QXLRam, mem_slot), abi::QXLMemSlot{kVram, kVram + (1u << 20)});
    port(8, 2);
    set(offsetof(abi::QXLRam, create_surface),
        abi::QXLSurfaceCreate{64, 64, 256, 32, 0, 0, 0, 0, std::uint64_t{1} << 56});
    port(12, 0);
  }

  // An address that mostly lies in the heap, where the input's bytes do.
  std::uint64_t address(tests::FuzzInput& input) {
    const auto kind = input.u8();
    if (kind < 8) return input.number(8);
    const std::uint64_t slot = kind < 32 ? 2 : 1;
    return slot << 56 | (slot == 1 ? kHeap + input.u16() % kHeapSize : input.u16());
  }
  void push(std::size_t ring, std::uint32_t type, std::uint64_t data) {
    const auto prod = ram().read<std::uint32_t>(header + ring + offsetof(abi::QXLCommandRing, prod)).value_or(0);
    set(ring + offsetof(abi::QXLCommandRing, items) + 16 * (prod % 32), abi::QXLCommand{data, type, 0});
    set(ring + offsetof(abi::QXLCommandRing, prod), prod + 1);
  }
  void store(tests::FuzzInput& input) {
    const auto at = kHeap + input.u16() % kHeapSize;
    const auto length = input.u8();
    for (unsigned i = 0; i < length; ++i)
      ram().write(at + i, input.u8());
  }
  void store_address(tests::FuzzInput& input) {
    const auto at = kHeap + input.u16() % kHeapSize;
    ram().write(at, core::le64(address(input)));
  }

  void step(tests::FuzzInput& input) {
    const auto what = input.u8();
    switch (what & 0x0f) {
      case 0:
      case 1: return store(input);
      case 2:
      case 3: return store_address(input);
      case 4:
      case 5:
      case 6: return push(offsetof(abi::QXLRam, cmd_ring), 1, address(input));
      case 7: return push(offsetof(abi::QXLRam, cmd_ring), input.u8() & 7, address(input));
      case 8: return push(offsetof(abi::QXLRam, cmd_ring), 5, address(input));
      case 9: return push(offsetof(abi::QXLRam, cursor_ring), 3, address(input));
      case 10: return set(input.u16() & 0x1fff, core::le32(input.u32()));
      case 11: return set(offsetof(abi::QXLRam, update_area) + (input.u8() & 0x7cu), core::le32(input.u8()));
      case 12:
      case 13: return limited_port(what >> 4, 0);
      case 14: return limited_port(input.u8(), input.u8());
      default: return rare(input);
    }
  }
  void limited_port(unsigned number, unsigned value) {
    if (++pulls <= kMaxPulls) port(number, value);
  }
  void rare(tests::FuzzInput& input) {
    switch (input.u8() & 7) {
      case 0: return io.write(0x3c2, 1, 0x63);
      case 1: return reset();
      case 2: return save_and_load();
      case 3: port(5, 0); return go_native();
      case 4: return static_cast<void>(device->source().refresh(canvas, true));
      case 5: return device->source().store(canvas);
      case 6: return bus.config_write(0, kSlot, input.u8() & 0xfcu, 4, input.u32());
      default: return static_cast<void>(device->describe());
    }
  }
  void reset() {
    const std::scoped_lock guard(device->lock());
    device->reset();
  }
  void save_and_load() {
    device->source().store(canvas);
    const std::scoped_lock guard(device->lock());
    core::Stateful* const objects[] = {device.get()};
    const auto saved = core::save_state(objects);
    if (!core::load_state(saved, objects)) __builtin_trap();
  }

  tests::FakeClock clock;
  core::AddressSpace io{"ports", 0x10000};
  core::AddressSpace mmio{"memory", 0};
  core::RamMap map;
  NoPirq pirq;
  std::unique_ptr<devices::qxl::QxlFunction> device;
  core::PciBus bus{{.io = io, .mmio = mmio, .ram = map, .pirq = pirq}};
  Canvas canvas;
  std::uint64_t header = 0;
  unsigned pulls = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMaxInput = 16384;
  core::set_log_level(core::LogLevel::Error);
  tests::FuzzInput input(std::span(data, std::min(size, kMaxInput)));
  const auto machine = std::make_unique<Machine>(1 + input.u8() % 5u);
  while (!input.empty())
    machine->step(input);
  machine->pull();
  machine->reset();
  return 0;
}
