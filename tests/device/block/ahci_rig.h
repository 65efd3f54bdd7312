// An AHCI controller with a disk (port 0), a CD-ROM drive (port 1) and empty ports on a PCI bus, driven as a guest
// would: through its registers, and command lists in guest memory.
#pragma once

#include <array>
#include <cstdint>
#include <gtest/gtest.h>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/memory/guest_memory.h"
#include "core/memory/ram_map.h"
#include "core/pci/pci_bus.h"
#include "devices/block/ahci_abi.h"
#include "devices/block/ahci_controller.h"
#include "devices/block/atapi_abi.h"
#include "devices/block/ide_abi.h"
#include "tests/device/block/fake_disk.h"
#include "tests/device/fake_clock.h"
#include "tests/device/fake_wiring.h"

namespace tests {

namespace ide = devices::block::abi;
namespace hba = devices::block::abi::hba;

struct AhciRig {
  static constexpr std::uint64_t kDiskSectors = 2048;
  static constexpr std::uint64_t kDiscSectors = 300;  // of 2048
  static constexpr std::uint64_t kRam = 4 << 20;
  static constexpr std::uint32_t kAbar = 0xfebf0000;
  static constexpr core::PciAddress kSlot{6, 0};
  static constexpr unsigned kDisk = 0;  // ports
  static constexpr unsigned kCdrom = 1;
  static constexpr unsigned kEmpty = 2;
  static constexpr std::uint32_t kData = 0x100000;  // where commands move data, unless they say otherwise

  FakeClock clock;
  std::unique_ptr<core::GuestMemory> memory = *core::GuestMemory::create(kRam, std::uint64_t{3} << 30);
  RecordingIrqSink pirqs;
  RecordingMsiSink msi;
  FakeBus bus;
  FakeBus mmio{0};
  core::RamMap ram;
  std::shared_ptr<FakeDiskState> disk = std::make_shared<FakeDiskState>(kDiskSectors * 512);
  std::shared_ptr<FakeDiskState> disc = std::make_shared<FakeDiskState>(kDiscSectors * 2048);
  devices::block::AhciController device;
  core::PciBus pci{{bus.space, mmio.space, ram, pirqs}};

  struct Options {
    bool read_only = false;
    bool reads_at_once = true;  // once disk->cached is set
  };

  AhciRig() : AhciRig(Options{}) {}
  explicit AhciRig(Options options) : device(config(options), {*memory, clock, msi}) {
    EXPECT_TRUE(pci.plug(kSlot, device));
  }
  ~AhciRig() { pci.unplug_all(); }
  AhciRig(const AhciRig&) = delete;
  AhciRig& operator=(const AhciRig&) = delete;

  // What firmware and a driver do; not done at construction, so that a fresh rig is at power-on.
  void enable() {
    pci.config_write(0, kSlot, 0x24, 4, kAbar);
    set_command(0x0006);
    set_generic(hba::GHC, hba::GHC_AE | hba::GHC_IE);
  }
  void set_command(unsigned value) { pci.config_write(0, kSlot, 0x04, 2, value); }
  void start(unsigned port) {
    set(port, hba::PxCLB, list(port));
    set(port, hba::PxFB, fis_area(port));
    set(port, hba::PxFBU, 0);
    set(port, hba::PxSERR, 0xffff'ffff);
    set(port, hba::PxIS, 0xffff'ffff);
    set(port, hba::PxIE, 0xffff'ffff);
    set(port, hba::PxCMD, hba::CMD_FRE);
    set(port, hba::PxCMD, hba::CMD_FRE | hba::CMD_ST);
  }
  void stop(unsigned port) { set(port, hba::PxCMD, hba::CMD_FRE); }
  void restart(unsigned port) {
    stop(port);
    set(port, hba::PxIS, 0xffff'ffff);
    set(port, hba::PxCMD, hba::CMD_FRE | hba::CMD_ST);
  }
  void enable_all() {
    enable();
    start(kDisk);
    start(kCdrom);
  }

  static std::uint32_t list(unsigned port) { return 0x10000 + port * 0x400; }
  static std::uint32_t fis_area(unsigned port) { return 0x20000 + port * 0x100; }
  static std::uint32_t table(unsigned port, unsigned slot) { return 0x40000 + (port * 32 + slot) * 0x400; }

  std::uint32_t generic(std::uint32_t offset) { return mmio.in32(kAbar + offset); }
  void set_generic(std::uint32_t offset, std::uint32_t value) { mmio.out32(kAbar + offset, value); }
  static std::uint32_t at(unsigned port, std::uint32_t offset) {
    return kAbar + hba::kPortRegisters + port * hba::kPortStride + offset;
  }
  std::uint32_t get(unsigned port, std::uint32_t offset) { return mmio.in32(at(port, offset)); }
  void set(unsigned port, std::uint32_t offset, std::uint32_t value) { mmio.out32(at(port, offset), value); }
  bool irq() const { return pirqs.level(1); }  // pin A of slot 6

  // Lets the disks do everything that is asked of them.
  unsigned run() { return disk->perform_all() + disc->perform_all(); }

  struct Piece {
    std::uint64_t base = 0;
    std::uint32_t bytes = 0;
    bool interrupt = false;
  };
  struct Command {
    std::uint8_t code = 0;
    std::uint64_t lba = 0;
    unsigned count = 0;
    unsigned features = 0;
    std::uint8_t device = ide::LBA;
    std::array<std::uint8_t, 12> packet{};
  };
  static hba::RegisterH2D fis_of(const Command& command) {
    hba::RegisterH2D fis{};
    fis.type = hba::kRegisterH2D;
    fis.flags = hba::kIsCommand;
    fis.command = command.code;
    fis.features = static_cast<std::uint8_t>(command.features);
    fis.features_exp = static_cast<std::uint8_t>(command.features >> 8);
    for (unsigned i = 0; i < 3; ++i) {
      fis.lba[i] = static_cast<std::uint8_t>(command.lba >> (8 * i));
      fis.lba_exp[i] = static_cast<std::uint8_t>(command.lba >> (8 * (i + 3)));
    }
    fis.device = command.device;
    fis.count = static_cast<std::uint8_t>(command.count);
    fis.count_exp = static_cast<std::uint8_t>(command.count >> 8);
    return fis;
  }
  void put_fis(unsigned port, unsigned slot, const hba::RegisterH2D& fis, std::span<const Piece> pieces,
               unsigned flags = 5) {
    hba::CommandHeader header{};
    header.flags = static_cast<std::uint16_t>(flags);
    header.prdt_length = static_cast<std::uint16_t>(pieces.size());
    header.table = table(port, slot);
    EXPECT_TRUE(memory->write(core::Gpa(list(port) + slot * sizeof header), header));
    EXPECT_TRUE(memory->write(core::Gpa(table(port, slot)), fis));
    std::uint64_t at = table(port, slot) + hba::kPrdtOffset;
    for (const auto& piece : pieces) {
      hba::Prd prd{};
      prd.base = static_cast<std::uint32_t>(piece.base);
      prd.base_upper = static_cast<std::uint32_t>(piece.base >> 32);
      prd.count = (piece.bytes - 1) | (piece.interrupt ? hba::kPrdInterrupt : 0);
      EXPECT_TRUE(memory->write(core::Gpa(at), prd));
      at += sizeof prd;
    }
  }
  void put(unsigned port, unsigned slot, const Command& command, std::span<const Piece> pieces) {
    put_fis(port, slot, fis_of(command), pieces);
    EXPECT_TRUE(memory->write(core::Gpa(table(port, slot) + hba::kAtapiOffset), std::span(command.packet)));
  }
  void put(unsigned port, unsigned slot, const Command& command, std::initializer_list<Piece> pieces) {
    put(port, slot, command, std::span(pieces.begin(), pieces.size()));
  }
  void issue(unsigned port, std::uint32_t slots) { set(port, hba::PxCI, slots); }
  // One command in slot 0, with the disks doing their part.
  void execute(unsigned port, const Command& command, std::initializer_list<Piece> pieces = {}) {
    put(port, 0, command, pieces);
    issue(port, 1);
    run();
  }
  // READ or WRITE FPDMA QUEUED in a slot.
  void queue(unsigned slot, bool write, std::uint64_t lba, unsigned sectors, std::uint32_t data, unsigned fua = 0) {
    put(kDisk, slot,
        {.code = write ? ide::WRITE_FPDMA_QUEUED : ide::READ_FPDMA_QUEUED,
         .lba = lba,
         .count = slot << ide::kTagShift,
         .features = sectors,
         .device = static_cast<std::uint8_t>(ide::LBA | fua)},
        {{data, sectors * 512}});
    set(kDisk, hba::PxSACT, 1U << slot);
    issue(kDisk, 1U << slot);
  }
  void packet(std::array<std::uint8_t, 12> bytes, std::initializer_list<Piece> pieces = {}, bool dma = true) {
    execute(kCdrom, {.code = ide::PACKET, .lba = 0xfffe00, .features = dma ? 1U : 0U, .device = 0, .packet = bytes},
            pieces);
  }
  // Key and additional code of the last check condition, as REQUEST SENSE tells them.
  std::pair<unsigned, unsigned> sense() {
    restart(kCdrom);
    packet({ide::REQUEST_SENSE, 0, 0, 0, 18}, {{kData, 18}});
    const auto reply = guest_bytes(kData, 18);
    return {reply[2] & 0xfU, (reply[12] << 8U) | reply[13]};
  }

  template <class T>
  T guest(std::uint64_t address) const {
    return memory->read<T>(core::Gpa(address)).value_or(T{});
  }
  hba::RegisterD2H received(unsigned port, std::uint64_t offset = hba::kReceivedRegister) const {
    return guest<hba::RegisterD2H>(fis_area(port) + offset);
  }
  std::uint32_t transferred(unsigned port, unsigned slot = 0) const {
    return guest<core::le32>(list(port) + slot * sizeof(hba::CommandHeader) + hba::kTransferredOffset);
  }
  std::vector<std::uint8_t> guest_bytes(std::uint64_t at, std::size_t length) const {
    std::vector<std::uint8_t> bytes(length);
    EXPECT_TRUE(memory->read(core::Gpa(at), bytes));
    return bytes;
  }
  std::vector<std::uint8_t> disk_bytes(std::uint64_t lba, std::size_t sectors) const {
    const auto at = disk->data.begin() + static_cast<std::ptrdiff_t>(lba * 512);
    return {at, at + static_cast<std::ptrdiff_t>(sectors * 512)};
  }

 private:
  devices::block::AhciController::Config config(Options options) {
    using devices::block::DriveKind;
    disk->read_only = options.read_only;
    devices::block::AhciController::Config result;
    result.reads_at_once = options.reads_at_once;
    result.drives[kDisk] = {DriveKind::Disk, std::make_unique<FakeDisk>(disk), "SERIAL"};
    disc->read_only = true;
    result.drives[kCdrom] = {DriveKind::Cdrom, std::make_unique<FakeDisk>(disc), {}};
    return result;
  }
};

}  // namespace tests
