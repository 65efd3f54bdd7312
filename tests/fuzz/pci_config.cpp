// A guest's configuration cycles and what follows from them: host bridge, ISA bridge, power management and a function
// with BARs of every kind on a real bus over real address spaces and a real memory map. Eight bytes of input are one
// action; see act(). After each, the map that an accelerator would have must equal the bus's and be free of overlaps.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <span>

#include "core/base/endian.h"
#include "core/pci/pci_bus.h"
#include "devices/platform/i440fx.h"
#include "devices/platform/pci_config_ports.h"
#include "devices/platform/piix3.h"
#include "devices/platform/piix4_pm.h"

namespace {

constexpr std::uint64_t kRamBytes = 16 << 20;
constexpr std::size_t kActionBytes = 8;
constexpr std::size_t kMaxActions = 400;  // keeps the fuzzer fast

void check(bool truth) {
  if (!truth) std::abort();
}

// Time moves when the input says so.
class Clock final : public core::GuestClock {
 public:
  core::GuestTime now() const override { return now_; }
  std::unique_ptr<core::Timer> create_timer(core::DeviceLock& lock, std::function<void()> fire) override {
    return std::make_unique<OneTimer>(*this, lock, std::move(fire));
  }
  std::unique_ptr<core::Completion> create_completion(core::DeviceLock&) override { return nullptr; }
  void advance(core::GuestTime by) {
    now_ += by;
    if (timer_ != nullptr) timer_->fire_if_due();
  }

 private:
  class OneTimer final : public core::Timer {
   public:
    OneTimer(Clock& clock, core::DeviceLock& lock, std::function<void()> fire)
        : clock_(clock), lock_(lock), fire_(std::move(fire)) {
      clock_.timer_ = this;
    }
    ~OneTimer() override { clock_.timer_ = nullptr; }
    void arm(core::GuestTime deadline) override { deadline_ = deadline; }
    void cancel() override { deadline_.reset(); }
    bool armed() const override { return deadline_.has_value(); }
    void fire_if_due() {
      if (!deadline_ || *deadline_ > clock_.now()) return;
      deadline_.reset();
      const std::scoped_lock guard(lock_);
      fire_();
    }

   private:
    Clock& clock_;
    core::DeviceLock& lock_;
    std::function<void()> fire_;
    std::optional<core::GuestTime> deadline_;
  };

  core::GuestTime now_{};
  OneTimer* timer_ = nullptr;
};

class Lines final : public core::IrqSink {
 public:
  explicit Lines(unsigned count) : count_(count) {}
  void set_input(unsigned input, bool) override { check(input < count_); }

 private:
  unsigned count_;
};

// What an accelerator would have mapped.
class Mirror final : public core::RamMapListener {
 public:
  std::vector<core::RamRegion> regions;
  void region_removed(const core::RamRegion& region) override { check(std::erase(regions, region) == 1); }
  void region_added(const core::RamRegion& region) override {
    const auto end = region.start.checked_add(region.size);
    check(region.size > 0 && end && region.offset + region.size <= region.block->size());
    for (const auto& other : regions)
      check(*end <= other.start || other.start.value() + other.size <= region.start.value());
    regions.push_back(region);
  }
};

class Function final : public core::PciFunction, private core::IoHandler {
 public:
  explicit Function(std::string name)
      : PciFunction({.vendor = 0x1234, .device = 0x5678, .interrupt_pin = 1}), name_(std::move(name)) {
    declare_bar({.index = 0, .kind = core::BarKind::Io, .size = 32, .name = "io", .handler = this, .max_width = 4});
    declare_bar({.index = 1, .kind = core::BarKind::Memory32, .size = 4096, .name = "registers", .handler = this});
    declare_bar({.index = 2, .kind = core::BarKind::Memory32, .size = 1 << 16, .name = "vram", .memory = vram_.get()});
    declare_bar({.index = 4, .kind = core::BarKind::Memory64, .size = 1 << 20, .name = "big", .memory = big_.get()});
    declare_bar({.kind = core::BarKind::Rom, .size = 2048, .name = "rom", .memory = rom_.get(), .writable = false});
  }
  void reset() override {
    reset_config();
    set_intx(false);
  }
  std::string_view state_name() const override { return name_; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override { visit_config(visitor); }
  void raise(bool level) {
    const std::scoped_lock guard(lock());
    set_intx(level);
  }

 private:
  std::uint64_t read(std::uint64_t offset, unsigned width) override {
    check(offset + width <= 4096);
    return offset;
  }
  void write(std::uint64_t offset, unsigned width, std::uint64_t) override { check(offset + width <= 4096); }

  std::string name_;
  std::unique_ptr<core::MemoryBlock> vram_ = *core::MemoryBlock::create("vram", 1 << 16);
  std::unique_ptr<core::MemoryBlock> big_ = *core::MemoryBlock::create("big", 1 << 20);
  std::unique_ptr<core::MemoryBlock> rom_ = *core::MemoryBlock::create("rom", 2048);
};

struct Machine {
  Clock clock;
  core::AddressSpace io{"io", 0x10000};
  core::AddressSpace mmio{"mmio", 0};
  core::RamMap map;
  Mirror mirror;
  std::unique_ptr<core::GuestMemory> ram = *core::GuestMemory::create(kRamBytes, kRamBytes / 2);
  std::unique_ptr<core::MemoryBlock> bios = *core::MemoryBlock::create("bios", 0x40000);
  Lines isa{16};
  Lines sci{1};
  devices::platform::I440fx bridge{{map, *ram, *bios}};
  devices::platform::Piix3 south{{isa}};
  devices::platform::Piix4Pm power{{clock, core::IrqLine(sci, 0), [](auto) {}}};
  Function function{"function"};
  Function twin{"twin"};  // for BARs that collide
  core::PciBus bus{{io, mmio, map, south}};
  devices::platform::PciConfigPorts ports{{bus, [] {}}};

  Machine() {
    check(bridge.attach(mmio).has_value() && power.attach(io).has_value() && ports.attach(io).has_value());
    check(bus.plug({0, 0}, bridge) && bus.plug({1, 0}, south) && bus.plug({1, 3}, power));
    check(bus.plug({2, 0}, function) && bus.plug({3, 0}, twin));
    map.set_listener(&mirror);
  }
  ~Machine() { map.set_listener(nullptr); }

  std::array<core::Device*, 6> devices() { return {&bridge, &south, &power, &function, &twin, &ports}; }

  void reset() {
    for (auto* device : devices()) {
      const std::scoped_lock guard(device->lock());
      device->reset();
    }
    bus.remap();
  }
  // What was saved must load, and save the same again. A byte of it changed may fail or not, but harms nothing.
  void save_and_load(std::uint32_t where, std::uint8_t change) {
    std::vector<core::Stateful*> objects;
    for (auto* device : devices())
      objects.push_back(device);
    auto stream = core::save_state(objects);
    check(core::load_state(stream, objects).has_value());
    check(core::save_state(objects) == stream);
    stream[where % stream.size()] ^= change;
    if (!core::load_state(stream, objects)) reset();
    bus.remap();
  }
  void verify() {
    auto sorted = mirror.regions;
    std::ranges::sort(sorted, {}, &core::RamRegion::start);
    check(sorted == map.regions());
    const auto low = map.find(core::Gpa(0x9f000));
    check(low && low->block == &ram->block());
    std::uint64_t end = 0;
    for (const auto& entry : io.entries()) {
      check(entry.start >= end);
      end = entry.start + entry.size;
    }
  }
};

void config_cycle(Machine& machine, const std::uint8_t* bytes) {
  constexpr std::array<std::uint32_t, 8> kFunctions{0x00, 0x08, 0x0b, 0x10, 0x10, 0x10, 0x18, 0xff};
  const auto width = 1u << (bytes[1] >> 3 & 3) % 3;
  const auto devfn = kFunctions[bytes[1] & 7];
  machine.io.write(0xcf8, 4, 0x8000'0000 | devfn << 8 | (bytes[2] & 0xfcu));
  const auto port = 0xcfc + (bytes[2] & 3u);
  if ((bytes[1] & 0x80) != 0) {
    machine.io.read(port, width);
  } else {
    machine.io.write(port, width, core::load_le<std::uint32_t>(bytes + 4));
  }
}

void act(Machine& machine, const std::uint8_t* bytes) {
  const auto width = 1u << (bytes[1] & 3);
  const auto value = core::load_le<std::uint32_t>(bytes + 4);
  const auto port = core::load_le<std::uint16_t>(bytes + 2);
  switch (bytes[0] % 10) {
    case 0:
    case 1: config_cycle(machine, bytes); break;
    case 2: machine.io.write(0xcf8 + (port & 7u), width, value); break;
    case 3: machine.io.write(port, width, value); break;
    case 4: machine.io.read(port, width); break;
    case 5: machine.mmio.write(std::uint64_t{port} << 24 | value >> 8, width, value); break;
    case 6: machine.mmio.read(std::uint64_t{port} << 24 | value >> 8, width); break;
    case 7: machine.function.raise((bytes[1] & 1) != 0); break;
    case 8: machine.clock.advance(core::GuestTime(std::int64_t{value})); break;
    default:
      if ((bytes[1] & 1) != 0) {
        machine.reset();
      } else {
        machine.save_and_load(value, bytes[2]);
      }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Machine machine;
  std::span input(data, std::min(size, kMaxActions * kActionBytes));
  for (; input.size() >= kActionBytes; input = input.subspan(kActionBytes)) {
    act(machine, input.data());
    machine.verify();
  }
  return 0;
}
