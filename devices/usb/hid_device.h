// What human interface devices share: class requests, the idle rate, and the interrupt endpoint that gives a report
// when there is news, or when the idle time has passed. [HID 7]
#pragma once

#include <cstdint>
#include <memory>

#include "core/event/guest_clock.h"
#include "devices/usb/usb_function.h"

namespace devices::usb {

// Which USB a device claims to know: QEMU's usb_version=1 and 2. Those of the first are full-speed only.
enum class UsbVersion : std::uint8_t { Usb1 = 1, Usb2 = 2 };

class HidDevice : public UsbFunction {
 public:
  struct Wiring {
    core::GuestClock& clock;
    core::DeviceLock& bus;
  };

  void visit(core::StateVisitor& visitor) override;
  core::Result<> state_loaded() override;

 protected:
  struct Kind {
    const char* product;  // its name
    std::uint8_t subclass = 0;
    std::uint8_t protocol = 0;
    std::uint16_t report_bytes = 0;  // of the longest input report
    std::uint16_t hid_release = 0x0001;
    std::uint8_t full_interval = 10;
    std::uint8_t high_interval = 7;
    UsbVersion version = UsbVersion::Usb2;
    std::span<const std::uint8_t> report_descriptor;
  };
  HidDevice(const Kind& kind, const Wiring& wiring);

  virtual bool has_news() const = 0;
  virtual Bytes next_report() = 0;           // takes the news
  virtual Bytes present_report() const = 0;  // leaves it
  virtual bool output_report(std::span<const std::uint8_t>) { return false; }
  virtual void reset_input() = 0;
  virtual void in_use_changed() {}

  bool is_boot_protocol() const { return hid_.protocol == 0; }  // [HID 7.2.5]
  core::DeviceLock& bus() const { return bus_; }
  void news() { announce_data(); }

 private:
  struct HidState {
    std::uint8_t idle = 0;  // 4 ms each; 0: for ever
    std::uint8_t protocol = 1;
    std::int64_t last_report_ns = 0;
    void visit(core::StateVisitor& v);
  };

  static DeviceDescription describe(const Kind& kind);
  std::optional<Bytes> read_request(const abi::Setup& setup) override;
  bool write_request(const abi::Setup& setup, std::span<const std::uint8_t> data) override;
  UsbResult transfer(UsbPacket& packet) override;
  void reset_function() override;
  void configured() override;
  bool idle_is_over() const;
  void watch_idle();
  void idle_ends();

  std::span<const std::uint8_t> report_descriptor_;
  Bytes hid_descriptor_;
  core::GuestClock& clock_;
  core::DeviceLock& bus_;
  HidState hid_;
  std::unique_ptr<core::Timer> idle_timer_;
};

}  // namespace devices::usb
