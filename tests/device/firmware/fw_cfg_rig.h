// A fw_cfg device on a port space of its own with a megabyte of RAM, some items, and a guest's way of using it.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "firmware/fw_cfg.h"
#include "tests/device/fake_wiring.h"

namespace tests {

struct FwCfgRig {
  static constexpr std::uint64_t kRam = 1 << 20;
  static constexpr std::uint32_t kDescriptor = 0x1000;
  static constexpr std::uint32_t kBuffer = 0x2000;

  FwCfgRig() {
    device.add_item(firmware::FwCfgKey::KernelData, {1, 2, 3, 4, 5});
    read_only = device.add_file("etc/read-only", {'r', 'o'});
    writable = device.add_file("etc/writable", {10, 20, 30, 40}, firmware::FwCfg::Access::Writable);
    attached = device.attach(bus.space).has_value();
  }

  void select(firmware::FwCfgKey key) { bus.out16(firmware::kFwCfgSelectorPort, static_cast<unsigned>(key)); }
  std::uint8_t next() { return bus.in8(firmware::kFwCfgDataPort); }
  std::vector<std::uint8_t> read(std::size_t count) {
    std::vector<std::uint8_t> bytes(count);
    bus.space.read_string(firmware::kFwCfgDataPort, 1, bytes);
    return bytes;
  }

  // Runs one DMA operation; returns what the device left in the descriptor's control field.
  std::uint32_t dma(std::uint32_t control, std::uint32_t length, std::uint64_t address) {
    const firmware::FwCfgDmaAccess access{.control = control, .length = length, .address = address};
    memory->write(core::Gpa(kDescriptor), access);
    bus.out32(firmware::kFwCfgDmaPort + 4, std::byteswap(kDescriptor));
    return *memory->read<core::be32>(core::Gpa(kDescriptor));
  }
  static std::uint32_t selecting(firmware::FwCfgKey key, std::uint32_t command) {
    return (static_cast<std::uint32_t>(key) << 16) | firmware::kFwCfgDmaSelect | command;
  }
  std::vector<std::uint8_t> memory_at(std::uint64_t address, std::size_t count) const {
    std::vector<std::uint8_t> bytes(count);
    memory->read(core::Gpa(address), bytes);
    return bytes;
  }

  void scribble() {
    memory->write(core::Gpa(kBuffer), std::uint16_t{0x7766});
    dma(selecting(writable, firmware::kFwCfgDmaWrite), 2, kBuffer);
    select(firmware::FwCfgKey::KernelData);
    next();
    bus.out32(firmware::kFwCfgDmaPort, 0x12345678);
  }

  FakeBus bus;
  std::unique_ptr<core::GuestMemory> memory = std::move(*core::GuestMemory::create(kRam, kRam));
  firmware::FwCfg device{firmware::FwCfg::Wiring{.memory = *memory}};
  firmware::FwCfgKey read_only{};
  firmware::FwCfgKey writable{};
  bool attached = false;
};

}  // namespace tests
