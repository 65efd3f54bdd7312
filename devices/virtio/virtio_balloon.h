// The memory balloon: the host asks for pages, the guest gives up what it can spare. [virtio 1.2, 5.5]
//
// Missing on purpose: statistics, free page hints and reports.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/event/guest_clock.h"
#include "core/memory/guest_memory.h"
#include "devices/virtio/virtio_device.h"

namespace devices::virtio {

class VirtioBalloon final : public VirtioDevice {
 public:
  struct Wiring {
    const core::GuestMemory& memory;
    core::GuestClock& clock;
    // The guest says that it has now this much left. Device lock held.
    std::function<void(std::uint64_t bytes)> on_change;
  };
  explicit VirtioBalloon(Wiring wiring);

  // What the guest shall have left, at most all. Device lock held.
  void set_target(std::uint64_t bytes);
  std::uint64_t actual_bytes() const;  // device lock held

  std::uint16_t type() const override;
  std::string_view name() const override { return "virtio-balloon"; }
  std::uint32_t class_code() const override { return 0x00ff00; }
  std::uint64_t features() const override;
  std::vector<std::uint16_t> queue_sizes() const override { return {kQueueSize, kQueueSize}; }
  std::vector<std::uint8_t> config() const override;
  void write_config(std::uint64_t offset, std::span<const std::uint8_t> bytes) override;
  void queue_notified(unsigned queue) override;
  void reset() override;
  void visit(core::StateVisitor& visitor) override;
  core::Result<> state_loaded() override;

 private:
  static constexpr std::uint16_t kQueueSize = 128;
  // [5.5.4] In pages.
  struct State {
    std::uint32_t wanted = 0;
    std::uint32_t actual = 0;
  };

  void attached() override;
  void take(unsigned queue);
  bool give_up(const Chain& chain);

  Wiring wiring_;
  State state_;
  std::unique_ptr<core::Timer> timer_;
};

}  // namespace devices::virtio
