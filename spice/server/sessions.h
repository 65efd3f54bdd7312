// Clients and their channels, as the server knows them. Control loop.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "spice/channel/linked_connection.h"
#include "spice/net/stream.h"
#include "spice/net/tether.h"
#include "spice/server/tickets.h"
#include "spice/wire/link.h"

namespace spice::server {

// One connected channel, in the words of the monitor.
struct ChannelInfo {
  net::Endpoint client;
  net::Endpoint server;
  std::uint32_t connection_id = 0;
  wire::ChannelKey key{};
  bool tls = false;
  std::string user{};  // whom SASL found; empty without it
};

// One client: whoever has a main channel, with all its channels.
struct ClientInfo {
  struct Line {
    wire::ChannelKey key{};
    bool tls = false;
    std::optional<net::LineFacts> facts;
  };
  net::Endpoint client;  // of its main channel
  std::uint32_t connection_id = 0;
  bool owner = false;
  bool view_only = false;
  std::uint64_t bit_rate = 0;  // of its line, measured when it came; 0: not known, or too fast to measure
  std::vector<Line> lines;
};

class Sessions {
 public:
  static constexpr std::size_t kMaxSessions = 64;
  static constexpr std::size_t kMaxWatchers = 48;  // of them, so that those who may do more always get in

  // Whether a client with such a ticket may have this channel; nothing is changed.
  wire::LinkError may_link(const wire::LinkMessage& message, Role role = Role::Operator) const;

  // Admitted: the session of the message, a new one for a main channel.
  std::shared_ptr<channel::SessionInfo> join(const wire::LinkMessage& message, Role role = Role::Operator);
  void add(const ChannelInfo& info, std::shared_ptr<net::Tether> tether);
  // The channel has ended. With a main channel the whole session does: its other channels are cut. What it was, if it
  // was known.
  std::optional<ChannelInfo> remove(std::uint32_t connection_id, wire::ChannelKey key);

  // All clients, or all that may type, lose their connections; their channels are gone when remove() says so.
  void cut_all();
  void cut_operators();

  bool has_operator() const;
  // Of those who may type and stay, whoever came first; 0: nobody. Who became it has it written in its SessionInfo.
  std::uint32_t owner() const { return owner_; }
  std::optional<ChannelInfo> main_channel(std::uint32_t connection_id) const;

  bool has_room(Role role) const;
  std::vector<ChannelInfo> channels() const;
  std::vector<ClientInfo> clients() const;  // in the order in which they came
  std::size_t size() const { return sessions_.size(); }
  bool has_client() const;  // that stays

 private:
  struct Record {
    ChannelInfo info;
    std::shared_ptr<net::Tether> tether;
  };
  struct Session {
    std::shared_ptr<channel::SessionInfo> info;
    std::map<wire::ChannelKey, Record> channels;
    std::uint64_t arrival = 0;
    bool is_leaving = false;
    bool stays() const { return !is_leaving && channels.contains({wire::ChannelType::Main, 0}); }
  };

  std::uint32_t unused_id() const;
  static void cut(Session& session);
  std::vector<const Session*> in_order() const;
  void update_owner();

  std::map<std::uint32_t, Session> sessions_;
  std::uint64_t arrivals_ = 0;
  std::uint32_t owner_ = 0;
};

}  // namespace spice::server
