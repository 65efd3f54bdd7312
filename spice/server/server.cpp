#include "spice/server/server.h"

#include <map>
#include <thread>

#include "core/base/log.h"
#include "spice/channel/inputs_hub.h"
#include "spice/channel/main_channel.h"
#include "spice/server/linking.h"
#include "spice/server/listen.h"
#include "spice/server/listener.h"
#include "spice/server/ticket.h"

namespace spice::server {

namespace {
constexpr wire::ChannelKey kMain{wire::ChannelType::Main, 0};
constexpr wire::ChannelKey kInputs{wire::ChannelType::Inputs, 0};
}  // namespace

struct Server::Impl final : std::enable_shared_from_this<Server::Impl>, LinkStage::Host {
  Impl(core::Loop& owner, const ServerConfig& wanted, const ListenPlan& plan, const ServerWiring& wiring)
      : loop(owner),
        config(wanted),
        wants_ticket(plan.wants_ticket),
        main(owner, {.name = wanted.name,
                     .uuid = wanted.uuid,
                     .ram_hint = wanted.ram_hint,
                     .channels = [this] { return channels_to_list(); }}),
        inputs(owner, wiring.keyboard, wiring.mouse),
        linking(owner, *this, {wanted.max_half_open, wanted.link_timeout},
                {.on_linked = [this](net::Stream stream, const LinkStage& stage) { linked(std::move(stream), stage); },
                 .on_dropped =
                     [this](const net::Endpoint& client, const net::Endpoint& server) {
                       tell(ServerEvent::Disconnected, {.client = client, .server = server});
                     }}),
        providers{{kMain, &main}, {kInputs, &inputs}} {}

  ~Impl() override {
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

  void start() {
    for (auto& fd : sockets)
      listeners.push_back(std::make_unique<Listener>(
          loop, std::move(fd),
          Listener::Events{.on_connection = [this](core::Fd connection) { accepted(std::move(connection)); },
                           .on_exhausted = [this] { linking.drop_oldest(); }}));
    sockets.clear();
  }

  void accepted(core::Fd connection) {
    auto stream = net::make_stream(std::move(connection));
    tell(ServerEvent::Connected, {.client = stream.remote, .server = stream.local});
    linking.add(std::move(stream));
  }

  // What the handshake asks

  const std::array<std::uint8_t, wire::kPublicKeySize>& public_key() override { return key->public_key(); }

  wire::Capabilities channel_caps(wire::ChannelKey channel) override {
    const auto provider = providers.find(channel);
    return provider == providers.end() ? wire::Capabilities() : provider->second->capabilities();
  }

  // Without ticketing the client still sends one, and it must be one.
  bool accepts_ticket(std::span<const std::uint8_t> ticket) override {
    const auto given = key->decrypt(ticket);
    return given && (!wants_ticket || password_matches(config.password.value_or(""), *given));
  }

  wire::LinkError admit(const wire::LinkMessage& message) override {
    const auto verdict = sessions.may_link(message);
    if (verdict != wire::LinkError::Ok) return verdict;
    const bool is_served = providers.contains({message.channel_type, message.channel_id});
    return is_served ? wire::LinkError::Ok : wire::LinkError::ChannelNotAvailable;
  }

  // Behind the handshake

  void linked(net::Stream stream, const LinkStage& stage) {
    const auto& message = stage.message();
    channel::LinkedConnection connection{.stream = std::move(stream),
                                         .key = {message.channel_type, message.channel_id},
                                         .mini_header = stage.mini_header(),
                                         .common_caps = wire::Capabilities(message.common_caps),
                                         .channel_caps = wire::Capabilities(message.channel_caps),
                                         .session = sessions.join(message)};
    const ChannelInfo info{.client = connection.stream.remote,
                           .server = connection.stream.local,
                           .connection_id = connection.session->id,
                           .key = connection.key,
                           .tls = connection.stream.transport.encrypted()};
    auto tether = std::make_shared<net::Tether>(
        [&target = loop, weak = weak_from_this(), id = info.connection_id, key_of_channel = info.key] {
          target.post([weak, id, key_of_channel] {
            if (const auto self = weak.lock()) self->gone(id, key_of_channel);
          });
        });
    connection.stream.fd.tie(tether);
    sessions.add(info, std::move(tether));
    tell(ServerEvent::Initialized, info);
    providers.at(info.key)->accept(std::move(connection));
    if (info.key == kInputs && !info.tls && info.client.family != "unix") {
      main.notify(info.connection_id, wire::Notify::Severity::Warn, "keyboard channel is insecure");
    }
  }

  void gone(std::uint32_t connection_id, wire::ChannelKey channel) {
    if (const auto info = sessions.remove(connection_id, channel)) tell(ServerEvent::Disconnected, *info);
  }

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
  bool wants_ticket;
  std::uint16_t port = 0;
  std::vector<net::Endpoint> listens;
  std::function<void(ServerEvent, const ChannelInfo&)> listener;

  Sessions sessions;
  channel::MainProvider main;
  channel::InputsHub inputs;
  Linking linking;
  std::map<wire::ChannelKey, channel::ChannelProvider*> providers;
  std::shared_ptr<const TicketKey> key;
  std::vector<core::Fd> sockets;  // until start()
  std::vector<std::unique_ptr<Listener>> listeners;
  std::jthread key_maker;
};

core::Result<std::unique_ptr<Server>> Server::create(core::Loop& loop, const ServerConfig& config,
                                                     const ServerWiring& wiring) {
  const auto plan = resolve_listen(config);
  if (!plan) return std::unexpected(plan.error());
  auto impl = std::make_shared<Impl>(loop, config, *plan, wiring);
  impl->port = plan->port;
  for (const auto& address : plan->addresses) {
    auto fd = open_listener(address, impl->port);
    if (!fd) return std::unexpected(fd.error());
    if (!fd->valid()) continue;
    impl->port = port_of(*fd);  // all addresses get the port that the first was given
    impl->listens.push_back(net::local_endpoint(fd->get()));
    impl->sockets.push_back(std::move(*fd));
  }
  if (impl->sockets.empty()) return core::fail("spice: this host has no address to listen on");
  impl->make_key();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::~Server() = default;

void Server::add_provider(wire::ChannelKey key, channel::ChannelProvider& provider) {
  impl_->providers[key] = &provider;
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
  return impl_->port;
}

ServerStatus Server::snapshot() const {
  return {.listens = impl_->listens,
          .auth = impl_->wants_ticket ? "spice" : "none",
          .mouse_mode = "server",
          .channels = impl_->sessions.channels()};
}

}  // namespace spice::server
