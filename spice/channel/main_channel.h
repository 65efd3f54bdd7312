// The main channel of one client: who we are, which channels there are, the measurement of its line, its multimedia
// clock. No agent and no migration yet; messages of either are skipped.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/event/mailbox.h"
#include "spice/channel/channel.h"
#include "spice/channel/lip_sync.h"
#include "spice/channel/net_test.h"
#include "spice/wire/main.h"

namespace spice::channel {

struct MainConfig {
  std::string name;
  std::array<std::uint8_t, 16> uuid{};
  std::uint32_t ram_hint = 0;  // bytes of memory that hold pictures: sizes a client's caches
  std::function<std::vector<wire::ChannelKey>()> channels;  // all but main
};

class MainChannel final : public Channel {
 public:
  MainChannel(core::Loop& loop, LinkedConnection linked, const MainConfig& config);
  ~MainChannel() override { session().set_video_delay_listener({}); }
  MainChannel(const MainChannel&) = delete;
  MainChannel& operator=(const MainChannel&) = delete;

  void notify(wire::Notify::Severity severity, const std::string& text);

 private:
  void on_start() override;
  bool measures_line_itself() const override { return true; }
  std::span<const Handler> handlers() const override;

  void attach_channels(const wire::MainAttachChannels& message);
  void mouse_mode_request(const wire::MainMouseModeRequest& message);
  void pong(const wire::Pong& message);
  void take_video_delay();
  std::uint32_t multi_media_time() const;  // as the client is to have it

  const MainConfig& config_;
  NetTest net_test_;
  LipSync lip_sync_;
  core::Signal video_delay_;
};

// Serves the main channel. Control loop.
class MainProvider final : public ChannelProvider {
 public:
  MainProvider(core::Loop& loop, MainConfig config) : loop_(loop), config_(std::move(config)) {}

  wire::Capabilities capabilities() const override { return {wire::kNameAndUuidCap, wire::kAgentConnectedTokensCap}; }
  void accept(LinkedConnection connection) override;

  // Tells a client's user something.
  void notify(std::uint32_t session_id, wire::Notify::Severity severity, const std::string& text);

 private:
  core::Loop& loop_;
  MainConfig config_;
  ChannelList<MainChannel> channels_;
};

}  // namespace spice::channel
