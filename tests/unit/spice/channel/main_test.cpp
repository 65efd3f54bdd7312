#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spice/channel/main_channel.h"
#include "tests/unit/spice/agent/fake_guest.h"
#include "tests/unit/spice/fake_inputs.h"
#include "tests/unit/spice/fake_timeouts.h"
#include "tests/unit/spice/loop_fixture.h"

namespace spice::channel {
namespace {

using test::on_loop;
using test::RawClient;

class MainTest : public testing::Test {
 protected:
  RawClient connect(const wire::Capabilities& caps) {
    auto pair = test::socket_pair();
    LinkedConnection linked;
    linked.stream = std::move(pair.ours);
    linked.key = {wire::ChannelType::Main, 0};
    linked.channel_caps = caps;
    session_ = linked.session = std::make_shared<SessionInfo>(0x1234);
    on_loop(worker_, [&] { provider_->accept(std::move(linked)); });
    return std::move(pair.theirs);
  }
  MainTest() {
    MainConfig config{.name = "a machine", .ram_hint = 1 << 20, .channels = [] {
                        using enum wire::ChannelType;
                        return std::vector<wire::ChannelKey>{{Display, 0}, {Display, 1}, {Inputs, 0}};
                      }};
    config.uuid[3] = 7;
    provider_ = std::make_unique<MainProvider>(worker_.loop(), std::move(config));
  }
  ~MainTest() override { worker_.stop(); }

  core::Worker worker_{"test"};
  std::unique_ptr<MainProvider> provider_;
  std::shared_ptr<SessionInfo> session_;  // of the last one
};

TEST_F(MainTest, init_comes_first) {
  auto client = connect({});
  const auto first = client.receive_message();
  ASSERT_TRUE(first.has_value());
  ASSERT_EQ(first->type, wire::MainInit::kType);
  const auto init = wire::decode<wire::MainInit>(first->body);
  EXPECT_EQ(init->session_id, 0x1234U);
  EXPECT_EQ(init->displays_hint, 2U);
  EXPECT_EQ(init->supported_mouse_modes, 1U);
  EXPECT_EQ(init->current_mouse_mode, 1U);
  EXPECT_EQ(init->agent_connected, 0U);
  EXPECT_EQ(init->ram_hint, 1U << 20);
}

TEST_F(MainTest, clock_is_set_back_when_video_needs_more_time) {
  auto client = connect({});
  const auto first = client.await<wire::MainInit>();
  ASSERT_TRUE(first.has_value());
  session_->need_video_delay(300);  // less than there is
  session_->need_video_delay(5000);
  const auto time = client.await<wire::MainMultiMediaTime>();
  ASSERT_TRUE(time.has_value());
  // Less than 4.6 s have passed since.
  EXPECT_LT(static_cast<std::int32_t>(time->time_ms - first->multi_media_time), 0);
}

TEST_F(MainTest, name_and_uuid_need_their_capability) {
  auto with = connect({wire::kNameAndUuidCap});
  EXPECT_EQ(with.await<wire::MainName>()->name, "a machine");
  EXPECT_EQ(with.await<wire::MainUuid>()->uuid[3], 7);
  auto without = connect({});
  without.send_message(wire::MainAttachChannels{});
  EXPECT_EQ(without.receive_message()->type, wire::MainInit::kType);
  EXPECT_EQ(without.receive_message()->type, wire::MainChannelsList::kType);
}

TEST_F(MainTest, channels_are_listed_when_asked_for) {
  auto client = connect({});
  client.send_message(wire::MainAttachChannels{});
  const auto list = client.await<wire::MainChannelsList>();
  ASSERT_TRUE(list.has_value());
  ASSERT_EQ(list->channels.size(), 3U);
  EXPECT_EQ(list->channels[1].type, wire::ChannelType::Display);
  EXPECT_EQ(list->channels[1].id, 1);
}

TEST_F(MainTest, messages_about_an_absent_agent_are_skipped) {
  auto client = connect({});
  client.send_message(wire::MainAgentStart{10});
  client.send_message(wire::MainClientAgentData{wire::Payload(RawClient::Bytes(2048))});
  client.send_message(wire::MainMouseModeRequest{wire::MouseMode::Client});
  client.send_message(wire::MainAttachChannels{});
  EXPECT_TRUE(client.await<wire::MainChannelsList>().has_value());
}

TEST_F(MainTest, oversize_agent_data_ends_the_client) {
  auto client = connect({});
  client.send_message(wire::MainClientAgentData{wire::Payload(RawClient::Bytes(2049))});
  EXPECT_EQ(client.await<wire::MainChannelsList>(), std::nullopt);
}

TEST_F(MainTest, notify_reaches_the_client_of_the_session) {
  auto client = connect({});
  on_loop(worker_, [this] {
    provider_->notify(0x9999, wire::Notify::Severity::Warn, "for somebody else");
    provider_->notify(0x1234, wire::Notify::Severity::Warn, "keyboard channel is insecure");
  });
  const auto message = client.await<wire::Notify>();
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->text, "keyboard channel is insecure");
}

// With an agent's port, and a client that may have it.
class MainAgentTest : public MainTest {
 protected:
  MainAgentTest() {
    on_loop(worker_, [this] {
      agent_ = std::make_unique<agent::Agent>(agent::Agent::Config{},
                                              agent::Agent::Wiring{worker_.loop(), port_, {}, timeouts_.maker()});
      pointer_ =
          std::make_unique<Pointer>(Pointer::Wiring{.loop = worker_.loop(), .mouse = mouse_, .agent = agent_.get()});
      provider_ = std::make_unique<MainProvider>(
          worker_.loop(), MainConfig{.name = "a machine", .channels = [] { return std::vector<wire::ChannelKey>(); }},
          MainWiring{agent_.get(), pointer_.get()});
    });
  }
  ~MainAgentTest() override {
    worker_.stop();
    provider_.reset();
    pointer_.reset();
  }
  // Known when it returns.
  void open_port() {
    port_.guest_opened(true);
    for (int i = 0; i < 4; ++i)
      on_loop(worker_, [] {});
  }
  struct Client {
    RawClient line;
    std::shared_ptr<SessionInfo> session;
  };
  Client join(bool owner, const wire::Capabilities& caps = {wire::kAgentConnectedTokensCap}) {
    auto pair = test::socket_pair();
    LinkedConnection linked;
    linked.stream = std::move(pair.ours);
    linked.key = {wire::ChannelType::Main, 0};
    linked.channel_caps = caps;
    linked.session = std::make_shared<SessionInfo>(1);
    linked.session->owner = owner;
    auto session = linked.session;
    on_loop(worker_, [&] { provider_->accept(std::move(linked)); });
    return {std::move(pair.theirs), std::move(session)};
  }

  test::FakeInputs mouse_;
  agent::GuestPort port_{worker_.loop(), agent::GuestPort::AtClose::Drop};
  agent::test::FakeGuest guest_{port_};
  test::FakeTimeouts timeouts_;
  std::unique_ptr<agent::Agent> agent_;
  std::unique_ptr<Pointer> pointer_;
};

TEST_F(MainAgentTest, the_owner_hears_of_the_agent) {
  auto client = join(true).line;
  EXPECT_EQ(client.await<wire::MainInit>()->agent_connected, 0U);
  port_.guest_opened(true);
  EXPECT_EQ(client.await<wire::MainAgentConnectedTokens>()->tokens, 10U);
  EXPECT_EQ(client.await<wire::MainMouseMode>()->supported, 3);
  port_.guest_opened(false);
  EXPECT_TRUE(client.await<wire::MainAgentDisconnected>().has_value());
  EXPECT_EQ(client.await<wire::MainMouseMode>()->supported, 1);
}

TEST_F(MainAgentTest, agents_that_come_and_go_all_the_time_end_no_client_that_reads_nothing) {
  open_port();
  auto client = join(true).line;
  constexpr int kMoreThanIsQueued = 6000;
  for (int i = 0; i < kMoreThanIsQueued; ++i)
    on_loop(worker_, [&] { port_.guest_opened(i % 2 != 0); });
  on_loop(worker_, [&] { port_.guest_opened(false); });
  client.send_message(wire::MainAttachChannels{});
  EXPECT_TRUE(client.await<wire::MainChannelsList>().has_value());
}

TEST_F(MainAgentTest, modes_that_change_all_the_time_end_no_client_that_reads_nothing) {
  open_port();
  auto client = join(true).line;
  constexpr int kMoreThanIsQueued = 6000;
  for (int i = 0; i < kMoreThanIsQueued; ++i)
    on_loop(worker_, [&] { pointer_->request(i % 2 == 0 ? wire::MouseMode::Client : wire::MouseMode::Server); });
  client.send_message(wire::MainAttachChannels{});
  EXPECT_TRUE(client.await<wire::MainChannelsList>().has_value());
}

TEST_F(MainAgentTest, clients_without_the_capability_get_the_old_message) {
  auto client = join(true, {}).line;
  port_.guest_opened(true);
  EXPECT_TRUE(client.await<wire::MainAgentConnected>().has_value());
}

TEST_F(MainAgentTest, the_agent_passes_on_with_ownership) {
  open_port();
  auto first = join(true);
  auto second = join(false);
  EXPECT_EQ(first.line.await<wire::MainInit>()->agent_connected, 1U);
  EXPECT_EQ(second.line.await<wire::MainInit>()->agent_connected, 0U);
  on_loop(worker_, [&] {
    first.session->owner = false;
    second.session->owner = true;
    provider_->owner_changed();
  });
  EXPECT_TRUE(second.line.await<wire::MainAgentConnectedTokens>().has_value());
}

TEST_F(MainAgentTest, data_goes_through) {
  open_port();
  auto client = join(true).line;
  client.send_message(wire::MainAgentStart{1});
  client.send_message(wire::MainClientAgentData{wire::Payload(agent::test::message(4, 100))});
  EXPECT_TRUE(client.await<wire::MainInit>().has_value());
  for (int i = 0; i < 4; ++i)
    client.send_message(wire::MainClientAgentData{wire::Payload(agent::test::message(4, 100))});
  EXPECT_EQ(client.await<wire::MainAgentToken>()->tokens, 5U);
  port_.write_some(agent::test::chunk(1, agent::test::message(4, 30)));
  EXPECT_EQ(client.await<wire::MainAgentData>()->data.size(), 50U);
}

TEST_F(MainAgentTest, more_pieces_than_tokens_end_the_client) {
  guest_.room = 0;
  open_port();
  auto client = join(true).line;
  client.send_message(wire::MainAgentStart{1});
  for (int i = 0; i < 11; ++i)
    client.send_message(wire::MainClientAgentData{wire::Payload(agent::test::message(4, 1))});
  EXPECT_EQ(client.await<wire::MainAgentToken>(), std::nullopt);
}

TEST_F(MainAgentTest, no_token_for_what_waits_ends_the_client) {
  open_port();
  auto client = join(true).line;
  client.send_message(wire::MainAgentStart{1});
  client.send_message(wire::MainAttachChannels{});  // answered: the start has arrived
  EXPECT_TRUE(client.await<wire::MainChannelsList>().has_value());
  port_.write_some(agent::test::chunk(1, agent::test::message(4, 30)));
  EXPECT_TRUE(client.await<wire::MainAgentData>().has_value());
  port_.write_some(agent::test::chunk(1, agent::test::message(4, 30)));
  for (int i = 0; i < 4; ++i)
    on_loop(worker_, [] {});
  on_loop(worker_, [this] { timeouts_.pass(agent::Agent::kStarvation); });
  EXPECT_EQ(client.await<wire::MainAgentData>(), std::nullopt);
}

TEST_F(MainTest, good_bye_ends_the_channel) {
  auto client = connect({});
  client.send_message(wire::ClientDisconnecting{});
  EXPECT_EQ(client.await<wire::MainChannelsList>(), std::nullopt);
}

}  // namespace
}  // namespace spice::channel
