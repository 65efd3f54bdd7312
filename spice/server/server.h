// The SPICE server: where clients arrive, until their channels are handed to those who serve them.
//
// Threads: create() and the destructor on any thread while the control loop does not run, or on the loop itself; the
// rest on the loop, except where said.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "core/event/loop.h"
#include "core/ports/display.h"
#include "core/ports/input.h"
#include "spice/agent/guest_port.h"
#include "spice/channel/linked_connection.h"
#include "spice/server/config.h"
#include "spice/server/sessions.h"

namespace spice::server {

struct ServerWiring {
  core::KeyboardSink& keyboard;
  core::MouseSink& mouse;
  core::TabletSink* tablet = nullptr;
  agent::GuestPort* agent_port = nullptr;        // the guest's agent is behind it
  std::vector<core::DisplaySource*> displays{};  // that may take a client's wish for monitors
  // Clients place the pointer themselves from now on, or no longer. Control loop.
  std::function<void(bool)> on_client_mouse = {};
};

enum class ServerEvent : std::uint8_t {
  Connected,     // somebody opened a connection: only the ends are known
  Initialized,   // it linked: now it is a channel of a session
  Disconnected,  // it is gone, linked or not
  OwnerChanged,  // what only one can have passed to this client, whose predecessor left
};

// What a change of the password means for who is connected.
enum class WhenConnected : std::uint8_t { Keep, Disconnect, Fail };

struct ServerStatus {
  std::vector<net::Endpoint> listens;
  std::uint16_t port = 0;      // 0: there is none
  std::uint16_t tls_port = 0;  // likewise
  std::string auth;            // "none", "spice" or "sasl"
  std::string mouse_mode;      // "server" or "client"
  ClientPolicy clients = ClientPolicy::Share;
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
  // Of the one display, for pointers that have a place on it; any thread.
  void set_screen_size(std::int32_t width, std::int32_t height);

  std::uint16_t port() const;      // any thread; 0: there is none
  std::uint16_t tls_port() const;  // likewise
  ServerStatus snapshot() const;
  std::vector<ClientInfo> clients() const;

  // Errors say why. The password stays good as long as was said before it.
  core::Result<> set_password(const std::string& password, WhenConnected action);
  core::Result<> expire_password(std::optional<Tickets::Time> at);  // nullopt: never
  // A connected socket of somebody who came another way. `skip_auth`: no ticket is asked for.
  core::Result<> add_client(core::Fd connection, bool skip_auth, bool tls);

 private:
  struct Impl;
  explicit Server(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace spice::server
