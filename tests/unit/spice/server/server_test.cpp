// The real server in this process, and clients over real sockets.
#include "spice/server/server.h"

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>

#include "spice/channel/channel.h"
#include "spice/wire/display.h"
#include "spice/wire/inputs.h"
#include "spice/wire/main.h"
#include "tests/unit/spice/fake_inputs.h"
#include "tests/unit/spice/loop_fixture.h"
#include "tests/unit/spice/server/ticket_client.h"

namespace spice::server {
namespace {

using test::on_loop;
using test::RawClient;
using wire::ChannelType;
using wire::LinkError;

wire::LinkMessage link_message(ChannelType type, std::uint32_t connection_id = 0, std::uint8_t id = 0) {
  wire::LinkMessage message;
  message.connection_id = connection_id;
  message.channel_type = type;
  message.channel_id = id;
  message.common_caps = {0xd};
  message.channel_caps = {0xf};
  return message;
}

// Serves a display on a thread of its own: answers each INIT with a MARK.
class FakeDisplay final : public channel::ChannelProvider {
 public:
  ~FakeDisplay() override {
    on_loop(worker_, [this] { channels_.reset(); });
  }
  wire::Capabilities capabilities() const override { return {wire::kMonitorsConfigCap}; }
  void accept(channel::LinkedConnection connection) override {
    worker_.loop().post([this, moved = std::move(connection)]() mutable {
      channels_->add(std::make_unique<Display>(worker_.loop(), std::move(moved)));
    });
  }

 private:
  class Display final : public channel::Channel {
   public:
    Display(core::Loop& loop, channel::LinkedConnection linked) : Channel(loop, std::move(linked)) {}

   private:
    std::span<const Handler> handlers() const override {
      static constexpr std::array kHandlers{channel::on<&Display::init>};
      return kHandlers;
    }
    void init(const wire::DisplayInit&) { send(wire::DisplayMark{}); }
  };

  core::Worker worker_{"display"};
  std::optional<channel::ChannelList<Display>> channels_{std::in_place};
};

class ServerTest : public testing::Test {
 protected:
  void serve(ServerConfig config = {}) {
    on_loop(worker_, [&] {
      auto made = Server::create(worker_.loop(), config, {guest_, guest_});
      ASSERT_TRUE(made.has_value()) << made.error().message;
      server_ = std::move(*made);
      server_->add_provider({ChannelType::Display, 0}, display_);
      server_->set_listener([this](ServerEvent event, const ChannelInfo& info) {
        const std::scoped_lock lock(mutex_);
        events_.emplace_back(event, info);
        ++counts_[static_cast<std::size_t>(event)];
        changed_.notify_all();
      });
      server_->start();
    });
  }
  void serve_with_password(std::string password) {
    ServerConfig config;
    config.addr = "127.0.0.1";
    config.password = std::move(password);
    config.failure_delay = {};
    serve(std::move(config));
  }
  ~ServerTest() override {
    on_loop(worker_, [this] { server_.reset(); });
  }

  RawClient connect() { return RawClient::connect(server_->port()); }

  // Up to the result; nullopt if the reply is not OK.
  std::optional<LinkError> link(RawClient& client, const wire::LinkMessage& message, const std::string& password = "") {
    client.send_link(message);
    const auto reply = client.receive_reply();
    if (!reply || reply->error != LinkError::Ok) return std::nullopt;
    client.send_plain(wire::AuthChoice{wire::AuthMechanism::Spice});
    client.send_plain(test::encrypt_ticket(reply->public_key, password));
    return client.receive_result();
  }
  // A linked main channel and its session's number.
  std::pair<RawClient, std::uint32_t> main_client(const std::string& password = "") {
    auto client = connect();
    EXPECT_EQ(link(client, link_message(ChannelType::Main), password), LinkError::Ok);
    const auto init = client.await<wire::MainInit>();
    return {std::move(client), init ? init->session_id : 0};
  }
  RawClient channel_client(ChannelType type, std::uint32_t session) {
    auto client = connect();
    EXPECT_EQ(link(client, link_message(type, session)), LinkError::Ok);
    return client;
  }

  void await_events(ServerEvent event, std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(60),
                                  [&] { return counts_[static_cast<std::size_t>(event)] >= count; }));
  }

  test::FakeInputs guest_;
  core::Worker worker_{"control"};
  FakeDisplay display_;  // tells the control loop when its clients are gone
  std::unique_ptr<Server> server_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<ServerEvent, ChannelInfo>> events_;
  std::array<std::size_t, 4> counts_{};
};

TEST_F(ServerTest, main_channel_introduces_the_machine) {
  ServerConfig config;
  config.name = "first light";
  serve(config);
  auto client = connect();
  ASSERT_EQ(link(client, link_message(ChannelType::Main)), LinkError::Ok);
  EXPECT_TRUE(client.await<wire::MainInit>().has_value());
  EXPECT_EQ(client.await<wire::MainName>()->name, "first light");
  EXPECT_TRUE(client.await<wire::MainUuid>().has_value());
  EXPECT_EQ(client.await<wire::Ping>()->padding.size(), 0U);
  EXPECT_EQ(client.await<wire::Ping>()->padding.size(), 0U);
  EXPECT_EQ(client.await<wire::Ping>()->padding.size(), 250U * 1024);
  client.send_message(wire::MainAttachChannels{});
  const auto list = client.await<wire::MainChannelsList>();
  ASSERT_EQ(list->channels.size(), 2U);
  EXPECT_EQ(list->channels[0].type, ChannelType::Display);
  EXPECT_EQ(list->channels[1].type, ChannelType::Inputs);
}

TEST_F(ServerTest, right_password) {
  serve_with_password("secret");
  auto client = connect();
  EXPECT_EQ(link(client, link_message(ChannelType::Main), "secret"), LinkError::Ok);
}

TEST_F(ServerTest, wrong_password) {
  serve_with_password("secret");
  for (const char* password : {"Secret", "", "secret "}) {
    auto client = connect();
    EXPECT_EQ(link(client, link_message(ChannelType::Main), password), LinkError::PermissionDenied);
    EXPECT_TRUE(client.ended());
  }
}

TEST_F(ServerTest, empty_password_refuses_everybody) {
  serve_with_password("");
  for (const char* password : {"", "x"}) {
    auto client = connect();
    EXPECT_EQ(link(client, link_message(ChannelType::Main), password), LinkError::PermissionDenied);
  }
}

TEST_F(ServerTest, ticket_must_be_one_even_where_none_is_wanted) {
  serve();
  auto client = connect();
  client.send_link(link_message(ChannelType::Main));
  ASSERT_TRUE(client.receive_reply().has_value());
  client.send_plain(wire::AuthChoice{wire::AuthMechanism::Spice});
  client.send_plain(wire::EncryptedTicket{});
  EXPECT_EQ(client.receive_result(), LinkError::PermissionDenied);
  EXPECT_TRUE(client.ended());
}

TEST_F(ServerTest, old_client_without_auth_selection_and_mini_headers) {
  serve();
  auto client = connect();
  auto message = link_message(ChannelType::Main);
  message.common_caps.clear();
  client.send_link(message);
  const auto reply = client.receive_reply();
  ASSERT_TRUE(reply.has_value());
  client.send_plain(test::encrypt_ticket(reply->public_key, ""));
  ASSERT_EQ(client.receive_result(), LinkError::Ok);
  const auto header = client.receive_plain<wire::FullHeader>(wire::FullHeader::kSize);
  EXPECT_EQ(header->serial, 1U);
  EXPECT_EQ(header->type, wire::MainInit::kType);
}

TEST_F(ServerTest, refusals_before_the_ticket_are_full_replies) {
  serve();
  struct Case {
    RawClient::Bytes bytes;
    LinkError error;
  };
  const auto header = [](std::uint32_t major, std::uint32_t size) {
    return wire::encode(wire::LinkHeader{.major_version = major, .size = size}).flatten();
  };
  const std::vector<Case> cases{
      {{'P', 'O', 'S', 'T', ' '}, LinkError::InvalidMagic},
      {header(1, 18), LinkError::VersionMismatch},
      {header(2, 17), LinkError::InvalidData},
      {header(2, 4097), LinkError::InvalidData},
  };
  for (const auto& [bytes, error] : cases) {
    auto client = connect();
    client.send(bytes);
    const auto reply = client.receive_reply();
    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(reply->error, error);
    EXPECT_TRUE(client.ended());
  }
}

TEST_F(ServerTest, sasl_is_answered_by_a_second_reply) {
  serve();
  auto client = connect();
  client.send_link(link_message(ChannelType::Main));
  EXPECT_EQ(client.receive_reply()->error, LinkError::Ok);
  client.send_plain(wire::AuthChoice{wire::AuthMechanism::Sasl});
  EXPECT_EQ(client.receive_reply()->error, LinkError::InvalidData);
  EXPECT_TRUE(client.ended());
}

TEST_F(ServerTest, refusals_after_the_ticket_are_words) {
  serve();
  const auto [main, session] = main_client();
  struct Case {
    wire::LinkMessage message;
    LinkError error;
  };
  const std::vector<Case> cases{
      {link_message(ChannelType::Main, 77), LinkError::BadConnectionId},
      {link_message(ChannelType::Inputs, 0), LinkError::BadConnectionId},
      {link_message(ChannelType::Inputs, session ^ 1), LinkError::BadConnectionId},
      {link_message(ChannelType::Playback, session), LinkError::ChannelNotAvailable},
      {link_message(ChannelType::Display, session, 1), LinkError::ChannelNotAvailable},
      {link_message(ChannelType{200}, session), LinkError::ChannelNotAvailable},
  };
  for (const auto& [message, error] : cases) {
    auto client = connect();
    EXPECT_EQ(link(client, message), error);
    EXPECT_TRUE(client.ended());
  }
}

TEST_F(ServerTest, channel_is_given_once_to_a_client) {
  serve();
  auto [main, session] = main_client();
  auto first = channel_client(ChannelType::Inputs, session);
  auto second = connect();
  EXPECT_EQ(link(second, link_message(ChannelType::Inputs, session)), LinkError::ChannelNotAvailable);
}

TEST_F(ServerTest, display_is_handed_over_with_what_the_client_already_sent) {
  serve();
  auto [main, session] = main_client();
  auto client = connect();
  client.send_link(link_message(ChannelType::Display, session));
  const auto reply = client.receive_reply();
  ASSERT_TRUE(reply.has_value());
  EXPECT_THAT(reply->channel_caps, testing::ElementsAre(2));
  auto eager = wire::encode(wire::AuthChoice{wire::AuthMechanism::Spice}).flatten();
  const auto ticket = wire::encode(test::encrypt_ticket(reply->public_key, "")).flatten();
  eager.insert(eager.end(), ticket.begin(), ticket.end());
  auto init = wire::encode(wire::DisplayInit{});
  init.prepend_header(wire::encode(wire::MiniHeader{wire::DisplayInit::kType, 14}).flatten());
  const auto message = init.flatten();
  eager.insert(eager.end(), message.begin(), message.end());
  client.send(eager);
  EXPECT_EQ(client.receive_result(), LinkError::Ok);
  EXPECT_TRUE(client.await<wire::DisplayMark>().has_value());
}

TEST_F(ServerTest, keys_arrive) {
  serve();
  auto [main, session] = main_client();
  auto inputs = channel_client(ChannelType::Inputs, session);
  inputs.send_message(wire::InputsKeyDown{0x1e});
  EXPECT_THAT(guest_.await(1), testing::ElementsAre("1e+"));
  EXPECT_EQ(main.await<wire::Notify>()->text, "keyboard channel is insecure");
}

TEST_F(ServerTest, end_of_main_ends_the_other_channels) {
  serve();
  auto [main, session] = main_client();
  auto inputs = channel_client(ChannelType::Inputs, session);
  auto display = channel_client(ChannelType::Display, session);
  main.close();
  while (inputs.receive_message()) {
  }
  while (display.receive_message()) {
  }
  await_events(ServerEvent::Disconnected, 3);
  EXPECT_TRUE(on_loop(worker_, [this] { return server_->snapshot(); }).channels.empty());
}

TEST_F(ServerTest, violation_ends_that_channel_and_no_other_client) {
  serve();
  auto [bad, bad_session] = main_client();
  auto [good, good_session] = main_client();
  bad.send_plain(wire::MiniHeader{wire::MainAttachChannels::kType, 0xffff'ffff});
  while (bad.receive_message()) {
  }
  good.send_message(wire::MainAttachChannels{});
  EXPECT_TRUE(good.await<wire::MainChannelsList>().has_value());
}

TEST_F(ServerTest, snapshot_and_events_name_the_ends) {
  serve();
  auto [main, session] = main_client();
  const auto status = on_loop(worker_, [this] { return server_->snapshot(); });
  EXPECT_EQ(status.auth, "none");
  EXPECT_EQ(status.mouse_mode, "server");
  ASSERT_FALSE(status.listens.empty());
  EXPECT_EQ(status.listens[0].host, "127.0.0.1");
  EXPECT_EQ(status.listens[0].port, std::to_string(server_->port()));
  ASSERT_EQ(status.channels.size(), 1U);
  EXPECT_EQ(status.channels[0].connection_id, session);
  EXPECT_EQ(status.channels[0].key, (wire::ChannelKey{ChannelType::Main, 0}));
  EXPECT_EQ(status.channels[0].client.host, "127.0.0.1");
  EXPECT_EQ(status.channels[0].client.family, "ipv4");
  EXPECT_FALSE(status.channels[0].tls);
  main.close();
  await_events(ServerEvent::Disconnected, 1);
  const std::scoped_lock lock(mutex_);
  ASSERT_EQ(events_.size(), 3U);
  EXPECT_EQ(events_[0].first, ServerEvent::Connected);
  EXPECT_EQ(events_[1].first, ServerEvent::Initialized);
  EXPECT_EQ(events_[2].first, ServerEvent::Disconnected);
  EXPECT_EQ(events_[2].second.connection_id, session);
}

TEST_F(ServerTest, flood_of_silent_connections_does_not_keep_a_client_out) {
  serve();
  std::deque<RawClient> silent;
  for (int i = 0; i < 200; ++i)
    silent.push_back(connect());
  main_client();
  // The oldest were closed to make room.
  EXPECT_TRUE(silent.front().ended());
}

TEST_F(ServerTest, silent_connection_is_closed) {
  ServerConfig config;
  config.link_timeout = std::chrono::milliseconds(20);
  serve(config);
  auto client = connect();
  EXPECT_TRUE(client.ended());
  await_events(ServerEvent::Disconnected, 1);
}

TEST_F(ServerTest, refused_connection_that_lingers_is_closed) {
  ServerConfig config;
  config.link_timeout = std::chrono::milliseconds(20);
  serve(config);
  auto client = connect();
  client.send(RawClient::Bytes{'n', 'o', 'p', 'e'});
  EXPECT_EQ(client.receive_reply()->error, LinkError::InvalidMagic);
  await_events(ServerEvent::Disconnected, 1);
}

TEST_F(ServerTest, busy_port_is_refused) {
  serve();
  ServerConfig config;
  config.port = server_->port();
  const auto second = on_loop(worker_, [&] { return Server::create(worker_.loop(), config, {guest_, guest_}); });
  ASSERT_FALSE(second.has_value());
  EXPECT_THAT(second.error().message, testing::HasSubstr("in use"));
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST_F(ServerTest, thousand_cycles_leave_no_descriptor_behind) {
  constexpr std::size_t kCycles = 1000;
  serve();
  const auto cycle = [this] {
    auto [main, session] = main_client();
    auto inputs = channel_client(ChannelType::Inputs, session);
    auto display = channel_client(ChannelType::Display, session);
  };
  cycle();  // loops open what they need for themselves
  await_events(ServerEvent::Disconnected, 3);
  const auto before = open_descriptors();
  for (std::size_t i = 0; i < kCycles; ++i)
    cycle();
  await_events(ServerEvent::Disconnected, 3 + 3 * kCycles);
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_TRUE(on_loop(worker_, [this] { return server_->snapshot(); }).channels.empty());
}

class PolicyTest : public ServerTest {
 protected:
  void serve_with(ClientPolicy policy) {
    ServerConfig config;
    config.addr = "127.0.0.1";
    config.password = "type";
    config.view_only_password = "watch";
    config.clients = policy;
    serve(std::move(config));
  }
  std::vector<ClientInfo> clients() {
    return on_loop(worker_, [this] { return server_->clients(); });
  }
  LinkError link_main(const std::string& password) {
    auto client = connect();
    const auto result = link(client, link_message(ChannelType::Main), password);
    kept_.push_back(std::move(client));
    return result.value_or(LinkError::Error);
  }
  core::Result<> set_password(const std::string& password, WhenConnected action) {
    return on_loop(worker_, [&] { return server_->set_password(password, action); });
  }

  std::deque<RawClient> kept_;
};

TEST_F(PolicyTest, share_keeps_all_and_hands_the_owner_on) {
  serve_with(ClientPolicy::Share);
  auto [first, first_id] = main_client("type");
  auto [second, second_id] = main_client("type");
  ASSERT_EQ(clients().size(), 2U);
  EXPECT_TRUE(clients()[0].owner);
  EXPECT_EQ(clients()[0].connection_id, first_id);
  first.close();
  await_events(ServerEvent::OwnerChanged, 1);
  EXPECT_EQ(events_.back().second.connection_id, second_id);
  ASSERT_EQ(clients().size(), 1U);
  EXPECT_TRUE(clients()[0].owner);
}

TEST_F(PolicyTest, takeover_ends_who_may_type) {
  serve_with(ClientPolicy::Takeover);
  auto [watcher, watcher_id] = main_client("watch");
  auto [first, first_id] = main_client("type");
  EXPECT_EQ(link_main("watch"), LinkError::Ok);  // ends nobody
  auto [second, second_id] = main_client("type");
  while (first.receive_message()) {
  }
  await_events(ServerEvent::Disconnected, 1);
  const auto left = clients();
  ASSERT_EQ(left.size(), 3U);
  EXPECT_EQ(left[0].connection_id, watcher_id);
  EXPECT_EQ(left[2].connection_id, second_id);
  EXPECT_TRUE(left[2].owner);
}

TEST_F(PolicyTest, refuse_is_an_error_until_the_first_has_gone) {
  serve_with(ClientPolicy::Refuse);
  auto [watcher, watcher_id] = main_client("watch");
  auto [first, first_id] = main_client("type");
  EXPECT_EQ(link_main("type"), LinkError::ChannelNotAvailable);
  EXPECT_EQ(link_main("watch"), LinkError::Ok);
  first.close();
  await_events(ServerEvent::Disconnected, 1);
  EXPECT_EQ(link_main("type"), LinkError::Ok);
}

TEST_F(PolicyTest, what_a_watcher_types_goes_nowhere) {
  serve_with(ClientPolicy::Share);
  auto [watcher, watcher_id] = main_client("watch");
  auto [first, first_id] = main_client("type");
  const auto inputs_of = [this](std::uint32_t session, const std::string& password) {
    auto client = connect();
    EXPECT_EQ(link(client, link_message(ChannelType::Inputs, session), password), LinkError::Ok);
    return client;
  };
  auto watching = inputs_of(watcher_id, "watch");
  auto typing = inputs_of(first_id, "type");
  for (int i = 0; i < 4; ++i)
    watching.send_message(wire::InputsMouseMotion{});
  watching.send_message(wire::InputsKeyDown{0x1e});
  EXPECT_TRUE(watching.await<wire::InputsMotionAck>().has_value());
  typing.send_message(wire::InputsKeyDown{0x30});
  EXPECT_THAT(guest_.await(1), testing::ElementsAre("30+"));
  auto intruder = connect();
  EXPECT_EQ(link(intruder, link_message(ChannelType::Display, first_id), "watch"), LinkError::BadConnectionId);
}

TEST_F(PolicyTest, new_password_with_clients_connected) {
  serve_with(ClientPolicy::Share);
  EXPECT_TRUE(set_password("one", WhenConnected::Fail).has_value());
  auto [client, id] = main_client("one");
  EXPECT_FALSE(set_password("two", WhenConnected::Fail).has_value());
  EXPECT_TRUE(set_password("two", WhenConnected::Keep).has_value());
  EXPECT_EQ(clients().size(), 1U);
  EXPECT_EQ(link_main("one"), LinkError::PermissionDenied);
  EXPECT_TRUE(set_password("three", WhenConnected::Disconnect).has_value());
  while (client.receive_message()) {
  }
  EXPECT_EQ(link_main("three"), LinkError::Ok);
  EXPECT_FALSE(set_password(std::string(61, 'x'), WhenConnected::Keep).has_value());
}

TEST_F(PolicyTest, expired_password) {
  serve_with(ClientPolicy::Share);
  const auto expire = [this](std::optional<Tickets::Time> at) {
    on_loop(worker_, [&] { EXPECT_TRUE(server_->expire_password(at).has_value()); });
  };
  expire(std::chrono::steady_clock::now() - std::chrono::seconds(1));
  EXPECT_EQ(link_main("type"), LinkError::PermissionDenied);
  expire(std::nullopt);
  EXPECT_EQ(link_main("type"), LinkError::Ok);
}

TEST_F(ServerTest, password_where_none_is_asked_for_is_an_error) {
  serve();
  on_loop(worker_, [this] {
    EXPECT_FALSE(server_->set_password("x", WhenConnected::Keep).has_value());
    EXPECT_FALSE(server_->expire_password(std::nullopt).has_value());
  });
}

TEST_F(PolicyTest, passed_descriptor_is_a_client) {
  serve_with(ClientPolicy::Share);
  const auto add = [this](core::Fd fd, bool skip_auth, bool tls = false) {
    return on_loop(worker_, [&] { return server_->add_client(std::move(fd), skip_auth, tls).has_value(); });
  };
  for (const bool skip_auth : {true, false}) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    RawClient client{core::Fd(ends[0])};
    EXPECT_TRUE(add(core::Fd(ends[1]), skip_auth));
    EXPECT_EQ(link(client, link_message(ChannelType::Main), "wrong"),
              skip_auth ? LinkError::Ok : LinkError::PermissionDenied);
    kept_.push_back(std::move(client));
  }
  EXPECT_FALSE(add(core::Fd(::dup(0)), true));
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const core::Fd other(ends[1]);
  EXPECT_FALSE(add(core::Fd(ends[0]), true, true));
}

}  // namespace
}  // namespace spice::server
