// The connections that have not linked: at most so many, each for at most so long; those of an address whose tickets
// failed are listened to later. One that begins as HTTP becomes a WebSocket first. Control loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>

#include "core/event/loop_timer.h"
#include "spice/net/socket.h"
#include "spice/net/websocket_upgrade.h"
#include "spice/server/failure_delay.h"
#include "spice/server/link_stage.h"
#include "spice/server/tickets.h"

namespace spice::server {

// One connection's side of the server: what its handshake asks, and what it has been granted.
struct LinkHost : LinkStage::Host {
  Role role = Role::Operator;
};

class Linking {
 public:
  struct Limits {
    std::size_t max_links = 0;
    std::chrono::nanoseconds timeout{};
    std::chrono::nanoseconds failure_delay{};
    net::WebSocketUpgrade::Pages pages = net::WebSocketUpgrade::Pages::Any;  // whose WebSockets are taken
  };
  struct Events {
    // The handshake is done. The client's next bytes are in the stream.
    std::function<void(net::Stream stream, const LinkStage& stage, const LinkHost& host)> on_linked;
    // It ended without.
    std::function<void(const net::Endpoint& client, const net::Endpoint& server)> on_dropped;
  };

  Linking(core::Loop& loop, Limits limits, Events events);

  void add(net::Stream stream, std::unique_ptr<LinkHost> host);
  // Until now clients were only listened to.
  void begin_answering();
  void drop_oldest();
  std::size_t size() const { return links_.size(); }

 private:
  struct Link {
    Link(core::Loop& loop, net::Stream stream, net::Socket::Events events, std::unique_ptr<LinkHost> asked,
         net::WebSocketUpgrade::Pages pages)
        : socket(loop, std::move(stream), std::move(events)),
          upgrade(pages),
          host(std::move(asked)),
          stage(*host, {socket.encrypted(), socket.local(), socket.remote()}) {}
    net::Socket socket;
    net::WebSocketUpgrade upgrade;
    std::unique_ptr<LinkHost> host;
    LinkStage stage;
    bool speaks_spice = false;  // not HTTP, or no more
    std::chrono::nanoseconds deadline{};
    std::chrono::nanoseconds answer_at{};
    bool is_held = false;  // until then
  };
  using Place = std::list<Link>::iterator;

  void advance(Place link);
  static void open(Link& link);
  static void refuse(Link& link);
  void hold_others(Place failed);
  void drop(Place link);
  void sweep();
  void update_timer();

  core::Loop& loop_;
  Limits limits_;
  Events events_;
  bool is_answering_ = false;
  FailureDelay failures_;
  std::list<Link> links_;  // oldest first
  core::LoopTimer timer_;
  std::chrono::nanoseconds armed_for_{};
};

}  // namespace spice::server
