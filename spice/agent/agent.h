// The guest's agent, which the guest reaches through a virtio port, and the one client that has it.
//
// Pieces of messages go through both ways as they are, under the rules of flow control and of what is allowed; the
// server adds the few messages that are its own. Control loop only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/event/loop.h"
#include "core/event/mailbox.h"
#include "core/event/timeout.h"
#include "core/ports/display.h"
#include "spice/agent/chunk_reader.h"
#include "spice/agent/guest_port.h"
#include "spice/agent/message_filter.h"
#include "spice/agent/messages.h"
#include "spice/agent/monitor_trim.h"
#include "spice/agent/outbox.h"
#include "spice/agent/token_bank.h"

namespace spice::agent {

// The client's side of it: a main channel.
class AgentClient {
 public:
  virtual ~AgentClient() = default;
  virtual void agent_came() = 0;
  virtual void agent_went() = 0;
  virtual bool takes_agent_data() = 0;  // now; if not, Agent::client_ready() follows
  virtual void agent_data(Bytes piece) = 0;
  virtual void agent_tokens(std::uint32_t count) = 0;
  virtual void refuse(const std::string& reason) = 0;  // its connection ends
};

class Agent final : private GuestPort::Host {
 public:
  struct Config {
    bool copy_paste = true;
    bool file_transfer = true;
    std::vector<DisplayAddress> displays{};
  };
  struct Wiring {
    core::Loop& loop;
    GuestPort& port;
    std::vector<core::DisplaySource*> displays{};  // who may take a client's wish for monitors, in their order
    core::TimeoutMaker make_timeout{};             // if not on the loop, in real time
  };

  // How long a client may give no tokens although something waits for it.
  static constexpr std::chrono::seconds kStarvation{30};

  Agent(const Config& config, const Wiring& wiring);
  ~Agent() override;
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  bool is_present() const { return is_present_; }
  // Told when it comes and when it goes.
  void set_listener(std::function<void()> presence_changed) { presence_changed_ = std::move(presence_changed); }

  // Who has the agent from now on; nullptr: nobody. The agent forgets the one before. Does not tell the new one
  // whether there is an agent.
  void set_client(AgentClient* client);
  AgentClient* client() const { return client_; }

  // What the client says.
  void start(std::uint32_t tokens);
  void add_tokens(std::uint32_t tokens);
  bool data(std::span<const std::uint8_t> piece);  // false: it must not
  void client_ready();

  // What the server says: the newest place, and the newest changes of the buttons.
  void point(const MouseState& state);

 private:
  void guest_opened(bool open) override;
  void guest_wrote() override;
  void guest_has_room() override;

  void lose();
  void take_from_guest();
  bool take_piece(Bytes piece);
  bool deliver();
  void take_tokens(std::uint32_t tokens);
  void watch_starvation();
  void push();
  void pass_on(std::span<const std::uint8_t> piece);
  void give_tokens(std::uint32_t count);
  std::optional<Bytes> next_message();
  bool displays_take_monitors() const;
  void collect_monitors(std::span<const std::uint8_t> piece);

  Config config_;
  GuestPort& port_;
  std::vector<core::DisplaySource*> displays_;
  std::function<void()> presence_changed_;
  std::unique_ptr<core::Timeout> starvation_;
  core::Signal pieces_came_;

  bool is_present_ = false;
  AgentClient* client_ = nullptr;
  bool is_started_ = false;  // by the client

  // From the guest.
  Bytes input_;  // read, not yet looked at
  std::size_t input_begin_ = 0;
  ChunkReader reader_;
  MessageFilter from_guest_;
  std::optional<Bytes> owed_;  // waits for a token, or for room on the client's line
  std::uint32_t credit_ = 0;   // tokens that the client gave us

  // To the guest.
  MessageFilter from_client_;
  MonitorTrim monitor_trim_;
  TokenBank bank_;
  Outbox outbox_;
  Bytes monitors_;  // the body of such a message, as far as it is here
  bool must_say_disconnected_ = false;
  bool must_say_displays_ = false;
  std::deque<MouseState> places_;
};

}  // namespace spice::agent
