// A virtio function on a PCI bus, and a driver for it that can also break every rule.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <gtest/gtest.h>
#include <memory>
#include <utility>
#include <vector>

#include "core/pci/pci_bus.h"
#include "devices/virtio/virtio_pci.h"
#include "devices/virtio/virtqueue_abi.h"
#include "tests/device/fake_clock.h"
#include "tests/device/fake_wiring.h"

namespace tests {

namespace virtio = devices::virtio;

// A buffer of a chain, somewhere in guest memory.
struct Buffer {
  std::uint64_t address = 0;
  std::uint32_t length = 0;
  bool writable = false;
};

class VirtioRig {
 public:
  static constexpr core::PciAddress kSlot{5, 0};
  static constexpr std::uint64_t kModern = 0xe000'0000;
  static constexpr std::uint64_t kMsix = 0xe001'0000;
  static constexpr std::uint64_t kLegacy = 0xc000;
  static constexpr std::uint64_t kRam = 16 << 20;
  static constexpr std::uint64_t kBuffers = 8 << 20;  // what tests may use freely

  explicit VirtioRig(std::unique_ptr<virtio::VirtioDevice> device, bool legacy = true,
                     core::EventWaiter* doorbells = nullptr)
      : function(virtio::VirtioPci::create({.name = "virtio0", .legacy = legacy}, std::move(device),
                                           {*memory, msi, doorbells})) {
    EXPECT_TRUE(bus.plug(kSlot, *function));
    place_bars();
  }
  ~VirtioRig() { bus.unplug_all(); }
  VirtioRig(const VirtioRig&) = delete;
  VirtioRig& operator=(const VirtioRig&) = delete;

  void place_bars() {
    config_write(0x10, 4, kLegacy);
    config_write(0x14, 4, kMsix);
    config_write(0x20, 4, kModern);
    config_write(0x24, 4, 0);
    config_write(0x04, 2, 0x0407 & ~0x0400);
  }
  std::uint32_t config_read(std::uint32_t offset, unsigned width) { return bus.config_read(0, kSlot, offset, width); }
  void config_write(std::uint32_t offset, unsigned width, std::uint32_t value) {
    bus.config_write(0, kSlot, offset, width, value);
  }
  // Where the capability number `index` with this ID lies; 0: there is none.
  std::uint32_t capability(std::uint8_t id, unsigned index = 0) {
    for (auto at = config_read(0x34, 1); at != 0; at = config_read(at + 1, 1)) {
      if (config_read(at, 1) == id && index-- == 0) return at;
    }
    return 0;
  }

  // --- the modern registers ---
  std::uint32_t common(std::uint64_t offset, unsigned width) {
    return static_cast<std::uint32_t>(mmio.read(kModern + offset, width));
  }
  void set_common(std::uint64_t offset, unsigned width, std::uint32_t value) {
    mmio.write(kModern + offset, width, value);
  }
  std::uint8_t status() { return static_cast<std::uint8_t>(common(20, 1)); }
  void set_status(unsigned value) { set_common(20, 1, value); }
  std::uint8_t isr() { return static_cast<std::uint8_t>(mmio.read(kModern + 0x1000, 1)); }
  std::uint64_t offered() {
    set_common(0, 4, 0);
    const std::uint64_t low = common(4, 4);
    set_common(0, 4, 1);
    return low | std::uint64_t{common(4, 4)} << 32;
  }
  void accept(std::uint64_t features) {
    set_common(8, 4, 0);
    set_common(12, 4, static_cast<std::uint32_t>(features));
    set_common(8, 4, 1);
    set_common(12, 4, static_cast<std::uint32_t>(features >> 32));
  }
  // The whole dance of [virtio 1.2, 3.1.1] with every queue at its largest; false if the features were refused.
  bool start(std::uint64_t features) {
    set_status(0);
    set_status(3);
    accept(features);
    set_status(3 | virtio::abi::kFeaturesOk);
    if ((status() & virtio::abi::kFeaturesOk) == 0) return false;
    const auto queues = common(18, 2);
    for (unsigned i = 0; i < queues; ++i)
      set_up_queue(i);
    set_status(3 | virtio::abi::kFeaturesOk | virtio::abi::kDriverOk);
    return true;
  }
  void set_up_queue(unsigned index) {
    set_common(22, 2, index);
    const auto at = places(index);
    set_common(32, 4, static_cast<std::uint32_t>(at.descriptors));
    set_common(40, 4, static_cast<std::uint32_t>(at.available));
    set_common(48, 4, static_cast<std::uint32_t>(at.used));
    set_common(28, 2, 1);
  }
  void kick(unsigned queue) { mmio.write(kModern + 0x3000 + 4 * queue, 2, queue); }

  // --- rings, as the driver fills them ---
  static virtio::Virtqueue::Places places(unsigned index) {
    const std::uint64_t base = (1 << 20) + std::uint64_t{index} * 0x10000;
    return {base, base + 0x8000, base + 0xc000};
  }
  void write_descriptor(unsigned queue, std::uint16_t slot, const virtio::abi::Descriptor& descriptor) {
    memory->write(core::Gpa(places(queue).descriptors + slot * sizeof descriptor), descriptor);
  }
  void make_available(unsigned queue, std::uint16_t head) {
    const auto at = places(queue).available;
    auto& next = next_available_[queue];
    memory->write(core::Gpa(at + 4 + 2 * (next % size_of(queue))), core::le16(head));
    ++next;
    memory->write(core::Gpa(at + 2), core::le16(next));
  }
  // Puts a chain of buffers into descriptors from `slot` on and makes it available.
  void add(unsigned queue, const std::vector<Buffer>& buffers, std::uint16_t slot = 0) {
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      const bool last = i + 1 == buffers.size();
      const auto flags = (buffers[i].writable ? virtio::abi::kWrite : 0) | (last ? 0 : virtio::abi::kNext);
      write_descriptor(queue, static_cast<std::uint16_t>(slot + i),
                       {buffers[i].address, buffers[i].length, static_cast<std::uint16_t>(flags),
                        static_cast<std::uint16_t>(slot + i + 1)});
    }
    make_available(queue, slot);
  }
  std::uint16_t size_of(unsigned queue) {
    set_common(22, 2, queue);
    return static_cast<std::uint16_t>(std::max(common(24, 2), 1U));  // a driver may set anything
  }
  std::uint16_t used_index(unsigned queue) {
    return memory->read<core::le16>(core::Gpa(places(queue).used + 2)).value_or(0);
  }
  virtio::abi::UsedElement used(unsigned queue, unsigned index) {
    return *memory->read<virtio::abi::UsedElement>(core::Gpa(places(queue).used + 4 + 8 * (index % size_of(queue))));
  }
  std::vector<std::uint8_t> bytes(std::uint64_t address, std::size_t length) {
    std::vector<std::uint8_t> out(length);
    memory->read(core::Gpa(address), out);
    return out;
  }
  void put(std::uint64_t address, std::span<const std::uint8_t> bytes) { memory->write(core::Gpa(address), bytes); }

  std::unique_ptr<core::GuestMemory> memory = *core::GuestMemory::create(kRam, kRam);
  core::AddressSpace io{"io", 0x10000};
  core::AddressSpace mmio{"mmio", 0};
  core::RamMap map;
  RecordingIrqSink pirq;
  RecordingMsiSink msi;
  core::PciBus bus{{io, mmio, map, pirq}};
  std::unique_ptr<virtio::VirtioPci> function;

 private:
  std::array<std::uint16_t, 64> next_available_{};
};

}  // namespace tests
