// An ATA disk: [ATA6], PIO, multiword and ultra DMA, CHS, 28-bit and 48-bit addresses, a write cache that FLUSH CACHE
// empties to the image.
//
// Missing on purpose: SMART, security, host protected area, power-up in standby, streaming, queued commands; they read
// as unsupported and their commands abort. READ VERIFY checks addresses only.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "devices/block/ata_identify.h"
#include "devices/block/ide_drive.h"

namespace devices::block {

class AtaDisk : public IdeDrive {
 public:
  AtaDisk(DriveBus& bus, std::unique_ptr<core::BlockBackend> backend, std::string model, std::string serial);

  void power_on() override;
  void soft_reset() override;
  void execute(std::uint8_t command) override;
  void run_dma() override;
  bool is_packet_device() const override { return false; }
  void visit(core::StateVisitor& visitor) override;
  bool valid() const override;

 protected:
  static constexpr std::uint8_t kReady = abi::DRDY | abi::DSC;

  // What IDENTIFY DEVICE tells of native command queuing; 0: a parallel ATA disk.
  virtual unsigned queue_depth() const { return 0; }
  std::uint64_t sectors() const { return sectors_; }
  bool write_cache() const { return state_.write_cache; }
  std::uint64_t address48() const;
  void offer_data(std::vector<std::uint8_t> bytes);  // one block that is no sector of the disk
  void finish();
  void fail(std::uint8_t error, std::uint8_t status_bits = 0);

 private:
  enum class Addressing : std::uint8_t { Chs, Lba28, Lba48 };
  // The sectors a command still has to move.
  struct Access {
    Addressing addressing = Addressing::Chs;
    std::uint64_t lba = 0;
    std::uint32_t sectors = 0;
    std::uint8_t block = 1;  // sectors a DRQ block
    bool write = false;
    bool to_medium = false;  // written data must reach the disk before the command ends
  };
  struct State {
    Access access;
    std::uint8_t multiple = abi::kMaxMultiple;
    std::uint8_t heads = 16;
    std::uint8_t sectors_a_track = 63;
    std::uint8_t transfer_mode = abi::kUltraDma | abi::kBestUltraDma;
    bool write_cache = true;
    bool read_ahead = true;
  };
  struct Row {
    void (AtaDisk::*run)(const Row& row);
    std::uint8_t first;
    std::uint8_t last;
    bool ext = false;       // 48-bit
    bool multiple = false;  // a DRQ block is more than a sector
    bool fua = false;
  };
  static std::span<const Row> rows();

  // Command handlers.
  void identify(const Row& row);
  void read_pio(const Row& row);
  void write_pio(const Row& row);
  void read_dma(const Row& row);
  void write_dma(const Row& row);
  void verify(const Row& row);
  void flush(const Row& row);
  void set_features(const Row& row);
  void set_multiple(const Row& row);
  void set_geometry(const Row& row);
  void native_max(const Row& row);
  void check_power(const Row& row);
  void succeed(const Row& row);

  void block_taken() override;
  void block_given() override;

  // Takes address and count from the task file; if they do not fit the disk, ends the command and answers false.
  bool begin(const Row& row, bool write);
  std::optional<std::uint64_t> address(Addressing addressing) const;
  void show_address(std::uint64_t lba, Addressing addressing);
  void advance(std::uint32_t sectors);
  void fetch();
  void offer_next();
  void ask_next();
  void end_write();
  void flush_then_finish();
  Geometry geometry() const;

  const std::string model_;
  const std::string serial_;
  const std::uint64_t sectors_;
  State state_;
};

}  // namespace devices::block
