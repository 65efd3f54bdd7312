// The machine's virtio devices: which of them the configuration asks for, and where they are on the PCI bus.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/bus/device.h"
#include "core/event/event_thread.h"
#include "core/event/guest_clock.h"
#include "core/memory/guest_memory.h"
#include "core/pci/pci_bus.h"
#include "vmm/config/machine_config.h"
#include "vmm/machine/balloon_statistics.h"
#include "vmm/machine/host_ends.h"

namespace devices::virtio {
class VirtioBalloon;
class VirtioDevice;
class VirtioPci;
}  // namespace devices::virtio

namespace vmm::machine {

class VirtioDevices {
 public:
  struct Wiring {
    const core::GuestMemory& memory;
    core::GuestClock& clock;
    core::MsiSink& msi;
    bool doorbells = false;  // the CPUs ring them without leaving the guest
    // The guest has so much memory left now. Device lock held.
    std::function<void(std::uint64_t bytes)> on_balloon;
  };
  // Takes its disks and streams from `ends`; the streams must outlive it.
  VirtioDevices(const config::MachineConfig& config, HostEnds& ends, const Wiring& wiring);
  ~VirtioDevices();
  VirtioDevices(const VirtioDevices&) = delete;
  VirtioDevices& operator=(const VirtioDevices&) = delete;

  core::Result<> plug(core::PciBus& bus);
  void list(std::vector<core::Device*>& devices) const;
  void drain();  // until no disk request is under way; CPUs paused

  void set_running(bool running);  // see Board

  core::BlockBackend* disk(unsigned slot) const;  // null: there is none
  // False: there is no balloon.
  bool set_balloon(std::uint64_t bytes);
  std::optional<std::uint64_t> balloon() const;  // what the guest has left
  // What it tells of its memory, and how often it is asked; nullopt and false without a balloon.
  std::optional<BalloonStatistics> balloon_statistics() const;
  bool set_balloon_polling(std::uint32_t seconds);

  // The PCI device number of disk `slot`.
  static constexpr unsigned kFirstDiskSlot = 8;
  static constexpr unsigned kMaxDisks = 8;

 private:
  struct Placed {
    core::PciAddress address;
    std::unique_ptr<devices::virtio::VirtioPci> function;
  };
  // Makes the function around a device; plug() puts it on the bus.
  devices::virtio::VirtioPci& add(core::PciAddress address, std::string name,
                                  std::unique_ptr<devices::virtio::VirtioDevice> device, const Wiring& wiring);
  void add_disks(const config::MachineConfig& config, HostEnds& ends, const Wiring& wiring);
  void add_serial(HostEnds& ends, const Wiring& wiring);
  void add_entropy(const config::MachineConfig& config, const Wiring& wiring);
  void add_balloon(const Wiring& wiring);

  core::GuestClock& clock_;
  core::EventThread doorbells_;
  std::vector<Placed> functions_;
  std::vector<std::pair<unsigned, core::BlockBackend*>> disks_;  // by slot
  devices::virtio::VirtioPci* balloon_function_ = nullptr;
  devices::virtio::VirtioBalloon* balloon_ = nullptr;
};

}  // namespace vmm::machine
