#include "spice/channel/main_channel.h"

#include <algorithm>
#include <chrono>

namespace spice::channel {

namespace {

constexpr std::uint32_t kAgentTokens = 10;

std::chrono::nanoseconds now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

}  // namespace

MainChannel::MainChannel(core::Loop& loop, LinkedConnection linked, const MainConfig& config)
    : Channel(loop, std::move(linked)), config_(config), video_delay_(loop, [this] { take_video_delay(); }) {
  session().set_video_delay_listener([this] { video_delay_.ring(); });
}

std::span<const Channel::Handler> MainChannel::handlers() const {
  static constexpr std::array kHandlers{on<&MainChannel::attach_channels>, on<&MainChannel::mouse_mode_request>,
                                        on<&MainChannel::pong>};
  return kHandlers;
}

void MainChannel::on_start() {
  const auto channels = config_.channels();
  constexpr auto kServerMode = static_cast<std::uint32_t>(wire::MouseMode::Server);
  send(wire::MainInit{
      .session_id = session().id,
      .displays_hint =
          static_cast<std::uint32_t>(std::ranges::count(channels, wire::ChannelType::Display, &wire::ChannelKey::type)),
      .supported_mouse_modes = kServerMode,
      .current_mouse_mode = kServerMode,
      .agent_connected = 0,
      .agent_tokens = kAgentTokens,
      .multi_media_time = multi_media_time(),
      .ram_hint = config_.ram_hint,
  });
  if (client_caps().has(wire::kNameAndUuidCap)) {
    send(wire::MainName{config_.name});
    send(wire::MainUuid{config_.uuid});
  }
  if (connection().remote().family == "unix") return start_latency_probe();
  for (std::uint32_t id = 1; id <= NetTest::kPings; ++id)
    send(net_test_.ping(id, now()));
  connection().expect_answer(true);
}

void MainChannel::attach_channels(const wire::MainAttachChannels&) {
  wire::MainChannelsList list;
  for (const auto& key : config_.channels())
    list.channels.push_back({key.type, key.id});
  send(list);
}

// Server mode is the only one; a wish for another changes nothing, and only changes are announced.
void MainChannel::mouse_mode_request(const wire::MainMouseModeRequest&) {}

void MainChannel::pong(const wire::Pong& message) {
  if (!net_test_.pong(message, now()) || !net_test_.finished()) return;
  session().bit_rate = net_test_.bit_rate();
  connection().expect_answer(false);
  start_latency_probe();
}

std::uint32_t MainChannel::multi_media_time() const {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now()).count();
  return static_cast<std::uint32_t>(milliseconds) - lip_sync_.latency_ms();
}

void MainChannel::take_video_delay() {
  if (lip_sync_.video_needs(session().take_video_delay()) != LipSync::Tell::MediaTime) return;
  send(wire::MainMultiMediaTime{multi_media_time()});
}

void MainChannel::notify(wire::Notify::Severity severity, const std::string& text) {
  send(wire::Notify{.time_ns = static_cast<std::uint64_t>(now().count()),
                    .severity = severity,
                    .visibility = wire::Notify::Visibility::High,
                    .text = text});
}

void MainProvider::accept(LinkedConnection connection) {
  channels_.add(std::make_unique<MainChannel>(loop_, std::move(connection), config_));
}

void MainProvider::notify(std::uint32_t session_id, wire::Notify::Severity severity, const std::string& text) {
  channels_.for_each([&](MainChannel& channel) {
    if (channel.session().id == session_id) channel.notify(severity, text);
  });
}

}  // namespace spice::channel
