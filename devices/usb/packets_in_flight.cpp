#include "devices/usb/packets_in_flight.h"

#include <algorithm>
#include <utility>

namespace devices::usb {

void PacketsInFlight::cancel(Flight& flight) {
  if (!flight.is_done) flight.device->cancel(flight.packet);
}

std::optional<PacketsInFlight::Outcome> PacketsInFlight::find(const Key& key) {
  const auto found = std::ranges::find(flights_, key.place, [](const auto& flight) { return flight->key.place; });
  if (found == flights_.end()) return std::nullopt;
  auto& flight = **found;
  if (flight.key.identity != key.identity) {
    cancel(flight);
    flights_.erase(found);
    return std::nullopt;
  }
  flight.met = pass_;
  if (!flight.is_done) return Outcome{UsbResult::Pending, 0};
  const Outcome outcome{flight.packet.result, flight.packet.transferred};
  flights_.erase(found);
  return outcome;
}

PacketsInFlight::Outcome PacketsInFlight::submit(const Key& key, UsbDevice& device, UsbPacket packet) {
  if (flights_.size() >= kMost) return {UsbResult::Nak, 0};
  auto flight = std::make_unique<Flight>();
  flight->key = key;
  flight->device = &device;
  flight->packet = std::move(packet);
  flight->packet.owner = this;
  flight->met = pass_;
  const auto result = device.submit(flight->packet);
  if (result != UsbResult::Pending) return {result, flight->packet.transferred};
  flights_.push_back(std::move(flight));
  return {UsbResult::Pending, 0};
}

void PacketsInFlight::meet(std::uint32_t place) {
  for (const auto& flight : flights_) {
    if (flight->key.place == place) flight->met = pass_;
  }
}

void PacketsInFlight::cancel_unmet(std::uint64_t passes) {
  std::erase_if(flights_, [this, passes](const auto& flight) {
    if (pass_ - flight->met < passes) return false;
    cancel(*flight);
    return true;
  });
}

void PacketsInFlight::cancel_all() {
  for (const auto& flight : flights_)
    cancel(*flight);
  flights_.clear();
}

void PacketsInFlight::packet_done(UsbPacket& packet) {
  const auto found = std::ranges::find(flights_, &packet, [](const auto& flight) { return &flight->packet; });
  if (found == flights_.end()) return;
  (*found)->is_done = true;
  landed_();
}

}  // namespace devices::usb
