// The SPICE server: where clients arrive, until their channels are handed to those who serve them.
//
// Threads: create() and the destructor on any thread while the control loop does not run, or on the loop itself; the
// rest on the loop, except where said.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/event/loop.h"
#include "core/ports/input.h"
#include "spice/channel/linked_connection.h"
#include "spice/server/config.h"
#include "spice/server/sessions.h"

namespace spice::server {

struct ServerWiring {
  core::KeyboardSink& keyboard;
  core::MouseSink& mouse;
};

enum class ServerEvent : std::uint8_t {
  Connected,     // somebody opened a connection: only the ends are known
  Initialized,   // it linked: now it is a channel of a session
  Disconnected,  // it is gone, linked or not
};

struct ServerStatus {
  std::vector<net::Endpoint> listens;
  std::string auth;        // "none" or "spice"
  std::string mouse_mode;  // "server"
  std::vector<ChannelInfo> channels;
};

class Server {
 public:
  // Opens the listening sockets: the error is one line that says what to do. Nobody is served before start().
  static core::Result<std::unique_ptr<Server>> create(core::Loop& loop, const ServerConfig& config,
                                                      const ServerWiring& wiring);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Who serves a channel of every client; main and inputs are served already. Before start(). The provider outlives us.
  void add_provider(wire::ChannelKey key, channel::ChannelProvider& provider);
  void set_listener(std::function<void(ServerEvent, const ChannelInfo&)> listener);
  void start();  // any thread

  std::uint16_t port() const;  // any thread
  ServerStatus snapshot() const;

 private:
  struct Impl;
  explicit Server(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace spice::server
