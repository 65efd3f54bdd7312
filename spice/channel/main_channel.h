// The main channel of one client: who we are, which channels there are, the measurement of its line, its multimedia
// clock, the mouse mode, the way to the guest's agent for the client that has it. No migration yet; its messages are
// skipped.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/event/mailbox.h"
#include "spice/agent/agent.h"
#include "spice/channel/channel.h"
#include "spice/channel/lip_sync.h"
#include "spice/channel/net_test.h"
#include "spice/channel/pointer.h"
#include "spice/wire/main.h"

namespace spice::channel {

struct MainConfig {
  std::string name;
  std::array<std::uint8_t, 16> uuid{};
  std::uint32_t ram_hint = 0;  // bytes of memory that hold pictures: sizes a client's caches
  std::function<std::vector<wire::ChannelKey>()> channels;  // all but main
};

// Either may be missing.
struct MainWiring {
  agent::Agent* agent = nullptr;
  Pointer* pointer = nullptr;
};

class MainChannel final : public Channel, private agent::AgentClient {
 public:
  MainChannel(core::Loop& loop, LinkedConnection linked, const MainConfig& config, const MainWiring& wiring);
  ~MainChannel() override;
  MainChannel(const MainChannel&) = delete;
  MainChannel& operator=(const MainChannel&) = delete;

  void notify(wire::Notify::Severity severity, const std::string& text);
  void push_mouse_mode();
  void owner_changed();  // perhaps this client is it now

 private:
  void on_start() override;
  void on_writable() override;
  void on_closed() override;
  bool measures_line_itself() const override { return true; }
  std::span<const Handler> handlers() const override;

  void agent_came() override;
  void agent_went() override;
  bool takes_agent_data() override { return writable(); }
  void agent_data(agent::Bytes piece) override;
  void agent_tokens(std::uint32_t count) override;
  void refuse(const std::string& reason) override { close(reason); }

  void attach_channels(const wire::MainAttachChannels& message);
  void mouse_mode_request(const wire::MainMouseModeRequest& message);
  void pong(const wire::Pong& message);
  void tell_mouse_mode();
  void take_video_delay();
  std::uint32_t multi_media_time() const;  // as the client is to have it
  void agent_start(const wire::MainAgentStart& message);
  bool client_agent_data(const wire::MainClientAgentData& message);
  void client_agent_token(const wire::MainClientAgentToken& message);

  bool has_agent() const;
  void leave_agent();
  void tell_agent();
  void send_agent_connected();

  const MainConfig& config_;
  const MainWiring wiring_;
  NetTest net_test_;
  LipSync lip_sync_;
  bool mode_is_news_ = false;
  bool knows_agent_ = false;   // the client does
  bool agent_is_new_ = false;  // it is not the one that the client knows
  core::Signal video_delay_;
};

// Serves the main channel. Control loop.
class MainProvider final : public ChannelProvider {
 public:
  // What it is wired to must outlive it.
  MainProvider(core::Loop& loop, MainConfig config, const MainWiring& wiring = {});
  ~MainProvider() override;
  MainProvider(const MainProvider&) = delete;
  MainProvider& operator=(const MainProvider&) = delete;

  wire::Capabilities capabilities() const override { return {wire::kNameAndUuidCap, wire::kAgentConnectedTokensCap}; }
  void accept(LinkedConnection connection) override;
  void owner_changed() override;

  // Tells a client's user something.
  void notify(std::uint32_t session_id, wire::Notify::Severity severity, const std::string& text);

 private:
  core::Loop& loop_;
  MainConfig config_;
  const MainWiring wiring_;
  ChannelList<MainChannel> channels_;
};

}  // namespace spice::channel
