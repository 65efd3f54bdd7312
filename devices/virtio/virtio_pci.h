// The PCI transport: makes a virtio device type a PCI function with MSI-X, for drivers of virtio 1.x and, unless
// disabled, for legacy ones (a "transitional" device). [virtio 1.2, 4.1]
//
// Missing on purpose: packed virtqueues, queue reset, notification data, shared memory regions.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/fd.h"
#include "core/event/event_thread.h"
#include "core/memory/guest_memory.h"
#include "core/pci/capability_list.h"
#include "core/pci/msix.h"
#include "core/pci/pci_function.h"
#include "devices/virtio/virtio_device.h"
#include "devices/virtio/virtio_pci_abi.h"

namespace devices::virtio {

class VirtioPci final : public core::PciFunction, private VirtioHost {
 public:
  struct Config {
    std::string name;           // unique in the machine: "virtio-blk0"
    bool legacy = true;         // answer legacy drivers too
    unsigned msix_vectors = 0;  // 0: one a queue and one for configuration changes
  };
  struct Wiring {
    const core::GuestMemory& memory;
    core::MsiSink& msi;
    // Serves the queues where the accelerator rings doorbells without an exit; null: a driver's write does.
    core::EventWaiter* doorbells = nullptr;
  };
  ~VirtioPci() override;
  static std::unique_ptr<VirtioPci> create(Config config, std::unique_ptr<VirtioDevice> device, const Wiring& wiring);

  VirtioDevice& device() { return *device_; }
  // Lock held. While the machine stands still the host writes nothing into the guest's memory, and no doorbell that the
  // guest has rung is left over.
  void set_running(bool running);
  void drain() { device_->drain(); }  // no device lock held, no CPU running

  void reset() override;
  std::string_view state_name() const override { return config_name_; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override;
  core::Result<> state_loaded() override;

 private:
  // What a driver has told of a queue.
  struct QueueSetup {
    std::uint16_t size = 0;
    std::uint16_t vector = abi::kNoVector;
    bool enabled = false;
    Virtqueue::Places places;
    void visit(core::StateVisitor& visitor);
  };
  struct Common {
    std::uint32_t device_feature_select = 0;
    std::uint32_t driver_feature_select = 0;
    std::uint64_t driver_features = 0;
    std::uint16_t config_vector = abi::kNoVector;
    std::uint16_t queue_select = 0;
    std::uint8_t status = 0;
    std::uint8_t generation = 0;
    std::uint8_t isr = 0;
    void visit(core::StateVisitor& visitor);
  };
  // A row of the common configuration structure.
  struct CommonRegister {
    std::string_view name;
    std::uint32_t offset;
    unsigned width;
    std::uint32_t (*read)(const VirtioPci& self);
    void (*write)(VirtioPci& self, std::uint32_t value);  // nullptr: read-only
  };
  static const std::span<const CommonRegister> kCommonRegisters;
  static const CommonRegister* common_register(std::uint64_t offset);

  // The capabilities and where they are in config space, known before the function is made.
  struct Layout {
    core::CapabilityList capabilities;
    std::uint32_t window = 0;  // of VIRTIO_PCI_CAP_PCI_CFG
  };
  static void add_structures(Layout& layout);
  // A queue's doorbell: whichever register rings it, the waiter's thread takes the count and serves the queue.
  struct Doorbell {
    core::EventFd event;
    std::unique_ptr<core::EventWatch> watch;
  };
  static std::vector<Doorbell> make_doorbells(std::string_view name, std::size_t queues);
  VirtioPci(Config config, std::unique_ptr<VirtioDevice> device, const Wiring& wiring, std::unique_ptr<core::Msix> msix,
            const Layout& layout);
  void declare_bars(bool legacy);
  void watch_doorbells(core::EventWaiter& waiter);
  bool take_doorbell(unsigned queue);

  // Config space
  void config_reading(std::uint32_t offset, unsigned width) override;
  void config_written(std::uint32_t offset, unsigned width) override;
  bool window_touched(std::uint32_t offset, unsigned width) const;

  // The modern BAR, by region.
  std::uint64_t read_modern(std::uint64_t offset, unsigned width);
  void write_modern(std::uint64_t offset, unsigned width, std::uint64_t value);
  // The legacy BAR.
  std::uint64_t read_legacy(std::uint64_t offset, unsigned width);
  void write_legacy(std::uint64_t offset, unsigned width, std::uint64_t value);
  std::uint64_t legacy_register(std::uint64_t offset);
  void set_legacy_register(std::uint64_t offset, std::uint64_t value);
  void set_legacy_queue_address(std::uint32_t page);
  std::uint64_t legacy_config_start() const;

  // What both layouts do.
  std::uint64_t read_config_bytes(std::uint64_t offset, unsigned width) const;
  void write_config_bytes(std::uint64_t offset, unsigned width, std::uint64_t value);
  std::uint8_t take_isr();
  void set_status(std::uint8_t value);
  std::uint64_t offered_features() const;
  bool is_modern() const { return has_feature(abi::kVersion1); }
  QueueSetup* selected();
  const QueueSetup* selected() const;
  std::uint16_t accept_vector(std::uint32_t vector) const;
  void enable_queue(unsigned index);
  void queue_written(std::uint32_t queue);
  void reset_device();
  void interrupt(std::uint16_t vector, std::uint8_t isr);

  // VirtioHost
  core::DeviceLock& device_lock() override { return lock(); }
  Virtqueue& queue(unsigned index) override { return queues_[index]; }
  void notify_used(unsigned queue) override;
  void notify_config_changed() override;
  void need_reset() override;
  bool is_off_cpu() const override { return !doorbells_.empty(); }
  bool serve_later(unsigned queue) override;
  bool has_feature(unsigned bit) const override { return (common_.driver_features >> bit & 1) != 0; }
  bool is_driver_ready() const override { return (common_.status & abi::kDriverOk) != 0; }

  const std::string config_name_;
  std::unique_ptr<VirtioDevice> device_;
  std::unique_ptr<core::Msix> msix_;
  const std::uint32_t window_;
  std::vector<Virtqueue> queues_;
  std::vector<QueueSetup> setups_;
  Common common_;
  core::Handler<VirtioPci> modern_;
  core::Handler<VirtioPci> legacy_;
  std::vector<Doorbell> doorbells_;  // by queue; empty: there are none
};

}  // namespace devices::virtio
