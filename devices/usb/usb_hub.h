// A full-speed hub with eight ports, which are always powered. [USB 11]
//
// Missing on purpose: power switching, over-current, indicators, high speed with its transaction translator.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "devices/usb/usb_function.h"

namespace devices::usb {

class UsbHub final : public UsbFunction {
 public:
  static constexpr unsigned kPorts = 8;

  UsbHub();

  void plug(unsigned port, std::unique_ptr<UsbDevice> device);  // 0 to 7
  UsbDevice* device(unsigned port) const { return ports_[port].device.get(); }

  void power_on() override;
  void bus_reset(Speed speed) override;
  UsbDevice* at(std::uint8_t address) override;
  void visit(core::StateVisitor& visitor) override;
  core::Result<> state_loaded() override;
  void drain() override;

 private:
  struct Port final : UsbUpstream {
    void data_ready() override { hub->data_ready(); }
    void signal_resume() override { hub->child_resumes(*this); }
    bool carries() const;
    void visit(core::StateVisitor& v);

    UsbHub* hub = nullptr;
    std::unique_ptr<UsbDevice> device;
    std::uint16_t status = 0;  // [USB table 11-21]
    std::uint16_t change = 0;  // [USB table 11-22]
  };

  std::optional<Bytes> read_request(const abi::Setup& setup) override;
  bool write_request(const abi::Setup& setup, std::span<const std::uint8_t> data) override;
  UsbResult transfer(UsbPacket& packet) override;
  void reset_function() override;

  Port* port_of(const abi::Setup& setup);
  bool set_port_feature(Port& port, std::uint16_t feature);
  static bool clear_port_feature(Port& port, std::uint16_t feature);
  void child_resumes(Port& port);
  static void refresh(Port& port);
  std::uint16_t changes() const;

  std::array<Port, kPorts> ports_;
};

}  // namespace devices::usb
