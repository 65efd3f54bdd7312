// A connection behind its link stage, on its way to whoever serves its channel.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "spice/net/stream.h"
#include "spice/wire/capabilities.h"
#include "spice/wire/protocol.h"

namespace spice::channel {

// What the channels of one client share. Any thread.
struct SessionInfo {
  explicit SessionInfo(std::uint32_t connection_id, bool only_watches = false)
      : id(connection_id), view_only(only_watches) {}
  const std::uint32_t id;
  const bool view_only;  // what the client types goes nowhere
  // Whether this client has what only one can have. It passes to another when its owner leaves.
  std::atomic<bool> owner{false};
  // Measured by the main channel, bit/s; 0 while unknown and for a line too fast to measure.
  std::atomic<std::uint64_t> bit_rate{0};

  static constexpr std::uint64_t kLowBandwidth = std::uint64_t{10} << 20;
  bool low_bandwidth() const { return bit_rate != 0 && bit_rate < kLowBandwidth; }

  // A display's streams need pictures to be shown this long after they were made. `wake` of the main channel is called.
  void need_video_delay(std::uint32_t delay_ms);
  void set_video_delay_listener(std::function<void()> wake);  // empty: nobody
  // The longest that was needed since it was last asked for.
  std::uint32_t take_video_delay() { return video_delay_ms_.exchange(0); }

 private:
  std::atomic<std::uint32_t> video_delay_ms_{0};
  std::mutex listener_mutex_;  // held while it is called
  std::function<void()> video_delay_listener_;
};

struct LinkedConnection {
  net::Stream stream;
  wire::ChannelKey key;
  bool mini_header = true;
  wire::Capabilities common_caps;   // the client's
  wire::Capabilities channel_caps;  // the client's
  std::shared_ptr<SessionInfo> session;
};

// Somebody who serves a channel of every client: registered with the server under a type and a number.
class ChannelProvider {
 public:
  virtual ~ChannelProvider() = default;
  // What the link reply announces. Control loop.
  virtual wire::Capabilities capabilities() const = 0;
  // Takes a client's connection over; posts it to the loop it shall live on. Control loop. A client has at most one
  // connection to each channel.
  virtual void accept(LinkedConnection connection) = 0;
  // What only one client can have passed to another: see SessionInfo::owner. Control loop.
  virtual void owner_changed() {}
};

}  // namespace spice::channel
