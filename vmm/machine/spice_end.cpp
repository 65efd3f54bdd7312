#include "vmm/machine/spice_end.h"

#include <optional>

#include "spice/display/display_worker.h"
#include "spice/server/server.h"
#include "vmm/machine/adapters.h"

namespace vmm::machine {

namespace {

// What libspice tells clients of a default QXL device: the pages behind its surface.
constexpr std::uint32_t kRamHint = 12286 * 4096;

spice::server::ServerConfig server_config(const config::MachineConfig& config,
                                          const std::array<std::uint8_t, 16>& uuid) {
  spice::server::ServerConfig server;
  server.port = config.spice.port;
  server.addr = config.spice.addr;
  server.ipv4_only = config.spice.ipv4_only;
  server.ipv6_only = config.spice.ipv6_only;
  server.password = config.spice.password;
  server.disable_ticketing = config.spice.disable_ticketing;
  server.name = config.name;
  server.uuid = uuid;
  server.ram_hint = kRamHint;
  return server;
}

SpicePeer peer(const spice::net::Endpoint& endpoint) {
  return {endpoint.host, endpoint.port, endpoint.family};
}

EventKind event_kind(spice::server::ServerEvent event) {
  switch (event) {
    case spice::server::ServerEvent::Connected: return EventKind::SpiceConnected;
    case spice::server::ServerEvent::Initialized: return EventKind::SpiceInitialized;
    case spice::server::ServerEvent::Disconnected: return EventKind::SpiceDisconnected;
  }
  return EventKind::SpiceDisconnected;
}

}  // namespace

struct SpiceEnd::Impl {
  Impl(const spice::display::DisplayWorker::Config& display, const Wiring& wiring)
      : worker(display, wiring.display), input(wiring.keyboard, wiring.mouse, [this] { worker.expect_change(); }) {}

  spice::display::DisplayWorker worker;
  WatchedInput input;
  std::unique_ptr<spice::server::Server> server;
  std::uint16_t port = 0;
};

core::Result<std::unique_ptr<SpiceEnd>> SpiceEnd::create(const config::MachineConfig& config,
                                                         const std::array<std::uint8_t, 16>& uuid,
                                                         const Wiring& wiring) {
  spice::display::DisplayWorker::Config display{.id = 0, .name = "display0"};
  if (!config.spice.compress) display.compression = spice::wire::ImageCompression::Off;
  auto impl = std::make_unique<Impl>(display, wiring);
  if (config.spice.enabled) {
    auto server =
        spice::server::Server::create(wiring.control, server_config(config, uuid), {impl->input, impl->input});
    if (!server) return core::fail_with("--spice", server);
    impl->server = std::move(*server);
    impl->port = config.spice.port;
    impl->server->add_provider({spice::wire::ChannelType::Display, 0}, impl->worker.display_provider());
    impl->server->add_provider({spice::wire::ChannelType::Cursor, 0}, impl->worker.cursor_provider());
    impl->server->set_listener([on_event = wiring.on_event, auth = impl->server->snapshot().auth](
                                   spice::server::ServerEvent event, const spice::server::ChannelInfo& info) {
      on_event({.kind = event_kind(event),
                .reason = auth,
                .client = peer(info.client),
                .server = peer(info.server),
                .connection_id = info.connection_id,
                .channel_type = static_cast<unsigned>(info.key.type),
                .channel_id = info.key.id});
    });
  }
  impl->worker.start();
  if (impl->server) impl->server->start();
  return std::unique_ptr<SpiceEnd>(new SpiceEnd(std::move(impl)));
}

SpiceEnd::SpiceEnd(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SpiceEnd::~SpiceEnd() = default;

void SpiceEnd::stop() {
  impl_->worker.stop();
}

void SpiceEnd::redraw() {
  impl_->worker.redraw();
}

Picture SpiceEnd::screenshot() {
  auto picture = impl_->worker.screenshot();
  return {picture.width, picture.height, std::move(picture.pixels)};
}

SpiceStatus SpiceEnd::status() {
  SpiceStatus status;
  if (!impl_->server) return status;
  const auto snapshot = impl_->server->snapshot();
  status.enabled = true;
  status.host = snapshot.listens.empty() ? "" : snapshot.listens.front().host;
  status.port = impl_->port;
  status.auth = snapshot.auth;
  status.mouse_mode = snapshot.mouse_mode;
  for (const auto& channel : snapshot.channels) {
    status.channels.push_back({peer(channel.client), channel.connection_id, static_cast<unsigned>(channel.key.type),
                               channel.key.id, channel.tls});
  }
  return status;
}

}  // namespace vmm::machine
