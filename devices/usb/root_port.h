// A port of a root hub: what is plugged into it, and which controller it is routed to. [EHCI 4.2]
#pragma once

#include <cstdint>
#include <memory>

#include "devices/usb/usb_device.h"

namespace devices::usb {

// A controller as its ports see it; the bus's lock is held.
class PortOwner {
 public:
  virtual ~PortOwner() = default;
  virtual void connection_changed(unsigned port) = 0;  // a device has come or gone, or the port itself has
  virtual void resume_signalled(unsigned port) = 0;
  virtual void data_ready() = 0;
};

class RootPort final : public UsbUpstream {
 public:
  // `port` is the owner's own number. Both owners are told, unless they have to find out by themselves (quiet).
  void route_to(PortOwner& owner, unsigned port);
  void route_quietly_to(PortOwner& owner, unsigned port);

  void plug(std::unique_ptr<UsbDevice> device);
  UsbDevice* device() const { return device_.get(); }
  // What `owner` has at this port.
  UsbDevice* device_for(const PortOwner& owner) const { return owner_ == &owner ? device_.get() : nullptr; }

  void data_ready() override;
  void signal_resume() override;

 private:
  std::unique_ptr<UsbDevice> device_;
  PortOwner* owner_ = nullptr;
  unsigned port_ = 0;
};

}  // namespace devices::usb
