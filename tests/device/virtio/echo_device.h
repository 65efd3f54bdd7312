// A virtio device with two queues that gives every chain back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "devices/virtio/virtio_device.h"

namespace tests {

// Copies what it can read into what it can write.
class Echo final : public devices::virtio::VirtioDevice {
 public:
  std::uint16_t type() const override { return 4; }
  std::string_view name() const override { return "echo"; }
  std::uint32_t class_code() const override { return 0x00ff00; }
  std::uint64_t features() const override { return 1; }
  std::vector<std::uint16_t> queue_sizes() const override { return {64, 64}; }
  std::vector<std::uint8_t> config() const override { return config_; }
  void write_config(std::uint64_t offset, std::span<const std::uint8_t> bytes) override {
    for (std::size_t i = 0; i < bytes.size() && offset + i < config_.size(); ++i)
      config_[offset + i] = bytes[i];
  }
  void queue_notified(unsigned queue) override {
    for (devices::virtio::Chain chain; pop(queue, chain);) {
      std::vector<std::uint8_t> bytes(std::min(chain.readable.size(), chain.writable.size()));
      chain.readable.read(0, bytes);
      chain.writable.write(0, bytes);
      push(queue, chain, bytes.size());
    }
    host().notify_used(queue);
    ++served;
    served_by = std::this_thread::get_id();
  }
  void driver_ready() override { ++ready; }
  void reset() override { ++resets; }
  void visit(core::StateVisitor& visitor) override { visitor.field("config", config_, 8); }
  core::Result<> state_loaded() override {
    return config_.size() == 8 ? core::Result<>{} : core::fail("an echo's configuration has 8 bytes");
  }
  void change() { host().notify_config_changed(); }

  unsigned ready = 0;
  unsigned resets = 0;
  unsigned served = 0;        // notifications
  std::thread::id served_by;  // the last one

 private:
  std::vector<std::uint8_t> config_{1, 2, 3, 4, 5, 6, 7, 8};
};

}  // namespace tests
