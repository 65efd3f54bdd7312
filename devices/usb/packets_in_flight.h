// The packets of a host controller that devices have not answered yet, by where the guest's descriptor for each lies.
//
// Results are applied only when the controller comes by the descriptor again and finds it as it was: a packet whose
// descriptor changed, or was not met for some time, is cancelled. Nothing of it is saved: a loaded controller meets the
// descriptor again, and submits it again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "devices/usb/usb_device.h"

namespace devices::usb {

class PacketsInFlight final : public UsbPacketOwner {
 public:
  static constexpr std::size_t kMost = 256;  // a guest may have that many endpoints; more wait for their turn

  // Which packet: `place` is unique among those that may be in flight at once, `identity` is what must not change.
  struct Key {
    std::uint32_t place = 0;
    std::uint64_t identity = 0;
  };
  struct Outcome {
    UsbResult result = UsbResult::Nak;
    std::uint32_t transferred = 0;
  };

  // `landed` is told when a packet is done; the bus's lock is held.
  explicit PacketsInFlight(std::function<void()> landed) : landed_(std::move(landed)) {}

  // What an earlier packet has come to; nullopt: there is none, and it has to be submitted.
  std::optional<Outcome> find(const Key& key);
  Outcome submit(const Key& key, UsbDevice& device, UsbPacket packet);

  void next_pass() { ++pass_; }
  void meet(std::uint32_t place);           // its descriptor is still where it was
  void cancel_unmet(std::uint64_t passes);  // those that the last `passes` passes have not come by
  void cancel_all();
  bool empty() const { return flights_.empty(); }

  void packet_done(UsbPacket& packet) override;

 private:
  struct Flight {
    Key key;
    UsbDevice* device = nullptr;
    UsbPacket packet;
    bool is_done = false;
    std::uint64_t met = 0;  // the pass
  };
  static void cancel(Flight& flight);

  std::function<void()> landed_;
  std::vector<std::unique_ptr<Flight>> flights_;
  std::uint64_t pass_ = 0;
};

}  // namespace devices::usb
