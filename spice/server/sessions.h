// Clients and their channels, as the server knows them. Control loop.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "spice/channel/linked_connection.h"
#include "spice/net/stream.h"
#include "spice/net/tether.h"
#include "spice/wire/link.h"

namespace spice::server {

// One connected channel, in the words of the monitor.
struct ChannelInfo {
  net::Endpoint client;
  net::Endpoint server;
  std::uint32_t connection_id = 0;
  wire::ChannelKey key{};
  bool tls = false;
};

class Sessions {
 public:
  static constexpr std::size_t kMaxSessions = 64;

  // Whether this client may have this channel; nothing is changed.
  wire::LinkError may_link(const wire::LinkMessage& message) const;

  // Admitted: the session of the message, a new one for a main channel.
  std::shared_ptr<channel::SessionInfo> join(const wire::LinkMessage& message);
  void add(const ChannelInfo& info, std::shared_ptr<net::Tether> tether);
  // The channel has ended. With a main channel the whole session does: its other channels are cut. What it was, if it
  // was known.
  std::optional<ChannelInfo> remove(std::uint32_t connection_id, wire::ChannelKey key);

  std::vector<ChannelInfo> channels() const;
  std::size_t size() const { return sessions_.size(); }

 private:
  struct Record {
    ChannelInfo info;
    std::shared_ptr<net::Tether> tether;
  };
  struct Session {
    std::shared_ptr<channel::SessionInfo> info;
    std::map<wire::ChannelKey, Record> channels;
    bool has_main() const { return channels.contains({wire::ChannelType::Main, 0}); }
  };

  std::uint32_t unused_id() const;

  std::map<std::uint32_t, Session> sessions_;
};

}  // namespace spice::server
