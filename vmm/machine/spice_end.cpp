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

spice::video::StreamingMode streaming_mode(config::SpiceStreaming wanted) {
  switch (wanted) {
    case config::SpiceStreaming::Off: return spice::video::StreamingMode::Off;
    case config::SpiceStreaming::Filter: return spice::video::StreamingMode::Filter;
    case config::SpiceStreaming::All: return spice::video::StreamingMode::All;
  }
  return spice::video::StreamingMode::Off;
}

// What codecs need is loaded now or never. Who neither wants video nor names codecs is spared it, and has M-JPEG when
// video is switched on later.
core::Result<spice::display::VideoOptions> video_options(const config::SpiceConfig& config) {
  const auto codecs = spice::video::parse_codecs(config.video_codecs);
  if (!codecs) return core::fail_with("video-codecs", codecs);
  spice::display::VideoOptions options{.mode = streaming_mode(config.pictures.streaming), .codecs = *codecs};
  if (options.mode == spice::video::StreamingMode::Off && config.video_codecs == "auto")
    options.codecs = {spice::wire::VideoCodec::Mjpeg};
  return options;
}

spice::image::ImageOptions image_options(const config::SpicePictures& pictures) {
  return {.compression = compression(pictures.compression),
          .jpeg = on_slow_lines(pictures.jpeg),
          .zlib_glz = on_slow_lines(pictures.zlib_glz)};
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
std::vector<spice::agent::DisplayAddress> display_addresses(std::span<const Display> displays) {
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

std::vector<core::DisplaySource*> sources_of(std::span<const Display> displays) {
  std::vector<core::DisplaySource*> sources;
  sources.reserve(displays.size());
  for (const auto& display : displays)
    sources.push_back(display.source);
  return sources;
}

SpiceDisplayFigures display_figures(const spice::display::DisplayFigures& from) {
  constexpr std::uint64_t kMicrosecond = 1000;
  const auto& images = from.images;
  const auto& video = from.video;
  SpiceDisplayFigures figures{.methods = {},
                              .cache_hits = images.cache_hits,
                              .cache_misses = images.cache_misses,
                              .cache_drops = images.cache_drops,
                              .video = {.streams = video.streams,
                                        .frames = video.frames,
                                        .left_out = video.left_out,
                                        .replaced = video.replaced,
                                        .sent_bytes = video.sent_bytes,
                                        .encoder_us = video.encoder_ns / kMicrosecond},
                              .queue = {from.queue.drawings, from.queue.drawing_bytes, from.queue.pixels}};
  for (std::size_t method = 0; method < images.methods.size(); ++method) {
    const auto& of = images.methods[method];
    if (of.images == 0) continue;
    figures.methods.push_back({spice::image::method_name(static_cast<spice::image::Method>(method)), of.images,
                               of.raw_bytes, of.sent_bytes, of.encoder_ns / kMicrosecond});
  }
  return figures;
}

SpiceClient::Line line_of(const spice::server::ClientInfo::Line& from) {
  SpiceClient::Line line{.name = std::string(spice::wire::channel_name(from.key.type)),
                         .type = static_cast<unsigned>(from.key.type),
                         .id = from.key.id,
                         .tls = from.tls,
                         .facts = {},
                         .display = {}};
  if (const auto& known = from.facts)
    line.facts = {known->bytes_sent, known->bytes_received, known->queued_bytes, known->round_trip_us,
                  known->bytes_per_second};
  return line;
}

}  // namespace

struct SpiceEnd::Impl {
  Impl(const spice::display::DisplayWorker::Config& display, const Wiring& wiring)
      : figures(display.figures), input(wiring.keyboard, wiring.mouse, [this] { expect_change(); }) {
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
    if (wiring.tablet != nullptr) tablet = std::make_unique<WatchedTablet>(*wiring.tablet, [this] { expect_change(); });
    // A tablet's places are those of one display.
    auto* const local_tablet = wiring.displays.size() == 1 ? tablet.get() : nullptr;
    for (const auto& from : wiring.displays)
      local_inputs.push_back(std::make_unique<LocalInput>(wiring.control, input, input, local_tablet, *from.source));
  }

  void expect_change() {
    for (const auto& worker : workers)
      worker->expect_change();
  }
  void add_displays() {
    std::uint8_t id = 0;
    for (const auto& worker : workers) {
      server->add_provider({spice::wire::ChannelType::Display, id}, worker->display_provider());
      server->add_provider({spice::wire::ChannelType::Cursor, id}, worker->cursor_provider());
      ++id;
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

  std::shared_ptr<spice::display::AllDisplayFigures> figures;
  config::SpicePictures pictures;
  std::vector<std::unique_ptr<spice::display::DisplayWorker>> workers;
  std::vector<std::string> names;  // of their devices
  WatchedInput input;
  std::unique_ptr<WatchedTablet> tablet;                  // null: none
  std::vector<std::unique_ptr<LocalInput>> local_inputs;  // of the displays
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
  display.figures = std::make_shared<spice::display::AllDisplayFigures>();
  display.images = image_options(config.spice.pictures);
  const auto encoders = spice::image::EncoderPool::sensible_threads();
  if (config.spice.enabled && encoders > 0)
    display.pool = std::make_shared<spice::image::EncoderPool>(encoders, wiring.start);
  auto impl = std::make_unique<Impl>(display, wiring);
  impl->pictures = config.spice.pictures;
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

std::vector<LocalDisplay> SpiceEnd::local_displays() {
  std::vector<LocalDisplay> displays;
  displays.reserve(impl_->workers.size());
  for (std::size_t i = 0; i < impl_->workers.size(); ++i)
    displays.push_back({impl_->names[i], &impl_->workers[i]->view(), impl_->local_inputs[i].get()});
  return displays;
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
  status.pictures = impl_->pictures;
  for (const auto& channel : snapshot.channels) {
    status.channels.push_back({peer(channel.client), channel.connection_id, static_cast<unsigned>(channel.key.type),
                               channel.key.id, channel.tls});
  }
  return status;
}

std::vector<SpiceClient> SpiceEnd::clients() {
  std::vector<SpiceClient> clients;
  if (!impl_->server) return clients;
  const auto displays = impl_->figures->list();
  for (const auto& from : impl_->server->clients()) {
    SpiceClient client{peer(from.client), from.connection_id, from.owner, from.view_only, from.bit_rate, {}};
    for (const auto& of : from.lines) {
      auto& line = client.lines.emplace_back(line_of(of));
      const auto display = std::ranges::find_if(displays, [&](const spice::display::DisplayFigures& figures) {
        return of.key == spice::wire::ChannelKey{spice::wire::ChannelType::Display, figures.channel} &&
               from.connection_id == figures.session;
      });
      if (display != displays.end()) line.display = display_figures(*display);
    }
    clients.push_back(std::move(client));
  }
  return clients;
}

core::Result<> SpiceEnd::set_pictures(const config::SpicePictures& pictures) {
  if (!impl_->server) return core::fail("SPICE is not in use");
  impl_->pictures = pictures;
  for (const auto& worker : impl_->workers)
    worker->set_pictures(image_options(pictures), streaming_mode(pictures.streaming));
  return {};
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
