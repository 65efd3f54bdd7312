// The guest against the PC's small devices, wired to each other as on the board: ports and the I/O APIC's window,
// accesses of every width, time that passes or jumps, keys, a mouse and a serial line, interrupts that a CPU takes,
// resets, and loads of what was saved.
#include <array>
#include <cstdlib>
#include <mutex>

#include "core/state/state.h"
#include "devices/platform/debug_exit.h"
#include "devices/platform/debugcon.h"
#include "devices/platform/i8042.h"
#include "devices/platform/ioapic.h"
#include "devices/platform/ioapic_abi.h"
#include "devices/platform/isa_irqs.h"
#include "devices/platform/pic.h"
#include "devices/platform/pit.h"
#include "devices/platform/port92.h"
#include "devices/platform/post_port.h"
#include "devices/platform/pvpanic.h"
#include "devices/platform/rtc.h"
#include "devices/platform/uart16550.h"
#include "devices/platform/x87_error.h"
#include "tests/device/fake_char_stream.h"
#include "tests/device/fake_clock.h"
#include "tests/device/fake_wiring.h"
#include "tests/fuzz/input.h"

namespace {

using namespace devices::platform;
using Input = tests::FuzzInput;

constexpr unsigned kMaxSteps = 2000;
constexpr std::size_t kMaxSent = 1 << 20;  // of a serial line, before it is forgotten
constexpr core::GuestTime kLongPause{100'000'000'000'000};

// Of every device but for PCI's and the HPET's.
constexpr std::array<std::uint16_t, 31> kPorts{
    0x20, 0x21, 0xa0,  0xa1,  0x4d0, 0x4d1, 0x40,  0x41,  0x42,  0x43,  0x61,  0x70,  0x71, 0x72, 0x73, 0x60,
    0x64, 0x92, 0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x3fd, 0x3fe, 0x3ff, 0x402, 0x505, 0xf0, 0x80, 0xf4};

class Guest {
 public:
  explicit Guest(Input input) : input_(input) {
    bool attached = ioapic_.attach(mmio_.space).has_value();
    attached &= pic_.attach(io_.space) && pit_.attach(io_.space) && rtc_.attach(io_.space) && i8042_.attach(io_.space);
    attached &= port92_.attach(io_.space) && uart_.attach(io_.space) && pvpanic_.attach(io_.space);
    attached &= x87_.attach(io_.space) && debugcon_.attach(io_.space) && post_.attach(io_.space);
    if (!attached || !exit_.attach(io_.space)) std::abort();
  }

  void run() {
    for (unsigned step = 0; step < kMaxSteps && !input_.empty(); ++step) {
      if (const auto choice = input_.u8() % 16U; choice < 10) {
        access(choice);
      } else {
        happen(choice);
      }
      if (serial_.sent.size() > kMaxSent) serial_.sent.clear();
      interrupts_.changes.clear();
      messages_.messages.clear();
    }
  }

 private:
  // Devices whose state is loaded while the others stay as they are.
  std::array<core::Device*, 12> devices() {
    return {&pic_, &ioapic_, &pit_, &rtc_, &i8042_, &port92_, &uart_, &pvpanic_, &x87_, &debugcon_, &post_, &exit_};
  }
  core::Device& any_device() { return *devices()[input_.u8() % devices().size()]; }

  void access(unsigned choice) {
    const auto port = kPorts[input_.u8() % kPorts.size()];
    const auto width = 1U << (choice % 4 == 3 ? input_.u8() % 3 : 0);
    switch (choice) {
      case 0:
      case 1: io_.space.read(port, width); break;
      case 8: mmio_.space.read(ioapic_abi::kBase + input_.u8(), 1U << (input_.u8() % 4)); break;
      case 9:
        mmio_.out32(ioapic_abi::kBase + ioapic_abi::kSelect, input_.u8() % 0x40U);
        mmio_.space.write(ioapic_abi::kBase + ioapic_abi::kWindow, 1U << (input_.u8() % 4), input_.u32());
        break;
      default: io_.space.write(port, width, input_.number(width));
    }
  }

  void happen(unsigned choice) {
    switch (choice) {
      case 10: clock_.advance(core::GuestTime(input_.u32() % 10'000'000)); break;
      case 11: jump(); break;
      case 12: type(); break;
      case 13: take_interrupt(); break;
      case 14: reset(any_device()); break;
      default: save_and_load(any_device());
    }
  }

  // The clock of a machine that was stopped, or whose snapshot is a day old.
  void jump() { clock_.set_now(clock_.now() + core::GuestTime(input_.number(8) % kLongPause.count())); }

  void type() {
    const auto value = input_.u32();
    switch (input_.u8() % 4) {
      case 0: i8042_.key(static_cast<core::KeyCode>(value % 256), (value & 0x100) != 0); break;
      case 1:
        i8042_.move(static_cast<std::int16_t>(value), static_cast<std::int8_t>(value >> 16), 0, input_.u8());
        break;
      case 2: serial_.offer(std::string(value % 64, static_cast<char>(value >> 8))); break;
      default: {
        const std::scoped_lock guard(x87_.lock());
        x87_.set();
      }
    }
  }

  void take_interrupt() {
    if (pic_.pending()) pic_.acknowledge();
    ioapic_.eoi(input_.u8());
  }

  static void reset(core::Device& device) {
    const std::scoped_lock guard(device.lock());
    device.reset();
  }

  // What was saved must load into the same machine, changed by a bit or not.
  void save_and_load(core::Device& device) {
    core::Stateful* const objects[] = {&device};
    const std::scoped_lock guard(device.lock());
    auto saved = core::save_state(objects);
    if (!core::load_state(saved, objects)) std::abort();
    auto& byte = saved[input_.u16() % saved.size()];
    byte = static_cast<std::uint8_t>(byte ^ input_.u8());
    if (!core::load_state(saved, objects)) device.reset();
  }

  Input input_;
  tests::FakeClock clock_;
  tests::FakeBus io_;
  tests::FakeBus mmio_{std::uint64_t{1} << 32};
  tests::RecordingIrqSink interrupts_;
  tests::RecordingMsiSink messages_;
  tests::FakeCharStream serial_, console_;
  struct Routes final : core::IoApicRouteSink {
    void set_ioapic_routes(const std::array<core::IoApicRoute, core::kIoApicPins>&) override {}
  } routes_;

  Pic pic_{{interrupts_}};
  IoApic ioapic_{{messages_, routes_}};
  IsaIrqs isa_{{pic_, ioapic_}};
  Pit pit_{{}, {isa_, clock_, [this] { return pic_.waits(0); }}};
  Rtc rtc_{{}, {isa_, clock_, [](bool) {}}};
  I8042 i8042_{{isa_, [](bool) {}, [] {}}};
  Port92 port92_{{[](bool) {}, [] {}}};
  Uart16550 uart_{{}, {clock_, core::IrqLine(isa_, 4), serial_}};
  Pvpanic pvpanic_{{[] {}, [] {}}};
  X87Error x87_{{core::IrqLine(isa_, X87Error::kIrq)}};
  Debugcon debugcon_{{}, {console_}};
  PostPort post_;
  DebugExit exit_{{}, {[](int) {}}};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Guest(Input({data, size})).run();
  return 0;
}
