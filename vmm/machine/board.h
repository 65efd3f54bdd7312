// The PC's main board: memory map, chipset and devices, and who is wired to whom. Behaviour lives in the devices; this
// is the catalogue.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/bus/address_space.h"
#include "core/bus/device.h"
#include "core/event/virtual_clock.h"
#include "core/memory/guest_memory.h"
#include "core/memory/ram_map.h"
#include "core/pci/pci_bus.h"
#include "core/ports/input.h"
#include "vmm/config/machine_config.h"
#include "vmm/cpu/accelerator.h"
#include "vmm/machine/adapters.h"
#include "vmm/machine/host_ends.h"

namespace devices::block {
class DriveBays;
}
namespace devices::platform {
class Piix4Pm;
}

namespace vmm::machine {

class QxlDisplays;
class UsbDevices;
class VirtioDevices;

// What the guest asks of the machine. Called on vCPU threads with device locks held: post and return.
struct GuestRequests {
  std::function<void()> reset;
  std::function<void()> power_off;
  std::function<void()> suspend_to_disk;  // memory is saved: power-off
  std::function<void()> suspend_to_ram;   // see Board::suspended()
  std::function<void()> alarm;            // the RTC's, which wakes a machine that is suspended to RAM
  std::function<void(int status)> exit;
  std::function<void()> panicked;
  std::function<void()> crash_loaded;                // a crash kernel runs
  std::function<void(std::uint64_t bytes)> balloon;  // so much memory is left to the guest
};

enum class WakeReason : std::uint8_t { PowerButton, Alarm };

// The machine's time; with a counted clock it is the same one, and the CPUs move it.
struct BoardClock {
  core::GuestClock& clock;
  core::VirtualClock* counted = nullptr;
};

class Board {
 public:
  // Everything but the CPUs' threads. The clock must outlive the board.
  static core::Result<std::unique_ptr<Board>> create(const config::MachineConfig& config,
                                                     const std::array<std::uint8_t, 16>& uuid, HostEnds ends,
                                                     const BoardClock& clock, GuestRequests requests);
  ~Board();
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  // All devices to power-on state, in an order in which interrupt controllers come last; CPUs paused.
  void reset();

  // Suspended to RAM: the guest waits for wake_up() to reset everything but its memory, the clock's date and what makes
  // both readable, and for the firmware to find the way back. CPUs paused.
  bool suspended();
  void wake_up(WakeReason reason);
  bool alarm_wakes();                           // the RTC's alarm rings, and is to wake the guest
  std::optional<core::GuestTime> next_alarm();  // when that will be

  cpu::Accelerator& accelerator();
  const std::string& accelerator_reason() const;  // why this one; empty where there was no choice
  core::AddressSpace& io();
  core::AddressSpace& mmio();
  core::RamMap& ram_map();
  core::PciBus& pci();
  core::KeyboardSink& keyboard();
  core::MouseSink& mouse();
  core::TabletSink* tablet();  // null: there is none
  QxlDisplays& displays();     // the first one is the VGA
  // The controller of an interface; null if no drive asked for it, or every disk is a device of its own (virtio).
  devices::block::DriveBays* drives(config::DiskInterface interface);
  VirtioDevices& virtio();
  UsbDevices* usb();   // null: there is no USB
  void drain_disks();  // until no request is under way; CPUs paused
  devices::platform::Piix4Pm& power();
  const IrqCounter& interrupts();
  std::span<core::Device* const> devices();
  // What the guest has written to: RAM and the display's memory.
  std::vector<core::MemoryBlock*> memory();
  // Whether the guest runs: while it does not, nothing from the host reaches its memory.
  void set_running(bool running);

 private:
  struct Parts;
  void reset_all_but(const core::Device* spared);
  explicit Board(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace vmm::machine
