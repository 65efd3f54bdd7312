// An IDE controller with a disk (slot 0), an empty slave and a CD-ROM drive (slot 2) on a port bus, driven as a guest
// would: through registers, guest memory and the PCI bus.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "core/memory/guest_memory.h"
#include "core/memory/ram_map.h"
#include "core/pci/pci_bus.h"
#include "devices/block/atapi_abi.h"
#include "devices/block/ide_abi.h"
#include "devices/block/ide_controller.h"
#include "tests/device/block/fake_disk.h"
#include "tests/device/fake_clock.h"
#include "tests/device/fake_wiring.h"

namespace tests {

namespace ide = devices::block::abi;

// The ports of a channel.
struct IdePorts {
  std::uint16_t command;
  std::uint16_t control;
  std::uint16_t bus_master;
};
constexpr IdePorts kPrimary{0x1f0, 0x3f6, 0xc000};
constexpr IdePorts kSecondary{0x170, 0x376, 0xc008};

inline std::vector<std::uint8_t> pattern(std::size_t bytes, unsigned seed) {
  std::vector<std::uint8_t> data(bytes);
  for (std::size_t i = 0; i < bytes; ++i)
    data[i] = static_cast<std::uint8_t>(i * 31 + i / 256 + seed);
  return data;
}

struct IdeRig {
  static constexpr std::uint64_t kDiskSectors = 2048;
  static constexpr std::uint64_t kDiscSectors = 300;  // of 2048
  static constexpr std::uint32_t kTable = 0x1000;     // where PRD tables go
  static constexpr std::uint64_t kRam = 4 << 20;

  FakeClock clock;
  std::unique_ptr<core::GuestMemory> memory = *core::GuestMemory::create(kRam, std::uint64_t{3} << 30);
  RecordingIrqSink irqs;  // inputs 14 and 15
  RecordingIrqSink pirqs;
  FakeBus bus;
  FakeBus mmio{0};
  core::RamMap ram;
  std::shared_ptr<FakeDiskState> disk = std::make_shared<FakeDiskState>(kDiskSectors * 512);
  std::shared_ptr<FakeDiskState> disc = std::make_shared<FakeDiskState>(kDiscSectors * 2048);
  devices::block::IdeController device;
  core::PciBus pci{{bus.space, mmio.space, ram, pirqs}};

  IdeRig() : IdeRig(false) {}
  explicit IdeRig(bool read_only)
      : device((disk->read_only = read_only, config()),
               {*memory, clock, core::IrqLine(irqs, 14), core::IrqLine(irqs, 15)}) {
    EXPECT_TRUE(device.attach(bus.space));
    EXPECT_TRUE(pci.plug({1, 1}, device));
  }
  // What firmware does; not done at construction, so that a fresh rig is at power-on.
  void enable_bus_master() {
    pci.config_write(0, {1, 1}, 0x20, 4, kPrimary.bus_master | 1);
    pci.config_write(0, {1, 1}, 0x04, 2, 0x0005);
  }

  // Lets the disks do everything that is asked of them.
  unsigned run() { return disk->perform_all() + disc->perform_all(); }

  std::uint8_t status(IdePorts p = kPrimary) { return bus.in8(p.command + ide::STATUS); }
  std::uint8_t alternate(IdePorts p = kPrimary) { return bus.in8(p.control); }
  std::uint8_t reg(unsigned r, IdePorts p = kPrimary) { return bus.in8(p.command + r); }
  void set_reg(unsigned r, unsigned value, IdePorts p = kPrimary) { bus.out8(p.command + r, value); }
  void command(unsigned code, IdePorts p = kPrimary) { bus.out8(p.command + ide::STATUS, code); }
  std::uint8_t bm_status(IdePorts p = kPrimary) { return bus.in8(p.bus_master + ide::BMISX); }
  bool irq(IdePorts p = kPrimary) const { return irqs.level(p.command == kPrimary.command ? 14 : 15); }

  void address28(std::uint32_t lba, unsigned count) {
    set_reg(ide::SECTOR_COUNT, count & 0xff);
    set_reg(ide::LBA_LOW, lba & 0xff);
    set_reg(ide::LBA_MID, (lba >> 8) & 0xff);
    set_reg(ide::LBA_HIGH, (lba >> 16) & 0xff);
    set_reg(ide::DEVICE, ide::LBA | (lba >> 24));
  }
  void address48(std::uint64_t lba, unsigned count) {
    set_reg(ide::DEVICE, ide::LBA);
    set_reg(ide::SECTOR_COUNT, (count >> 8) & 0xff);
    set_reg(ide::LBA_LOW, (lba >> 24) & 0xff);
    set_reg(ide::LBA_MID, (lba >> 32) & 0xff);
    set_reg(ide::LBA_HIGH, (lba >> 40) & 0xff);
    set_reg(ide::SECTOR_COUNT, count & 0xff);
    set_reg(ide::LBA_LOW, lba & 0xff);
    set_reg(ide::LBA_MID, (lba >> 8) & 0xff);
    set_reg(ide::LBA_HIGH, (lba >> 16) & 0xff);
  }

  std::vector<std::uint8_t> read_data(std::size_t bytes, IdePorts p = kPrimary, unsigned width = 2) {
    std::vector<std::uint8_t> data(bytes);
    bus.space.read_string(p.command, width, data);
    return data;
  }
  void write_data(std::span<const std::uint8_t> data, IdePorts p = kPrimary) {
    bus.space.write_string(p.command, 2, data);
  }

  struct Piece {
    std::uint32_t base = 0;
    std::uint32_t bytes = 0;
  };
  void put_table(std::span<const Piece> pieces, bool terminated = true) {
    auto at = kTable;
    for (std::size_t i = 0; i < pieces.size(); ++i, at += 8) {
      const ide::Prd prd{pieces[i].base, static_cast<std::uint16_t>(pieces[i].bytes),
                         static_cast<std::uint16_t>(terminated && i + 1 == pieces.size() ? ide::kEndOfTable : 0)};
      EXPECT_TRUE(memory->write(core::Gpa(at), prd));
    }
  }
  void put_table(std::initializer_list<Piece> pieces) { put_table(std::span(pieces.begin(), pieces.size())); }
  void start_bus_master(bool to_memory, IdePorts p = kPrimary) {
    bus.out32(p.bus_master + ide::BMIDTPX, kTable);
    bus.out8(p.bus_master + ide::BMISX, ide::kDmaError | ide::kDmaInterrupt);
    bus.out8(p.bus_master + ide::BMICX, (to_memory ? ide::RWCON : 0) | ide::SSBM);
  }
  void stop_bus_master(IdePorts p = kPrimary) { bus.out8(p.bus_master + ide::BMICX, 0); }
  std::vector<std::uint8_t> guest_bytes(std::uint64_t at, std::size_t length) const {
    std::vector<std::uint8_t> bytes(length);
    EXPECT_TRUE(memory->read(core::Gpa(at), bytes));
    return bytes;
  }

  // Sends a packet; the drive is left wherever it goes from there.
  void packet(std::array<std::uint8_t, 12> bytes, bool dma = false, unsigned byte_limit = 0xfffe) {
    const auto p = kSecondary;
    set_reg(ide::DEVICE, 0, p);
    set_reg(ide::ERROR, dma ? 1 : 0, p);
    set_reg(ide::LBA_MID, byte_limit & 0xff, p);
    set_reg(ide::LBA_HIGH, byte_limit >> 8, p);
    command(ide::PACKET, p);
    write_data(bytes, p);
    run();
  }
  // The reply to a packet by PIO, all blocks of it.
  std::vector<std::uint8_t> packet_reply(std::array<std::uint8_t, 12> bytes, unsigned byte_limit = 0xfffe) {
    packet(bytes, false, byte_limit);
    std::vector<std::uint8_t> all;
    while ((status(kSecondary) & ide::DRQ) != 0) {
      const auto length = reg(ide::LBA_MID, kSecondary) | (reg(ide::LBA_HIGH, kSecondary) << 8);
      const auto block = read_data(static_cast<std::size_t>(length + 1) & ~std::size_t{1}, kSecondary);
      all.insert(all.end(), block.begin(), block.begin() + length);
      run();
    }
    return all;
  }
  std::vector<std::uint8_t> disk_bytes(std::uint64_t sector, std::size_t bytes) const {
    const auto begin = disk->data.begin() + static_cast<std::ptrdiff_t>(sector * 512);
    return {begin, begin + static_cast<std::ptrdiff_t>(bytes)};
  }
  // Key and additional code of the last check condition, as REQUEST SENSE tells them.
  std::pair<unsigned, unsigned> sense() {
    const auto reply = packet_reply({ide::REQUEST_SENSE, 0, 0, 0, 18});
    if (reply.size() != 18) return {0xff, 0xffff};
    return {reply[2] & 0xfU, (reply[12] << 8U) | reply[13]};
  }

 private:
  devices::block::IdeController::Config config() {
    using devices::block::DriveKind;
    devices::block::IdeController::Config result;
    result.drives[0] = {DriveKind::Disk, std::make_unique<FakeDisk>(disk), "SERIAL"};
    disc->read_only = true;
    result.drives[2] = {DriveKind::Cdrom, std::make_unique<FakeDisk>(disc), {}};
    return result;
  }
};

}  // namespace tests
