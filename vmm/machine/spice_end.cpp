#include "vmm/machine/spice_end.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <vector>

#include "spice/channel/port_channel.h"
#include "spice/display/display_worker.h"
#include "spice/server/server.h"
#include "spice/server/viewer_file.h"
#include "spice/wire/table.h"
#include "vmm/machine/adapters.h"
#include "vmm/machine/spice_files.h"

namespace vmm::machine {

namespace {

// What libspice tells clients of a default QXL device: the pages behind its surface.
constexpr std::uint32_t kRamHint = 12286 * 4096;

std::optional<std::uint16_t> port_if_any(std::uint16_t port) {
  return port != 0 ? std::optional(port) : std::nullopt;
}

void apply_security(spice::server::ServerConfig& server, const config::SpiceChannelSecurity& wanted) {
  const auto security = wanted.tls ? spice::server::Security::Tls : spice::server::Security::Plain;
  if (wanted.channel == "default") server.default_security = security;
  for (std::uint8_t type = 1; type <= spice::wire::kLastChannelType; ++type) {
    const auto channel = static_cast<spice::wire::ChannelType>(type);
    if (spice::wire::channel_name(channel) == wanted.channel) server.channel_security[channel] = security;
  }
}

spice::server::ClientPolicy client_policy(config::SpiceClients clients) {
  switch (clients) {
    case config::SpiceClients::Share: return spice::server::ClientPolicy::Share;
    case config::SpiceClients::Takeover: return spice::server::ClientPolicy::Takeover;
    case config::SpiceClients::Refuse: return spice::server::ClientPolicy::Refuse;
  }
  return spice::server::ClientPolicy::Share;
}

const char* policy_name(spice::server::ClientPolicy policy) {
  switch (policy) {
    case spice::server::ClientPolicy::Share: return "share";
    case spice::server::ClientPolicy::Takeover: return "takeover";
    case spice::server::ClientPolicy::Refuse: return "refuse";
  }
  return "share";
}

spice::wire::ImageCompression compression(config::SpiceCompression wanted) {
  using spice::wire::ImageCompression;
  switch (wanted) {
    case config::SpiceCompression::Off: return ImageCompression::Off;
    case config::SpiceCompression::AutoGlz: return ImageCompression::AutoGlz;
    case config::SpiceCompression::AutoLz: return ImageCompression::AutoLz;
    case config::SpiceCompression::Quic: return ImageCompression::Quic;
    case config::SpiceCompression::Glz: return ImageCompression::Glz;
    case config::SpiceCompression::Lz: return ImageCompression::Lz;
    case config::SpiceCompression::Lz4: return ImageCompression::Lz4;
  }
  return ImageCompression::AutoGlz;
}

spice::image::OnSlowLines on_slow_lines(config::SpiceOnSlowLines wanted) {
  switch (wanted) {
    case config::SpiceOnSlowLines::Auto: return spice::image::OnSlowLines::Auto;
    case config::SpiceOnSlowLines::Never: return spice::image::OnSlowLines::Never;
    case config::SpiceOnSlowLines::Always: return spice::image::OnSlowLines::Always;
  }
  return spice::image::OnSlowLines::Auto;
}

spice::server::WhenConnected when_connected(WhenConnected action) {
  switch (action) {
    case WhenConnected::Keep: return spice::server::WhenConnected::Keep;
    case WhenConnected::Disconnect: return spice::server::WhenConnected::Disconnect;
    case WhenConnected::Fail: return spice::server::WhenConnected::Fail;
  }
  return spice::server::WhenConnected::Keep;
}

core::Result<spice::server::ServerConfig> server_config(const config::MachineConfig& config,
                                                        const std::array<std::uint8_t, 16>& uuid) {
  spice::server::ServerConfig server;
  server.port = port_if_any(config.spice.port);
  server.tls_port = port_if_any(config.spice.tls_port);
  (config.spice.unix_socket ? server.unix_path : server.addr) = config.spice.addr;
  server.listen_fd = config.spice.listen_fd;
  server.tls_listen_fd = config.spice.tls_listen_fd;
  const auto& tls = config.spice.tls;
  server.tls = {.key_file = tls.key_file,
                .certificate_file = tls.certificate_file,
                .ca_file = tls.ca_file,
                .key_password = tls.key_password,
                .dh_file = tls.dh_file,
                .ciphers = tls.ciphers};
  for (const auto& security : config.spice.security)
    apply_security(server, security);
  server.ipv4_only = config.spice.ipv4_only;
  server.ipv6_only = config.spice.ipv6_only;
  server.password = config.spice.password;
  if (!config.spice.password_file.empty()) {
    auto password = read_password(config.spice.password_file);
    if (!password) return core::fail_with("password-secret", password);
    server.password = std::move(*password);
  }
  server.disable_ticketing = config.spice.disable_ticketing;
  server.sasl = config.spice.sasl;
  server.view_only_password = config.spice.view_only_password;
  server.clients = client_policy(config.spice.clients);
  server.copy_paste = config.spice.copy_paste;
  server.file_transfer = config.spice.file_transfer;
  server.agent_mouse = config.spice.agent_mouse;
  server.name = config.name;
  server.uuid = uuid;
  server.ram_hint = kRamHint;
  return server;
}

core::Result<spice::display::VideoOptions> video_options(const config::SpiceConfig& config) {
  using spice::video::StreamingMode;
  const auto codecs = spice::video::parse_codecs(config.video_codecs);
  if (!codecs) return core::fail_with("video-codecs", codecs);
  spice::display::VideoOptions options{.mode = StreamingMode::Off, .codecs = *codecs};
  if (config.streaming == config::SpiceStreaming::Filter) options.mode = StreamingMode::Filter;
  if (config.streaming == config::SpiceStreaming::All) options.mode = StreamingMode::All;
  return options;
}

SpicePeer peer(const spice::net::Endpoint& endpoint) {
  return {endpoint.host, endpoint.port, endpoint.family};
}

EventKind event_kind(spice::server::ServerEvent event) {
  switch (event) {
    case spice::server::ServerEvent::Connected: return EventKind::SpiceConnected;
    case spice::server::ServerEvent::Initialized: return EventKind::SpiceInitialized;
    case spice::server::ServerEvent::Disconnected: return EventKind::SpiceDisconnected;
    case spice::server::ServerEvent::OwnerChanged: return EventKind::SpiceOwnerChanged;
  }
  return EventKind::SpiceDisconnected;
}

// The outputs of the displays as the agent knows them: a display alone may have several, of several each has one.
std::vector<spice::agent::DisplayAddress> display_addresses(std::span<const Board::Display> displays) {
  constexpr std::uint32_t kMostHeads = 4;  // of Linux's driver
  std::vector<spice::agent::DisplayAddress> heads;
  for (std::uint32_t display = 0; display < displays.size(); ++display) {
    const auto& address = displays[display].address;
    const auto place = fmt::format("pci/0000/{:02x}.{:x}", address.device, address.function);
    for (std::uint32_t head = 0; head < (displays.size() == 1 ? kMostHeads : 1); ++head)
      heads.push_back({display, head, head, place});
  }
  return heads;
}

std::vector<core::DisplaySource*> sources_of(std::span<const Board::Display> displays) {
  std::vector<core::DisplaySource*> sources;
  sources.reserve(displays.size());
  for (const auto& display : displays)
    sources.push_back(display.source);
  return sources;
}

SpiceImages images_of(const spice::image::Clients::ChannelFigures& from) {
  SpiceImages images{.connection_id = from.session,
                     .channel_id = from.channel,
                     .methods = {},
                     .cache_hits = from.images.cache_hits,
                     .cache_misses = from.images.cache_misses,
                     .cache_drops = from.images.cache_drops};
  for (std::size_t method = 0; method < from.images.methods.size(); ++method) {
    const auto& figures = from.images.methods[method];
    if (figures.images == 0) continue;
    images.methods.push_back({spice::image::method_name(static_cast<spice::image::Method>(method)), figures.images,
                              figures.raw_bytes, figures.sent_bytes, figures.encoder_ns / 1000});
  }
  return images;
}

}  // namespace

struct SpiceEnd::Impl {
  Impl(const spice::display::DisplayWorker::Config& display, const Wiring& wiring)
      : image_clients(display.clients), input(wiring.keyboard, wiring.mouse, [this] { expect_change(); }) {
    for (const auto& from : wiring.displays) {
      auto own = display;
      own.drawing_bytes = std::max(own.drawing_bytes, std::size_t{2} * from.vgamem_bytes);
      own.id = static_cast<std::uint8_t>(workers.size());
      own.name = fmt::format("display{}", own.id);
      names.push_back(from.name);
      if (own.id == 0) {
        own.on_size = [this](std::int32_t width, std::int32_t height) {
          if (server) server->set_screen_size(width, height);
        };
      }
      workers.push_back(std::make_unique<spice::display::DisplayWorker>(own, *from.source));
    }
    if (wiring.tablet == nullptr) return;
    tablet = std::make_unique<WatchedTablet>(*wiring.tablet, [this] { expect_change(); });
  }

  void expect_change() {
    for (const auto& worker : workers)
      worker->expect_change();
  }
  void add_displays() {
    for (std::uint8_t id = 0; id < workers.size(); ++id) {
      server->add_provider({spice::wire::ChannelType::Display, id}, workers[id]->display_provider());
      server->add_provider({spice::wire::ChannelType::Cursor, id}, workers[id]->cursor_provider());
    }
  }
  void add_ports(const Wiring& wiring) {
    std::uint8_t number = 0;
    for (const auto& [name, port] : wiring.ports.channels) {
      using enum spice::wire::ChannelType;
      const bool is_webdav = name == config::kWebdavPort;
      const spice::wire::ChannelKey key{is_webdav ? Webdav : Port, is_webdav ? std::uint8_t{0} : number++};
      ports.push_back(std::make_unique<spice::channel::PortProvider>(wiring.control, *port, name));
      server->add_provider(key, *ports.back());
    }
  }

  std::shared_ptr<spice::image::Clients> image_clients;
  std::vector<std::unique_ptr<spice::display::DisplayWorker>> workers;
  std::vector<std::string> names;  // of their devices
  WatchedInput input;
  std::unique_ptr<WatchedTablet> tablet;  // null: none
  std::vector<std::unique_ptr<spice::channel::PortProvider>> ports;
  std::unique_ptr<spice::server::Server> server;
  std::optional<spice::server::ViewerFile> viewer_file;
};

namespace {

core::Result<> write_viewer_file(const std::string& path, const spice::server::ServerConfig& config,
                                 const spice::server::Server& server, std::optional<spice::server::ViewerFile>& kept) {
  if (path.empty()) return {};
  const auto text = spice::server::viewer_text(config, server.port(), server.tls_port());
  if (!text) return core::fail_with("vv", text);
  auto file = spice::server::ViewerFile::write(path, *text);
  if (!file) return core::fail_with("vv", file);
  kept.emplace(std::move(*file));
  return {};
}

}  // namespace

core::Result<std::unique_ptr<SpiceEnd>> SpiceEnd::create(const config::MachineConfig& config,
                                                         const std::array<std::uint8_t, 16>& uuid,
                                                         const Wiring& wiring) {
  spice::display::DisplayWorker::Config display{.start = wiring.start};
  const auto video = video_options(config.spice);
  if (!video) return core::fail_with("--spice", video);
  display.video = *video;
  display.clients = std::make_shared<spice::image::Clients>();
  display.images = {.compression = compression(config.spice.compression),
                    .jpeg = on_slow_lines(config.spice.jpeg),
                    .zlib_glz = on_slow_lines(config.spice.zlib_glz)};
  auto impl = std::make_unique<Impl>(display, wiring);
  if (config.spice.enabled) {
    auto settings = server_config(config, uuid);
    if (!settings) return core::fail_with("--spice", settings);
    settings->display_addresses = display_addresses(wiring.displays);
    auto server = spice::server::Server::create(wiring.control, *settings,
                                                {.keyboard = impl->input,
                                                 .mouse = impl->input,
                                                 .tablet = impl->tablet.get(),
                                                 .agent_port = wiring.ports.agent,
                                                 .displays = sources_of(wiring.displays),
                                                 .on_client_mouse = [&workers = impl->workers](bool client_mouse) {
                                                   for (const auto& worker : workers)
                                                     worker->set_client_mouse(client_mouse);
                                                 }});
    if (!server) return core::fail_with("--spice", server);
    impl->server = std::move(*server);
    const auto written = write_viewer_file(config.spice.viewer_file, *settings, *impl->server, impl->viewer_file);
    if (!written) return core::fail_with("--spice", written);
    impl->add_displays();
    impl->add_ports(wiring);
    impl->server->set_listener([on_event = wiring.on_event, auth = impl->server->snapshot().auth](
                                   spice::server::ServerEvent event, const spice::server::ChannelInfo& info) {
      on_event({.kind = event_kind(event),
                .reason = auth,
                .client = peer(info.client),
                .server = peer(info.server),
                .connection_id = info.connection_id,
                .channel_type = static_cast<unsigned>(info.key.type),
                .channel_id = info.key.id,
                .tls = info.tls});
    });
  }
  for (const auto& worker : impl->workers)
    worker->start();
  if (impl->server) impl->server->start();
  return std::unique_ptr<SpiceEnd>(new SpiceEnd(std::move(impl)));
}

SpiceEnd::SpiceEnd(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SpiceEnd::~SpiceEnd() = default;

void SpiceEnd::stop() {
  for (const auto& worker : impl_->workers)
    worker->stop();
}

void SpiceEnd::hold_display(bool stores) {
  for (const auto& worker : impl_->workers)
    worker->hold(stores);
}

void SpiceEnd::release_display() {
  for (const auto& worker : impl_->workers)
    worker->release();
}

void SpiceEnd::redraw() {
  for (const auto& worker : impl_->workers)
    worker->redraw();
}

core::Result<Picture> SpiceEnd::screenshot(const ScreenshotOf& what) {
  const auto named = what.device.empty() ? impl_->names.begin() : std::ranges::find(impl_->names, what.device);
  if (named == impl_->names.end()) return core::fail("no display '{}'; info qxl lists them", what.device);
  auto& worker = *impl_->workers[static_cast<std::size_t>(named - impl_->names.begin())];
  const auto pointer = what.pointer ? spice::display::Pointer::Drawn : spice::display::Pointer::LeftOut;
  auto picture = what.head ? worker.screenshot_of_head(static_cast<std::size_t>(*what.head), pointer)
                           : std::optional(worker.screenshot(pointer));
  if (!picture) return core::fail("display '{}' has no head {}", *named, *what.head);
  return Picture{picture->width, picture->height, std::move(picture->pixels)};
}

SpiceStatus SpiceEnd::status() {
  SpiceStatus status;
  if (!impl_->server) return status;
  const auto snapshot = impl_->server->snapshot();
  status.enabled = true;
  status.host = snapshot.listens.empty() ? "" : snapshot.listens.front().host;
  status.port = snapshot.port;
  status.tls_port = snapshot.tls_port;
  status.auth = snapshot.auth;
  status.mouse_mode = snapshot.mouse_mode;
  status.clients = policy_name(snapshot.clients);
  for (const auto& channel : snapshot.channels) {
    status.channels.push_back({peer(channel.client), channel.connection_id, static_cast<unsigned>(channel.key.type),
                               channel.key.id, channel.tls});
  }
  return status;
}

std::vector<SpiceClient> SpiceEnd::clients() {
  std::vector<SpiceClient> clients;
  if (!impl_->server) return clients;
  for (const auto& from : impl_->server->clients()) {
    SpiceClient client{peer(from.client), from.connection_id, from.owner, from.view_only, {}};
    for (const auto& line : from.lines) {
      std::optional<SpiceClient::Line::Facts> facts;
      if (const auto& known = line.facts) {
        facts = {known->bytes_sent, known->bytes_received, known->queued_bytes, known->round_trip_us};
      }
      client.lines.push_back({std::string(spice::wire::channel_name(line.key.type)),
                              static_cast<unsigned>(line.key.type), line.key.id, line.tls, facts});
    }
    clients.push_back(std::move(client));
  }
  return clients;
}

std::vector<SpiceImages> SpiceEnd::images() {
  std::vector<SpiceImages> images;
  for (const auto& channel : impl_->image_clients->figures())
    images.push_back(images_of(channel));
  return images;
}

core::Result<> SpiceEnd::set_password(const std::string& password, WhenConnected action) {
  if (!impl_->server) return core::fail("SPICE is not in use");
  return impl_->server->set_password(password, when_connected(action));
}

// The day is the wall clock's, but what happens to that clock later moves no password's end.
core::Result<> SpiceEnd::expire_password(std::optional<std::chrono::sys_seconds> at) {
  using std::chrono::steady_clock, std::chrono::system_clock, std::chrono::seconds;
  if (!impl_->server) return core::fail("SPICE is not in use");
  if (!at) return impl_->server->expire_password(std::nullopt);
  constexpr seconds kPast{-1};
  constexpr seconds kLongest = std::chrono::years{100};  // no sum overflows
  const auto left = std::clamp(*at - std::chrono::floor<seconds>(system_clock::now()), kPast, kLongest);
  return impl_->server->expire_password(steady_clock::now() + left);
}

core::Result<> SpiceEnd::add_client(core::Fd connection, bool skip_auth, bool tls) {
  if (!impl_->server) return core::fail("SPICE is not in use");
  return impl_->server->add_client(std::move(connection), skip_auth, tls);
}

}  // namespace vmm::machine
