#include "spice/channel/main_channel.h"

#include <algorithm>
#include <chrono>

namespace spice::channel {

namespace {

std::chrono::nanoseconds now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

MouseModes modes_of(const Pointer* pointer) {
  return pointer != nullptr ? pointer->modes() : MouseModes();
}

}  // namespace

MainChannel::MainChannel(core::Loop& loop, LinkedConnection linked, const MainConfig& config, const MainWiring& wiring)
    : Channel(loop, std::move(linked)),
      config_(config),
      wiring_(wiring),
      video_delay_(loop, [this] { take_video_delay(); }) {
  session().set_video_delay_listener([this] { video_delay_.ring(); });
}

MainChannel::~MainChannel() {
  session().set_video_delay_listener({});
  leave_agent();
}

std::span<const Channel::Handler> MainChannel::handlers() const {
  static constexpr std::array kHandlers{
      on<&MainChannel::attach_channels>, on<&MainChannel::mouse_mode_request>, on<&MainChannel::pong>,
      on<&MainChannel::agent_start>,     on<&MainChannel::client_agent_data>,  on<&MainChannel::client_agent_token>};
  return kHandlers;
}

void MainChannel::on_start() {
  const auto channels = config_.channels();
  const auto modes = modes_of(wiring_.pointer);
  if (wiring_.agent != nullptr && session().owner) wiring_.agent->set_client(this);
  knows_agent_ = has_agent() && wiring_.agent->is_present();
  send(wire::MainInit{
      .session_id = session().id,
      .displays_hint =
          static_cast<std::uint32_t>(std::ranges::count(channels, wire::ChannelType::Display, &wire::ChannelKey::type)),
      .supported_mouse_modes = modes.supported(),
      .current_mouse_mode = static_cast<std::uint32_t>(modes.current()),
      .agent_connected = knows_agent_ ? 1U : 0U,
      .agent_tokens = agent::TokenBank::kAll,
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

void MainChannel::mouse_mode_request(const wire::MainMouseModeRequest& message) {
  if (wiring_.pointer != nullptr && !session().view_only) wiring_.pointer->request(message.mode);
}

void MainChannel::push_mouse_mode() {
  mode_is_news_ = true;
  tell_mouse_mode();
}

// Modes that come and go while the client takes nothing are not queued for it.
void MainChannel::tell_mouse_mode() {
  if (!mode_is_news_ || !writable()) return;
  mode_is_news_ = false;
  const auto modes = modes_of(wiring_.pointer);
  send(wire::MainMouseMode{modes.supported(), static_cast<std::uint16_t>(modes.current())});
}

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

// --- the agent -------------------------------------------------------------------------------------------------------

bool MainChannel::has_agent() const {
  return wiring_.agent != nullptr && wiring_.agent->client() == this;
}

void MainChannel::leave_agent() {
  if (has_agent()) wiring_.agent->set_client(nullptr);
}

void MainChannel::owner_changed() {
  if (wiring_.agent == nullptr || !session().owner || has_agent()) return;
  wiring_.agent->set_client(this);
  tell_agent();
}

void MainChannel::on_writable() {
  tell_mouse_mode();
  tell_agent();
  if (has_agent()) wiring_.agent->client_ready();
}

void MainChannel::on_closed() {
  leave_agent();
}

// Agents that come and go while the client takes nothing are not queued for it.
void MainChannel::tell_agent() {
  if (!writable()) return;
  const bool is_present = has_agent() && wiring_.agent->is_present();
  if (knows_agent_ && (!is_present || agent_is_new_)) send(wire::MainAgentDisconnected{});
  if (is_present && (!knows_agent_ || agent_is_new_)) send_agent_connected();
  knows_agent_ = is_present;
  agent_is_new_ = false;
}

void MainChannel::agent_came() {
  agent_is_new_ = true;
  tell_agent();
}

void MainChannel::agent_went() {
  tell_agent();
}

void MainChannel::send_agent_connected() {
  if (client_caps().has(wire::kAgentConnectedTokensCap)) {
    send(wire::MainAgentConnectedTokens{agent::TokenBank::kAll});
  } else {
    send(wire::MainAgentConnected{});
  }
}

void MainChannel::agent_data(agent::Bytes piece) {
  send(wire::MainAgentData{wire::Payload(std::move(piece))});
}

void MainChannel::agent_tokens(std::uint32_t count) {
  send(wire::MainAgentToken{count});
}

void MainChannel::agent_start(const wire::MainAgentStart& message) {
  if (has_agent()) wiring_.agent->start(message.tokens);
}

bool MainChannel::client_agent_data(const wire::MainClientAgentData& message) {
  return !has_agent() || wiring_.agent->data(message.data.bytes());
}

void MainChannel::client_agent_token(const wire::MainClientAgentToken& message) {
  if (has_agent()) wiring_.agent->add_tokens(message.tokens);
}

// --- all clients -----------------------------------------------------------------------------------------------------

MainProvider::MainProvider(core::Loop& loop, MainConfig config, const MainWiring& wiring)
    : loop_(loop), config_(std::move(config)), wiring_(wiring) {
  if (wiring_.pointer == nullptr) return;
  wiring_.pointer->set_listener(
      [this] { channels_.for_each([](MainChannel& channel) { channel.push_mouse_mode(); }); });
}

MainProvider::~MainProvider() {
  if (wiring_.pointer != nullptr) wiring_.pointer->set_listener(nullptr);
}

void MainProvider::owner_changed() {
  channels_.for_each([](MainChannel& channel) { channel.owner_changed(); });
}

void MainProvider::accept(LinkedConnection connection) {
  channels_.add(std::make_unique<MainChannel>(loop_, std::move(connection), config_, wiring_));
}

void MainProvider::notify(std::uint32_t session_id, wire::Notify::Severity severity, const std::string& text) {
  channels_.for_each([&](MainChannel& channel) {
    if (channel.session().id == session_id) channel.notify(severity, text);
  });
}

}  // namespace spice::channel
