// A device that is made here: its control endpoint, the standard requests and the states of chapter 9. What the device
// is for lies in the classes that derive from it.
//
// Data toggles are not looked at: nothing is lost on this bus, so they are always right.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "devices/usb/descriptors.h"
#include "devices/usb/usb_abi.h"
#include "devices/usb/usb_device.h"

namespace devices::usb {

class UsbFunction : public UsbDevice {
 public:
  Speed fastest() const override;
  void power_on() override;
  void bus_reset(Speed speed) override;
  void set_suspended(bool suspended) override { state_.suspended = suspended; }
  UsbDevice* at(std::uint8_t address) override { return address == state_.address ? this : nullptr; }
  UsbResult submit(UsbPacket& packet) override;
  void cancel(UsbPacket&) override {}
  void visit(core::StateVisitor& visitor) override { state_.visit(visitor); }
  core::Result<> state_loaded() override;

 protected:
  using Bytes = std::vector<std::uint8_t>;

  UsbFunction(DeviceDescription description, Speed slowest);

  // Requests of the class, and descriptors that are not USB's. nullopt, false: not supported.
  virtual std::optional<Bytes> read_request(const abi::Setup& setup) = 0;
  virtual bool write_request(const abi::Setup& setup, std::span<const std::uint8_t> data) = 0;
  // A packet to an endpoint other than 0; the device is configured, and the endpoint not halted.
  virtual UsbResult transfer(UsbPacket& packet) = 0;
  virtual void configured() {}                             // by the guest, or not any more
  virtual void reset_function() = 0;                       // to its state after a bus reset
  virtual void halt_cleared(std::uint8_t /*endpoint*/) {}  // with kInEndpoint

  Speed speed() const { return state_.speed; }
  bool is_configured() const { return state_.configuration != 0; }
  bool is_suspended() const { return state_.suspended; }
  void halt(std::uint8_t endpoint);  // with kInEndpoint
  // There is something for an interrupt endpoint: wakes host and controller.
  void announce_data();

 private:
  static constexpr std::size_t kMaxControlData = 4096;  // of one request: no class here has more

  enum class Stage : std::uint8_t { Idle, DataIn, DataOut, StatusIn, StatusOut, Refused };

  struct State {
    Speed speed = Speed::Full;
    std::uint8_t address = 0;
    std::uint8_t next_address = 0;  // from the end of the request on
    std::uint8_t configuration = 0;
    bool remote_wakeup = false;
    bool suspended = false;
    std::array<std::uint8_t, 2 * abi::kEndpoints> halted{};
    Stage stage = Stage::Idle;
    std::array<std::uint8_t, sizeof(abi::Setup)> setup{};
    std::uint32_t position = 0;  // in the data
    std::vector<std::uint8_t> data;
    void visit(core::StateVisitor& v);
  };

  static std::size_t slot_of(std::uint8_t endpoint) {
    return (endpoint & 0xf) + ((endpoint & abi::kInEndpoint) != 0 ? std::size_t{abi::kEndpoints} : 0);
  }
  abi::Setup setup() const;
  UsbResult control(UsbPacket& packet);
  UsbResult begin_request(UsbPacket& packet);
  UsbResult control_in(UsbPacket& packet);
  UsbResult control_out(UsbPacket& packet);
  std::optional<Bytes> read_standard(const abi::Setup& setup);
  std::optional<Bytes> status_of(const abi::Setup& setup) const;
  bool write_standard(const abi::Setup& setup);
  bool set_feature(const abi::Setup& setup, bool on);
  bool execute_write(const abi::Setup& setup);

  Descriptors descriptors_;
  Speed slowest_;
  State state_;
};

}  // namespace devices::usb
