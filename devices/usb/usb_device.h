// What a port of a root hub or hub has plugged in: a device with its endpoints, or a hub with what is behind it.
//
// Everything of one bus (controllers, ports, devices) is guarded by one lock, the bus's. All calls here come with it.
#pragma once

#include <cstdint>

#include "core/base/result.h"
#include "core/state/state.h"
#include "devices/usb/usb_packet.h"

namespace devices::usb {

enum class Speed : std::uint8_t { Low, Full, High };

// The port, as its device sees it.
class UsbUpstream {
 public:
  virtual ~UsbUpstream() = default;
  virtual void data_ready() = 0;     // an endpoint that answered Nak may have another answer now
  virtual void signal_resume() = 0;  // remote wake-up of a suspended device [USB 7.1.7.7]
};

class UsbDevice {
 public:
  UsbDevice() = default;
  virtual ~UsbDevice() = default;
  UsbDevice(const UsbDevice&) = delete;
  UsbDevice& operator=(const UsbDevice&) = delete;

  void connect(UsbUpstream& upstream) { upstream_ = &upstream; }

  virtual Speed fastest() const = 0;
  // The machine's power-on, or the port's: everything is forgotten. What is Pending is answered with NoResponse, here
  // and by bus_reset().
  virtual void power_on() = 0;
  virtual void bus_reset(Speed speed) = 0;  // to the default state, at the speed of the port [USB 9.1.1.3]
  virtual void set_suspended(bool suspended) = 0;
  virtual UsbDevice* at(std::uint8_t address) = 0;  // this device, one behind it, or null

  // Pending: the packet stays where it is until it is done or cancelled. After a load of state nothing is Pending: what
  // was when the state was saved is submitted again.
  virtual UsbResult submit(UsbPacket& packet) = 0;
  virtual void cancel(UsbPacket& packet) = 0;  // a Pending one, which the guest has taken back

  virtual void visit(core::StateVisitor& visitor) = 0;
  virtual core::Result<> state_loaded() = 0;
  // Waits until the host has done what it was asked for; no lock held.
  virtual void drain() {}

 protected:
  void data_ready() {
    if (upstream_ != nullptr) upstream_->data_ready();
  }
  void signal_resume() {
    if (upstream_ != nullptr) upstream_->signal_resume();
  }

 private:
  UsbUpstream* upstream_ = nullptr;
};

}  // namespace devices::usb
