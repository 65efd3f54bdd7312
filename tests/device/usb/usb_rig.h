// USB controllers on a PCI bus, driven as a guest would: through registers, and schedules in guest memory.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "core/memory/guest_memory.h"
#include "core/memory/ram_map.h"
#include "core/pci/pci_bus.h"
#include "devices/usb/ehci_controller.h"
#include "devices/usb/uhci_controller.h"
#include "tests/device/fake_clock.h"
#include "tests/device/fake_wiring.h"
#include "tests/device/fake_write_alarms.h"

namespace tests {

namespace usb = devices::usb;
namespace uhci = devices::usb::abi::uhci;
namespace ehci = devices::usb::abi::ehci;

// A device that does what a test says.
class ScriptedDevice final : public usb::UsbDevice {
 public:
  explicit ScriptedDevice(usb::Speed fastest = usb::Speed::High) : fastest_(fastest) {}

  usb::Speed fastest() const override { return fastest_; }
  void power_on() override { address = 0; }
  void bus_reset(usb::Speed speed) override {
    address = 0;
    reset_to = speed;
    ++resets;
  }
  void set_suspended(bool on) override { suspended = on; }
  usb::UsbDevice* at(std::uint8_t wanted) override { return wanted == address ? this : nullptr; }
  usb::UsbResult submit(usb::UsbPacket& packet) override {
    ++submitted;
    const auto result = on_packet(packet);
    if (result == usb::UsbResult::Pending) pending.push_back(&packet);
    return result;
  }
  void cancel(usb::UsbPacket& packet) override {
    ++cancelled;
    std::erase(pending, &packet);
  }
  void visit(core::StateVisitor&) override {}
  core::Result<> state_loaded() override { return {}; }

  void finish_first(usb::UsbResult result, std::span<const std::uint8_t> bytes = {}) {
    auto* const packet = pending.front();
    pending.erase(pending.begin());
    if (!bytes.empty()) packet->put(bytes);
    packet->finish(result);
  }
  using UsbDevice::data_ready;
  using UsbDevice::signal_resume;

  std::function<usb::UsbResult(usb::UsbPacket&)> on_packet = [](usb::UsbPacket&) { return usb::UsbResult::Nak; };
  std::uint8_t address = 0;
  bool suspended = false;
  usb::Speed reset_to = usb::Speed::Low;
  unsigned resets = 0;
  unsigned submitted = 0;
  unsigned cancelled = 0;
  std::vector<usb::UsbPacket*> pending;

 private:
  usb::Speed fastest_;
};

// What both kinds of rig have.
struct UsbBoard {
  static constexpr std::uint64_t kRam = 4 << 20;
  static constexpr std::uint32_t kFrames = 0x10000;  // the frame list
  static constexpr std::uint32_t kData = 0x100000;

  FakeClock clock;
  std::unique_ptr<core::GuestMemory> memory = *core::GuestMemory::create(kRam, std::uint64_t{3} << 30);
  RecordingIrqSink pirqs;
  FakeBus bus;
  FakeBus mmio{0};
  core::RamMap ram;
  core::DeviceLock lock;
  FakeWriteAlarms alarms;

  std::uint32_t word(std::uint64_t at) const { return memory->read<core::le32>(core::Gpa(at)).value_or(core::le32(0)); }
  void set_word(std::uint64_t at, std::uint32_t value) {
    memory->write(core::Gpa(at), core::le32(value));
    alarms.written(core::Gpa(at));
  }
  std::vector<std::uint8_t> bytes(std::uint64_t at, std::size_t length) const {
    std::vector<std::uint8_t> result(length);
    EXPECT_TRUE(memory->read(core::Gpa(at), result));
    return result;
  }
  void put_bytes(std::uint64_t at, std::span<const std::uint8_t> bytes) {
    EXPECT_TRUE(memory->write(core::Gpa(at), bytes));
  }
  void fill_frames(std::uint32_t link) {
    for (std::uint32_t i = 0; i < uhci::kListFrames; ++i)
      memory->write(core::Gpa(kFrames + 4 * i), core::le32(link));
    alarms.written(core::Gpa(kFrames));
  }
  void pass(unsigned ms) { clock.advance(std::chrono::milliseconds(ms)); }
};

// A controller as the PIIX3 has it.
struct UhciRig : UsbBoard {
  static constexpr core::PciAddress kSlot{1, 2};
  static constexpr std::uint16_t kIo = 0xc000;

  usb::UhciController device{{"uhci", usb::UhciController::piix3()},
                             {.memory = *memory, .clock = clock, .bus = lock, .alarms = &alarms}};
  core::PciBus pci{{bus.space, mmio.space, ram, pirqs}};

  UhciRig() { EXPECT_TRUE(pci.plug(kSlot, device)); }
  ~UhciRig() { pci.unplug_all(); }
  UhciRig(const UhciRig&) = delete;
  UhciRig& operator=(const UhciRig&) = delete;

  template <class Device>
  Device& plug(unsigned port, std::unique_ptr<Device> made) {
    auto& plugged = *made;
    const std::scoped_lock guard(lock);
    device.port(port).plug(std::move(made));
    return plugged;
  }
  void enable() {
    pci.config_write(0, kSlot, 0x20, 4, kIo);
    pci.config_write(0, kSlot, 0x04, 2, 0x0005);
  }
  std::uint16_t get(std::uint32_t offset) { return bus.in16(static_cast<std::uint16_t>(kIo + offset)); }
  void set(std::uint32_t offset, unsigned value) { bus.out16(static_cast<std::uint16_t>(kIo + offset), value); }
  bool irq() const { return pirqs.level(3); }  // pin D of slot 1
  void enable_port(unsigned port) {
    const auto offset = uhci::PORTSC1 + 2 * port;
    set(offset, uhci::PORT_RESET);
    set(offset, 0);
    set(offset, uhci::PORT_PE | uhci::PORT_CSC | uhci::PORT_PEC);
  }
  // A list whose frames all lead to `link`, and the controller runs.
  void start(std::uint32_t link) {
    enable();
    enable_port(0);
    fill_frames(link);
    bus.out32(kIo + uhci::FRBASEADD, kFrames);
    set(uhci::USBINTR, 0xf);
    set(uhci::USBCMD, uhci::CMD_RS);
  }

  static constexpr std::uint32_t kThreeErrors = 3U << uhci::TD_ERRORS_SHIFT;
  static std::uint32_t token(usb::Pid pid, unsigned bytes, unsigned endpoint = 1, unsigned address = 0) {
    return static_cast<std::uint32_t>(pid) | (address << 8) | (endpoint << 15) | (((bytes - 1) & 0x7ff) << 21);
  }
  void put_td(std::uint32_t at, std::uint32_t link, std::uint32_t status, std::uint32_t token_word,
              std::uint32_t buffer = kData) {
    set_word(at, link);
    set_word(at + 4, status);
    set_word(at + 8, token_word);
    set_word(at + 12, buffer);
  }
  void put_queue(std::uint32_t at, std::uint32_t head, std::uint32_t element) {
    set_word(at, head);
    set_word(at + 4, element);
  }
  std::uint32_t status(std::uint32_t td) const { return word(td + 4); }
};

// The ICH9's enhanced controller with its companions.
struct EhciRig : UsbBoard {
  static constexpr core::PciAddress kSlot{0x1d, 7};
  static constexpr std::uint32_t kMmio = 0xfebf0000;
  static constexpr std::uint16_t kIo = 0xc000;

  usb::EhciController device{{"ehci"}, {*memory, clock, lock, &alarms}};
  std::array<std::unique_ptr<usb::UhciController>, 3> companions;
  core::PciBus pci{{bus.space, mmio.space, ram, pirqs}};

  EhciRig() {
    for (unsigned i = 0; i < companions.size(); ++i) {
      usb::UhciController::Wiring wiring{.memory = *memory, .clock = clock, .bus = lock, .alarms = &alarms};
      wiring.ports = {&device.port(2 * i), &device.port(2 * i + 1)};
      companions[i] = std::make_unique<usb::UhciController>(
          usb::UhciController::Config{"uhci" + std::to_string(i + 1), usb::UhciController::ich9(i)}, wiring);
      device.connect_companion(i, *companions[i]);
      EXPECT_TRUE(pci.plug({0x1d, i}, *companions[i]));
    }
    EXPECT_TRUE(pci.plug(kSlot, device));
  }
  ~EhciRig() { pci.unplug_all(); }
  EhciRig(const EhciRig&) = delete;
  EhciRig& operator=(const EhciRig&) = delete;

  template <class Device>
  Device& plug(unsigned port, std::unique_ptr<Device> made) {
    auto& plugged = *made;
    const std::scoped_lock guard(lock);
    device.port(port).plug(std::move(made));
    return plugged;
  }
  void enable() {
    pci.config_write(0, kSlot, 0x10, 4, kMmio);
    pci.config_write(0, kSlot, 0x04, 2, 0x0006);
    for (unsigned i = 0; i < companions.size(); ++i) {
      pci.config_write(0, {0x1d, i}, 0x20, 4, kIo + 0x20 * i);
      pci.config_write(0, {0x1d, i}, 0x04, 2, 0x0005);
    }
  }
  std::uint32_t get(std::uint32_t offset) { return mmio.in32(kMmio + offset); }
  void set(std::uint32_t offset, std::uint32_t value) { mmio.out32(kMmio + offset, value); }
  static constexpr std::uint32_t portsc(unsigned port) { return ehci::PORTSC + 4 * port; }
  std::uint16_t companion_port(unsigned port) {
    return bus.in16(static_cast<std::uint16_t>(kIo + 0x20 * (port / 2) + uhci::PORTSC1 + 2 * (port % 2)));
  }
  void set_companion_port(unsigned port, unsigned value) {
    bus.out16(static_cast<std::uint16_t>(kIo + 0x20 * (port / 2) + uhci::PORTSC1 + 2 * (port % 2)), value);
  }
  bool irq() const { return pirqs.level(3); }
  // Ours, and reset.
  void take_port(unsigned port) {
    set(ehci::CONFIGFLAG, 1);
    set(portsc(port), ehci::PORT_RESET | ehci::PORT_CSC);
    set(portsc(port), 0);
  }
  void start() {
    enable();
    take_port(0);
    set(ehci::USBSTS, 0x3f);
    set(ehci::USBINTR, 0x37);
    set(ehci::PERIODICLISTBASE, kFrames);
    set(ehci::USBCMD, ehci::CMD_RS);
  }
  void start_ring(std::uint32_t head) {
    set(ehci::ASYNCLISTADDR, head);
    set(ehci::USBCMD, ehci::CMD_RS | ehci::CMD_ASE);
  }

  static constexpr std::uint32_t kThreeErrors = 3U << 10;
  static std::uint32_t token(usb::Pid pid, unsigned bytes, std::uint32_t more = 0) {
    const auto code = pid == usb::Pid::Out ? 0U : pid == usb::Pid::In ? 1U : 2U;
    return ehci::QTD_ACTIVE | kThreeErrors | (code << 8) | (bytes << 16) | more;
  }
  void put_qtd(std::uint32_t at, std::uint32_t next, std::uint32_t alternate, std::uint32_t token_word,
               std::uint32_t buffer = kData) {
    set_word(at, next);
    set_word(at + 4, alternate);
    set_word(at + 8, token_word);
    set_word(at + 12, buffer);
    for (std::uint32_t page = 1; page < ehci::kBuffers; ++page)
      set_word(at + 12 + 4 * page, (buffer & ~0xfffU) + 0x1000 * page);
  }
  // A queue whose overlay is idle and leads to `qtd`.
  void put_queue(std::uint32_t at, std::uint32_t next, std::uint32_t qtd, std::uint32_t more = 0,
                 std::uint32_t capabilities = 1U << 30) {
    constexpr std::uint32_t kHighSpeedEndpoint1 = (512U << 16) | (2U << 12) | (1U << 8);
    set_word(at, next);
    set_word(at + 4, kHighSpeedEndpoint1 | more);
    set_word(at + 8, capabilities);
    set_word(at + 12, 0);
    set_word(at + 16, qtd);
    set_word(at + 20, ehci::kTerminate);
    set_word(at + 24, 0);
  }
  static constexpr std::uint32_t kQueueLink = 2;
  std::uint32_t qtd_token(std::uint32_t qtd) const { return word(qtd + 8); }
};

}  // namespace tests
