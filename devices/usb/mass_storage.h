// A USB stick: SCSI commands over the bulk-only transport, to an image. [BOT]
//
// Data passes through a buffer, unless the host has what is read in memory. A packet that has to wait for the image is
// Pending; one request to the image is under way at most. What the host asks for and what the command has are compared
// as the thirteen cases say. [BOT 6.7]
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/event/guest_clock.h"
#include "core/ports/block.h"
#include "devices/usb/mass_storage_abi.h"
#include "devices/usb/scsi_disk.h"
#include "devices/usb/usb_function.h"

namespace devices::usb {

class MassStorage final : public UsbFunction {
 public:
  struct Config {
    std::unique_ptr<core::BlockBackend> backend;
    std::string serial;
    bool reads_at_once = true;  // what the host has in memory; not where time must not depend on it
  };
  struct Wiring {
    core::GuestClock& clock;
    core::DeviceLock& bus;
  };

  MassStorage(Config config, const Wiring& wiring);
  ~MassStorage() override;  // no lock held

  void cancel(UsbPacket& packet) override;
  void visit(core::StateVisitor& visitor) override;
  core::Result<> state_loaded() override;
  void drain() override;
  core::BlockBackend& backend() { return *backend_; }

 private:
  static constexpr std::uint32_t kBufferBytes = 128 << 10;

  enum class Phase : std::uint8_t { Command, DataIn, DataOut, Status, Confused };
  enum class Work : std::uint8_t { None, Read, Write, Flush };  // that the image was asked for

  struct BotState {
    Phase phase = Phase::Command;
    Work work = Work::None;
    abi::storage::Status status = abi::storage::Status::Passed;
    std::uint32_t tag = 0;
    std::uint32_t host_left = 0;    // bytes of the data phase that the host has not moved yet
    std::uint32_t residue = 0;      // of those, and of those moved, what the command had no use for
    std::uint64_t offset = 0;       // in the disk, of what comes next
    std::uint64_t device_left = 0;  // bytes that the command has not asked the image for yet
    std::uint32_t position = 0;     // in the buffer, of what goes to the host next
    std::uint32_t carried = 0;      // bytes that the packet which waits has moved already
    std::vector<std::uint8_t> buffer;
    void visit(core::StateVisitor& v);
  };
  struct Request;

  std::optional<Bytes> read_request(const abi::Setup& setup) override;
  bool write_request(const abi::Setup& setup, std::span<const std::uint8_t> data) override;
  UsbResult transfer(UsbPacket& packet) override;
  void reset_function() override;

  UsbResult proceed(UsbPacket& packet);
  UsbResult settle(UsbPacket& packet, UsbResult result);
  UsbResult take_command(UsbPacket& packet);
  void begin(const abi::storage::CommandWrapper& wrapper);
  void compare(std::uint64_t bytes, bool command_to_host, bool host_to_host);
  UsbResult send_data(UsbPacket& packet);
  UsbResult take_data(UsbPacket& packet);
  UsbResult send_status(UsbPacket& packet);
  UsbResult confused();
  bool read_through(UsbPacket& packet);
  void ask(Work work);
  void finished(const std::shared_ptr<Request>& request, bool succeeded);
  void fail(Work work);
  void forget_request();
  bool waits() const { return state_.work != Work::None; }

  std::unique_ptr<core::Completion> completion_;
  std::unique_ptr<core::BlockBackend> backend_;
  bool reads_at_once_;
  ScsiDisk disk_;
  BotState state_;
  std::shared_ptr<Request> request_;
  UsbPacket* waiting_ = nullptr;
};

}  // namespace devices::usb
