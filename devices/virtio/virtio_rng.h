// A source of entropy. [virtio 1.2, 5.4]
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "core/event/guest_clock.h"
#include "devices/virtio/virtio_device.h"

namespace devices::virtio {

// Fills all of `out`; any thread, never blocks.
using EntropySource = std::function<void(std::span<std::uint8_t> out)>;

class VirtioRng final : public VirtioDevice {
 public:
  // What a guest gets for one buffer at most, and how many buffers at a time.
  static constexpr std::size_t kMostBytes = 4096;
  static constexpr unsigned kMostBuffers = 16;

  VirtioRng(EntropySource source, core::GuestClock& clock);

  std::uint16_t type() const override;
  std::string_view name() const override { return "virtio-rng"; }
  std::uint32_t class_code() const override { return 0x00ff00; }
  std::uint64_t features() const override { return 0; }
  std::vector<std::uint16_t> queue_sizes() const override { return {kQueueSize}; }
  std::vector<std::uint8_t> config() const override { return {}; }
  void queue_notified(unsigned queue) override;
  void reset() override;
  void visit(core::StateVisitor& visitor) override;
  core::Result<> state_loaded() override;

 private:
  static constexpr std::uint16_t kQueueSize = 8;
  void attached() override;
  void fill_buffers();

  EntropySource source_;
  core::GuestClock& clock_;
  std::unique_ptr<core::Timer> timer_;
};

}  // namespace devices::virtio
