// A virtio function on the real accelerator: its doorbells, and its messages by routes.
#include <thread>

#include "core/event/event_thread.h"
#include "core/pci/pci_bus.h"
#include "devices/virtio/virtio_pci.h"
#include "tests/device/fake_wiring.h"
#include "tests/device/virtio/echo_device.h"
#include "tests/guest/cpu_rig.h"

namespace {

constexpr core::PciAddress kSlot{5, 0};
constexpr std::uint64_t kUsedIndex = 0x202002;
constexpr std::uint64_t kRung = 0x204000;

// guests/virtqueue.cpp drives it.
struct VirtioMachine {
  VirtioMachine() {
    EXPECT_TRUE(bus.plug(kSlot, *function));
    bus.config_write(0, kSlot, 0x10, 4, 0xc000);
    bus.config_write(0, kSlot, 0x14, 4, 0xe001'0000);
    bus.config_write(0, kSlot, 0x20, 4, 0xe000'0000);
    bus.config_write(0, kSlot, 0x04, 2, 7);
    auto msix = bus.config_read(0, kSlot, 0x34, 1);
    while (bus.config_read(0, kSlot, msix, 1) != 0x11)
      msix = bus.config_read(0, kSlot, msix + 1, 1);
    bus.config_write(0, kSlot, msix + 2, 2, 0x8000);
    machine.load_guest("virtqueue");
    machine.port_probe.on_read = [this](std::uint64_t, unsigned) {
      const std::scoped_lock guard(machine.mutex);
      cpu = std::this_thread::get_id();
      ++turns;
      machine.changed.notify_all();
      return std::uint64_t{enough ? 1u : 0u};
    };
  }
  ~VirtioMachine() { bus.unplug_all(); }
  VirtioMachine(const VirtioMachine&) = delete;
  VirtioMachine& operator=(const VirtioMachine&) = delete;

  tests::Echo& echo() { return static_cast<tests::Echo&>(function->device()); }
  void set_running(bool running) {
    const std::scoped_lock guard(function->lock());
    function->set_running(running);
  }
  // Lets the guest ring for a while.
  void run_a_turn() {
    std::unique_lock guard(machine.mutex);
    machine.start();
    machine.changed.wait_for(guard, rig::kPatience, [this, before = turns] { return turns > before + 1; });
  }
  std::uint16_t word(std::uint64_t address) { return machine.ram->read<core::le16>(core::Gpa(address)).value_or(0); }

  rig::Machine machine;
  core::EventThread doorbells{"doorbells"};
  tests::RecordingIrqSink pirq;
  core::PciBus bus{{machine.io, machine.mmio, machine.ram_map, pirq}};
  std::unique_ptr<devices::virtio::VirtioPci> function = devices::virtio::VirtioPci::create(
      {.name = "virtio0"}, std::make_unique<tests::Echo>(),
      {*machine.ram, *machine.accelerator, machine.accelerator->rings_doorbells() ? &doorbells : nullptr});
  bool enough = false;  // these are guarded by the machine's mutex
  unsigned turns = 0;
  std::thread::id cpu;
};

TEST(CpuVirtio, requests_are_served_and_survive_pauses) {
  RIG_REQUIRES_CPUS();
  VirtioMachine virtio;
  auto& machine = virtio.machine;
  virtio.set_running(true);
  machine.start();
  const auto rings = [](const std::string& console) { return console == "memory\nports\n"; };
  ASSERT_TRUE(machine.wait_console(rings)) << machine.console_text();
  {
    const std::scoped_lock guard(virtio.function->lock());
    const std::scoped_lock also(machine.mutex);
    const bool on_cpu = virtio.echo().served_by == virtio.cpu;
    EXPECT_NE(on_cpu, machine.accelerator->rings_doorbells());
  }
  for (unsigned i = 0; i < 50; ++i) {
    virtio.run_a_turn();
    machine.threads->pause();
    virtio.set_running(false);
    const auto used = virtio.word(kUsedIndex);
    EXPECT_LE(static_cast<std::uint16_t>(used - virtio.word(kRung)), 1u) << "what was rung for has been done";
    std::this_thread::yield();
    EXPECT_EQ(virtio.word(kUsedIndex), used) << "and nothing is done while the machine stands still";
    virtio.set_running(true);
  }
  {
    const std::scoped_lock guard(machine.mutex);
    virtio.enough = true;
  }
  machine.start();
  const auto code = machine.wait_exit();
  ASSERT_TRUE(code);
  EXPECT_EQ(*code, 0u) << machine.console_text();
}

}  // namespace
