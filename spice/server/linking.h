// The connections that have not linked: at most so many, each for at most so long. Control loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>

#include "core/event/loop_timer.h"
#include "spice/net/socket.h"
#include "spice/server/link_stage.h"

namespace spice::server {

class Linking {
 public:
  struct Limits {
    std::size_t max_links = 0;
    std::chrono::nanoseconds timeout{};
  };
  struct Events {
    // The handshake is done. The client's next bytes are in the stream.
    std::function<void(net::Stream stream, const LinkStage& stage)> on_linked;
    // It ended without.
    std::function<void(const net::Endpoint& client, const net::Endpoint& server)> on_dropped;
  };

  Linking(core::Loop& loop, LinkStage::Host& host, Limits limits, Events events);

  void add(net::Stream stream);
  // Until now clients were only listened to.
  void begin_answering();
  void drop_oldest();
  std::size_t size() const { return links_.size(); }

 private:
  struct Link {
    Link(core::Loop& loop, net::Stream stream, net::Socket::Events events, LinkStage::Host& host)
        : socket(loop, std::move(stream), std::move(events)), stage(host) {}
    net::Socket socket;
    LinkStage stage;
    std::chrono::nanoseconds deadline{};
  };
  using Place = std::list<Link>::iterator;

  void advance(Place link);
  void drop(Place link);
  void sweep();
  void update_timer();

  core::Loop& loop_;
  LinkStage::Host& host_;
  Limits limits_;
  Events events_;
  bool is_answering_ = false;
  std::list<Link> links_;  // oldest first
  core::LoopTimer timer_;
};

}  // namespace spice::server
