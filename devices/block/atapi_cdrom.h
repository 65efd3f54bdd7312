// An ATAPI CD-ROM or DVD-ROM drive: PACKET commands by PIO and DMA, media change, tray lock. [ATA6 9.9, MMC5]
//
// Missing on purpose: audio, subchannels, DVD structures, writing, MODE SELECT.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "devices/block/atapi_replies.h"
#include "devices/block/ide_drive.h"

namespace devices::block {

class AtapiCdrom final : public IdeDrive {
 public:
  // `disc` may be null: an empty drive.
  AtapiCdrom(DriveBus& bus, std::unique_ptr<core::BlockBackend> disc, std::string model, std::string serial);

  void power_on() override;
  void soft_reset() override;
  void execute(std::uint8_t command) override;
  void run_dma() override;
  bool is_packet_device() const override { return true; }
  void visit(core::StateVisitor& visitor) override;
  bool valid() const override;

  // The host side of the tray; see IdeController.
  core::Result<std::unique_ptr<core::BlockBackend>> eject(bool force);
  core::Result<> insert(std::unique_ptr<core::BlockBackend> disc);
  DriveView view() const;

 private:
  using Packet = std::array<std::uint8_t, abi::kPacketBytes>;
  struct Row {
    void (AtapiCdrom::*run)(const Packet& packet);
    std::uint8_t code;
    bool needs_disc = false;
    bool moves_data = false;
    bool before_attention = false;  // answers even while a unit attention waits [MMC5 4.1.6]
  };
  struct State {
    Sense sense;
    bool attention = false;  // the disc was changed and the guest does not know
    bool tray_open = false;
    bool locked = false;
    abi::MediaEvent event = abi::MediaEvent::NoChange;
    std::uint8_t transfer_mode = abi::kUltraDma | abi::kBestUltraDma;
    // The command under way.
    bool packet = false;
    bool dma = false;
    bool raw = false;  // whole sectors of 2352 bytes
    std::uint16_t byte_limit = 0;
    std::uint32_t lba = 0;
    std::uint32_t sectors = 0;  // not fetched yet
  };
  static std::span<const Row> rows();
  static constexpr std::uint8_t kReady = abi::DRDY | abi::DSC;
  static constexpr std::uint8_t kSignatureMid = 0x14;
  static constexpr std::uint8_t kSignatureHigh = 0xeb;

  void tray_closed();

  // ATA commands.
  void identify();
  void set_features();
  void begin_packet();
  void finish();
  void fail();  // aborted, without sense

  // Packet commands.
  void run_packet(const Packet& packet);
  void test_unit_ready(const Packet& packet);
  void request_sense(const Packet& packet);
  void inquiry(const Packet& packet);
  void start_stop(const Packet& packet);
  void prevent_removal(const Packet& packet);
  void read_capacity(const Packet& packet);
  void read_10(const Packet& packet);
  void read_12(const Packet& packet);
  void read_cd(const Packet& packet);
  void seek(const Packet& packet);
  void read_toc(const Packet& packet);
  void get_configuration(const Packet& packet);
  void get_event_status(const Packet& packet);
  void read_disc_information(const Packet& packet);
  void mode_sense(const Packet& packet);
  void mechanism_status(const Packet& packet);
  void check_condition(std::uint8_t key, std::uint16_t code);
  void invalid_field() { check_condition(abi::ILLEGAL_REQUEST, abi::kInvalidFieldInPacket); }

  // Data to the guest.
  void block_taken() override;
  void block_given() override;
  void reply(Reply bytes, std::uint32_t allocation);
  void read(std::uint32_t lba, std::uint32_t sectors, bool raw);
  bool still_readable();
  std::uint32_t block_limit() const;
  void fetch();
  void offer_next();
  void dma_reply();
  void dma_sectors();
  // Sectors that need a header around them pass through a buffer, some at a time.
  struct RawTransfer {
    core::GuestIoVector guest;
    std::uint64_t done = 0;
    bool longer = false;
  };
  void dma_raw(std::shared_ptr<RawTransfer> transfer);
  void dma_failed();
  std::uint64_t disc_sectors() const;

  const std::string model_;
  const std::string serial_;
  State state_;
};

}  // namespace devices::block
