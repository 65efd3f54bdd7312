#include "devices/usb/root_port.h"

#include <utility>

namespace devices::usb {

void RootPort::route_quietly_to(PortOwner& owner, unsigned port) {
  owner_ = &owner;
  port_ = port;
}

void RootPort::route_to(PortOwner& owner, unsigned port) {
  auto* const before = owner_;
  const auto port_before = port_;
  route_quietly_to(owner, port);
  if (before == &owner || device_ == nullptr) return;
  if (before != nullptr) before->connection_changed(port_before);
  owner_->connection_changed(port_);
}

void RootPort::plug(std::unique_ptr<UsbDevice> device) {
  device_ = std::move(device);
  if (device_ != nullptr) device_->connect(*this);
  if (owner_ != nullptr) owner_->connection_changed(port_);
}

void RootPort::data_ready() {
  if (owner_ != nullptr) owner_->data_ready();
}

void RootPort::signal_resume() {
  if (owner_ != nullptr) owner_->resume_signalled(port_);
}

}  // namespace devices::usb
