#include "spice/server/server.h"

#include <algorithm>
#include <fcntl.h>
#include <map>
#include <sys/socket.h>
#include <thread>

#include "core/base/log.h"
#include "core/base/unix_socket.h"
#include "spice/channel/inputs_hub.h"
#include "spice/channel/main_channel.h"
#include "spice/server/cyrus_sasl.h"
#include "spice/server/linking.h"
#include "spice/server/listen.h"
#include "spice/server/listener.h"
#include "spice/server/ticket.h"
#include "spice/server/tickets.h"

namespace spice::server {

namespace {
constexpr wire::ChannelKey kMain{wire::ChannelType::Main, 0};
constexpr wire::ChannelKey kInputs{wire::ChannelType::Inputs, 0};

// Whoever can reach us is let in only if somebody said so; a page can reach us from any browser here.
net::WebSocketUpgrade::Pages pages_of(const ListenPlan& plan) {
  return plan.may_be_outside ? net::WebSocketUpgrade::Pages::Any : net::WebSocketUpgrade::Pages::Local;
}
}  // namespace

struct Server::Impl final : std::enable_shared_from_this<Server::Impl> {
  Impl(core::Loop& owner, const ServerConfig& wanted, const ListenPlan& plan, const ServerWiring& wiring)
      : loop(owner),
        config(wanted),
        tickets(plan.wants_ticket, wanted.password.value_or(""), wanted.view_only_password.value_or("")),
        agent(wiring.agent_port == nullptr
                  ? nullptr
                  : std::make_unique<agent::Agent>(
                        agent::Agent::Config{wanted.copy_paste, wanted.file_transfer, wanted.display_addresses},
                        agent::Agent::Wiring{owner, *wiring.agent_port, wiring.displays})),
        pointer({owner, wiring.mouse, wiring.tablet, agent.get(), wanted.agent_mouse, wiring.on_client_mouse}),
        main(owner,
             {.name = wanted.name,
              .uuid = wanted.uuid,
              .ram_hint = wanted.ram_hint,
              .channels = [this] { return channels_to_list(); }},
             {agent.get(), &pointer}),
        inputs(owner, wiring.keyboard, pointer),
        linking(owner, {wanted.max_half_open, wanted.link_timeout, wanted.failure_delay, pages_of(plan)},
                {.on_linked = [this](net::Stream stream, const LinkStage& stage,
                                     const LinkHost& host) { linked(std::move(stream), stage, host.role); },
                 .on_dropped =
                     [this](const net::Endpoint& client, const net::Endpoint& server) {
                       tell(ServerEvent::Disconnected, {.client = client, .server = server});
                     }}),
        providers{{kMain, &main}, {kInputs, &inputs}} {}

  ~Impl() {
    // Providers may have their clients still.
    for (const auto& info : sessions.channels())
      sessions.remove(info.connection_id, info.key);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // The key takes longer than everything else at start-up, and nobody needs it before the first client.
  void make_key() {
    key_maker = std::jthread([&target = loop, weak = weak_from_this()] {
      auto made = TicketKey::of_process();
      target.post([weak, made = std::move(made)] {
        if (const auto self = weak.lock()) self->key_made(made);
      });
    });
  }

  void key_made(const core::Result<std::shared_ptr<const TicketKey>>& made) {
    if (!made) return core::log(core::LogLevel::Error, "spice", "no client can connect: {}", made.error().message);
    key = *made;
    linking.begin_answering();
  }

  // Listening

  void listen_on(core::Fd fd, bool is_tls) {
    listens.push_back(net::local_endpoint(fd.get()));
    sockets.push_back({std::move(fd), is_tls});
  }

  // On all addresses of the plan; `wanted` becomes the port that there is.
  core::Result<> open_port(const ListenPlan& plan, std::optional<std::uint16_t>& wanted, bool is_tls) {
    if (!wanted) return {};
    bool is_open = false;
    for (const auto& address : plan.addresses) {
      auto fd = open_listener(address, *wanted);
      if (!fd) return std::unexpected(fd.error());
      if (!fd->valid()) continue;
      wanted = port_of(*fd);  // all addresses get the port that the first was given
      is_open = true;
      listen_on(std::move(*fd), is_tls);
    }
    if (!is_open) return core::fail("spice: this host has no address to listen on");
    return {};
  }

  core::Result<> open_given(const ListenPlan& plan, std::optional<int> fd, std::optional<std::uint16_t>& port_there,
                            bool is_tls) {
    if (!fd) return {};
    auto given = adopt_listener(*fd);
    if (!given) return std::unexpected(given.error());
    if (!plan.may_be_outside && !is_local(given->get())) {
      return core::fail(
          "spice: descriptor {} can be reached from outside: give password=..., sasl=on or disable-ticketing=on with "
          "it",
          *fd);
    }
    if (const auto number = port_of(*given); number != 0 && !port_there) port_there = number;
    listen_on(std::move(*given), is_tls);
    return {};
  }

  core::Result<> open_all(const ListenPlan& plan) {
    port = plan.port;
    tls_port = plan.tls_port;
    if (config.tls_port || config.tls_listen_fd) {
      auto made = net::TlsContext::create(config.tls);
      if (!made) return std::unexpected(made.error());
      tls = std::move(*made);
    }
    if (!config.unix_path.empty()) {
      auto opened = core::UnixListener::open(config.unix_path,
                                             {.backlog = kBacklog, .is_private = true, .may_be_abstract = true});
      if (!opened) return core::fail("spice: {}", opened.error().message);
      listen_on(opened->take_fd(), false);
      unix_socket.emplace(std::move(*opened));
    }
    for (auto opened :
         {open_port(plan, port, false), open_port(plan, tls_port, true),
          open_given(plan, config.listen_fd, port, false), open_given(plan, config.tls_listen_fd, tls_port, true)}) {
      if (!opened) return opened;
    }
    if (sockets.empty()) return core::fail("spice: there is nothing to listen on: give a port");
    return {};
  }

  void start() {
    for (auto& [fd, is_tls] : sockets)
      listeners.push_back(std::make_unique<Listener>(
          loop, std::move(fd),
          Listener::Events{
              .on_connection = [this, is_tls](core::Fd connection) { accepted(std::move(connection), is_tls); },
              .on_exhausted = [this] { linking.drop_oldest(); }}));
    sockets.clear();
  }

  void accepted(core::Fd connection, bool is_tls, bool skips_ticket = false) {
    auto stream = net::make_stream(std::move(connection));
    if (is_tls) stream.transport.push(tls->accept());
    tell(ServerEvent::Connected, {.client = stream.remote, .server = stream.local});
    linking.add(std::move(stream), std::make_unique<Visitor>(*this, skips_ticket));
  }

  // What the handshake of one connection asks
  class Visitor final : public LinkHost {
   public:
    Visitor(Impl& server, bool skips_ticket) : server_(server), skips_ticket_(skips_ticket) {}

    const std::array<std::uint8_t, wire::kPublicKeySize>& public_key() override { return server_.key->public_key(); }

    wire::Capabilities channel_caps(wire::ChannelKey channel) override {
      const auto provider = server_.providers.find(channel);
      return provider == server_.providers.end() ? wire::Capabilities() : provider->second->capabilities();
    }

    wire::LinkError transport_verdict(wire::ChannelType channel, bool is_encrypted) override {
      const auto& config = server_.config;
      const auto own = config.channel_security.find(channel);
      const auto wanted = own == config.channel_security.end() ? config.default_security : own->second;
      if (wanted == Security::Tls && !is_encrypted) return wire::LinkError::NeedSecured;
      if (wanted == Security::Plain && is_encrypted) return wire::LinkError::NeedUnsecured;
      return wire::LinkError::Ok;
    }

    SaslService* sasl() override { return skips_ticket_ ? nullptr : server_.sasl_service.get(); }

    // Whoever needs none still sends one, and it must be one.
    bool accepts_ticket(std::span<const std::uint8_t> ticket) override {
      const auto given = server_.key->decrypt(ticket);
      if (!given) return false;
      if (skips_ticket_) return true;
      const auto granted = server_.tickets.role_of(*given, std::chrono::steady_clock::now());
      role = granted.value_or(Role::Watcher);
      return granted.has_value();
    }

    wire::LinkError admit(const wire::LinkMessage& message) override { return server_.admit(message, role); }

   private:
    Impl& server_;
    bool skips_ticket_;
  };

  wire::LinkError admit(const wire::LinkMessage& message, Role role) const {
    const auto verdict = sessions.may_link(message, role);
    if (verdict != wire::LinkError::Ok) return verdict;
    const bool is_new_operator = message.channel_type == kMain.type && role == Role::Operator;
    const bool is_refused = is_new_operator && config.clients == ClientPolicy::Refuse && sessions.has_operator();
    const bool is_served = providers.contains({message.channel_type, message.channel_id});
    return is_served && !is_refused ? wire::LinkError::Ok : wire::LinkError::ChannelNotAvailable;
  }

  // Behind the handshake

  void linked(net::Stream stream, const LinkStage& stage, Role role) {
    const auto& message = stage.message();
    const bool is_new_operator = message.channel_type == kMain.type && role == Role::Operator;
    const auto owner_before = sessions.owner();
    if (is_new_operator && config.clients == ClientPolicy::Takeover) sessions.cut_operators();
    channel::LinkedConnection connection{.stream = std::move(stream),
                                         .key = {message.channel_type, message.channel_id},
                                         .mini_header = stage.mini_header(),
                                         .common_caps = wire::Capabilities(message.common_caps),
                                         .channel_caps = wire::Capabilities(message.channel_caps),
                                         .session = sessions.join(message, role)};
    const ChannelInfo info{.client = connection.stream.remote,
                           .server = connection.stream.local,
                           .connection_id = connection.session->id,
                           .key = connection.key,
                           .tls = connection.stream.transport.encrypted(),
                           .user = stage.user()};
    auto tether = std::make_shared<net::Tether>(
        [&target = loop, weak = weak_from_this(), id = info.connection_id, key_of_channel = info.key] {
          target.post([weak, id, key_of_channel] {
            if (const auto self = weak.lock()) self->gone(id, key_of_channel);
          });
        });
    connection.stream.fd.tie(tether);
    sessions.add(info, std::move(tether));
    tell(ServerEvent::Initialized, info);
    owner_may_have_changed(owner_before);
    providers.at(info.key)->accept(std::move(connection));
    if (info.key == kInputs && !info.tls && info.client.family != "unix") {
      main.notify(info.connection_id, wire::Notify::Severity::Warn, "keyboard channel is insecure");
    }
  }

  void gone(std::uint32_t connection_id, wire::ChannelKey channel) {
    const auto owner_before = sessions.owner();
    if (const auto info = sessions.remove(connection_id, channel)) tell(ServerEvent::Disconnected, *info);
    owner_may_have_changed(owner_before);
  }

  void owner_may_have_changed(std::uint32_t before) {
    if (sessions.owner() == before) return;
    for (const auto& [key_of_channel, provider] : providers)
      provider->owner_changed();
    tell_of_owner(before);
  }

  // Of a first owner everybody knows, and of a last one nobody needs to.
  void tell_of_owner(std::uint32_t before) {
    const auto now = sessions.owner();
    if (before == 0 || now == before) return;
    if (const auto info = sessions.main_channel(now)) tell(ServerEvent::OwnerChanged, *info);
  }

  bool asks_for_passwords() const { return tickets.wanted() && !sasl_service; }

  void tell(ServerEvent event, const ChannelInfo& info) {
    if (listener) listener(event, info);
  }

  std::vector<wire::ChannelKey> channels_to_list() const {
    std::vector<wire::ChannelKey> keys;
    for (const auto& [key_of_channel, provider] : providers)
      if (key_of_channel != kMain) keys.push_back(key_of_channel);
    return keys;
  }

  core::Loop& loop;
  ServerConfig config;
  Tickets tickets;
  std::optional<std::uint16_t> port;
  std::optional<std::uint16_t> tls_port;
  std::shared_ptr<const net::TlsContext> tls;
  std::optional<core::UnixListener> unix_socket;
  std::vector<net::Endpoint> listens;
  std::function<void(ServerEvent, const ChannelInfo&)> listener;

  Sessions sessions;
  std::unique_ptr<agent::Agent> agent;  // none: the guest has no port for it
  channel::Pointer pointer;
  channel::MainProvider main;
  channel::InputsHub inputs;
  Linking linking;
  std::map<wire::ChannelKey, channel::ChannelProvider*> providers;
  std::shared_ptr<const TicketKey> key;
  std::unique_ptr<SaslService> sasl_service;  // if it takes the place of tickets
  struct Opened {
    core::Fd fd;
    bool is_tls = false;
  };
  std::vector<Opened> sockets;  // until start()
  std::vector<std::unique_ptr<Listener>> listeners;
  std::jthread key_maker;
};

core::Result<std::unique_ptr<Server>> Server::create(core::Loop& loop, const ServerConfig& config,
                                                     const ServerWiring& wiring) {
  const auto plan = resolve_listen(config);
  if (!plan) return std::unexpected(plan.error());
  auto impl = std::make_shared<Impl>(loop, config, *plan, wiring);
  if (config.sasl) {
    auto sasl = CyrusSasl::create();
    if (!sasl) return std::unexpected(sasl.error());
    impl->sasl_service = std::move(*sasl);
  }
  if (auto opened = impl->open_all(*plan); !opened) return std::unexpected(opened.error());
  impl->make_key();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::~Server() = default;

void Server::add_provider(wire::ChannelKey key, channel::ChannelProvider& provider) {
  impl_->providers[key] = &provider;
  const auto displays = std::ranges::count_if(
      impl_->providers, [](const auto& served) { return served.first.type == wire::ChannelType::Display; });
  // The tablet may have something to say to the pointer by now.
  impl_->loop.post([weak = std::weak_ptr(impl_), displays] {
    if (const auto impl = weak.lock()) impl->pointer.set_displays(static_cast<unsigned>(displays));
  });
}

void Server::set_screen_size(std::int32_t width, std::int32_t height) {
  impl_->loop.post([weak = std::weak_ptr(impl_), width, height] {
    if (const auto impl = weak.lock()) impl->pointer.set_screen(width, height);
  });
}

void Server::set_listener(std::function<void(ServerEvent, const ChannelInfo&)> listener) {
  impl_->listener = std::move(listener);
}

void Server::start() {
  impl_->loop.post([weak = std::weak_ptr(impl_)] {
    if (const auto impl = weak.lock()) impl->start();
  });
}

std::uint16_t Server::port() const {
  return impl_->port.value_or(0);
}

std::uint16_t Server::tls_port() const {
  return impl_->tls_port.value_or(0);
}

ServerStatus Server::snapshot() const {
  return {.listens = impl_->listens,
          .port = port(),
          .tls_port = tls_port(),
          .auth = impl_->sasl_service       ? "sasl"
                  : impl_->tickets.wanted() ? "spice"
                                            : "none",
          .mouse_mode = impl_->pointer.modes().current() == wire::MouseMode::Client ? "client" : "server",
          .clients = impl_->config.clients,
          .channels = impl_->sessions.channels()};
}

std::vector<ClientInfo> Server::clients() const {
  return impl_->sessions.clients();
}

core::Result<> Server::set_password(const std::string& password, WhenConnected action) {
  if (!impl_->asks_for_passwords()) return core::fail("clients are not asked for one: start with --spice password=");
  if (password.size() > wire::kMaxPasswordLength) {
    return core::fail("it is longer than {} characters", wire::kMaxPasswordLength);
  }
  if (action == WhenConnected::Fail && impl_->sessions.has_client()) return core::fail("a client is connected");
  impl_->tickets.set_password(password);
  if (action == WhenConnected::Disconnect) impl_->sessions.cut_all();
  return {};
}

core::Result<> Server::expire_password(std::optional<Tickets::Time> at) {
  if (!impl_->asks_for_passwords()) return core::fail("clients are not asked for one: start with --spice password=");
  impl_->tickets.set_expiry(at);
  return {};
}

core::Result<> Server::add_client(core::Fd connection, bool skip_auth, bool tls) {
  if (tls && !impl_->tls) return core::fail("there is no TLS");
  int type = 0;
  socklen_t size = sizeof type;
  sockaddr_storage peer{};
  socklen_t peer_size = sizeof peer;
  const int fd = connection.get();
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM ||
      ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) {
    return core::fail("the descriptor is no connected stream socket");
  }
  if (::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK) != 0) {
    return core::fail("the socket cannot be made non-blocking: {}", core::errno_text());
  }
  impl_->accepted(std::move(connection), tls, skip_auth);
  return {};
}

}  // namespace spice::server
