// What a server listens on: TLS, Unix sockets, sockets it was given; and which channel may use which.
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "core/base/unix_socket.h"
#include "spice/server/server.h"
#include "spice/wire/main.h"
#include "tests/unit/spice/fake_inputs.h"
#include "tests/unit/spice/loop_fixture.h"
#include "tests/unit/spice/server/ticket_client.h"
#include "tests/unit/spice/tls_tunnel.h"

namespace spice::server {
namespace {

using test::Certificates;
using test::on_loop;
using test::RawClient;
using test::TlsTunnel;
using testing::HasSubstr;
using wire::ChannelType;
using wire::LinkError;

std::string path_for(const char* name) {
  return (std::filesystem::temp_directory_path() / fmt::format("minivmm-{}-{}", name, ::getpid())).string();
}

RawClient connect_unix(const std::string& path) {
  core::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(path, address.sun_path);
  if (path.starts_with('@')) address.sun_path[0] = '\0';
  const auto size = offsetof(sockaddr_un, sun_path) + path.size() + (path.starts_with('@') ? 0 : 1);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size)) != 0) fd.close();
  return RawClient(std::move(fd));
}

core::Fd listening_socket(std::uint32_t address) {
  core::Fd fd(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(address);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  EXPECT_EQ(::listen(fd.get(), 1), 0);
  return fd;
}

class TransportsTest : public testing::Test {
 protected:
  static ServerConfig tls_config() {
    ServerConfig config;
    config.tls_port = 0;
    config.tls = Certificates::shared().config();
    return config;
  }
  // The error, or nothing.
  std::string serve(const ServerConfig& config) {
    return on_loop(worker_, [&]() -> std::string {
      auto made = Server::create(worker_.loop(), config, {guest_, guest_});
      if (!made) return made.error().message;
      server_ = std::move(*made);
      server_->start();
      return "";
    });
  }
  ~TransportsTest() override { stop(); }
  void stop() {
    on_loop(worker_, [this] { server_.reset(); });
  }

  static LinkError link(RawClient& client, ChannelType type, std::uint32_t session = 0) {
    wire::LinkMessage message;
    message.connection_id = session;
    message.channel_type = type;
    message.common_caps = {0xd};
    client.send_link(message);
    const auto reply = client.receive_reply();
    if (!reply || reply->error != LinkError::Ok) return reply ? reply->error : LinkError::Error;
    client.send_plain(wire::AuthChoice{wire::AuthMechanism::Spice});
    client.send_plain(test::encrypt_ticket(reply->public_key, ""));
    return client.receive_result().value_or(LinkError::Error);
  }

  test::FakeInputs guest_;
  core::Worker worker_{"control"};
  std::unique_ptr<Server> server_;
};

TEST_F(TransportsTest, both_ports_serve_one_session) {
  ASSERT_EQ(serve(tls_config()), "");
  EXPECT_NE(server_->port(), 0);
  EXPECT_NE(server_->tls_port(), 0);
  TlsTunnel main(server_->tls_port());
  ASSERT_EQ(link(main.client(), ChannelType::Main), LinkError::Ok);
  const auto init = main.client().await<wire::MainInit>();
  ASSERT_TRUE(init.has_value());
  auto inputs = RawClient::connect(server_->port());
  EXPECT_EQ(link(inputs, ChannelType::Inputs, init->session_id), LinkError::Ok);
  const auto status = on_loop(worker_, [this] { return server_->snapshot(); });
  EXPECT_EQ(status.tls_port, server_->tls_port());
  ASSERT_EQ(status.channels.size(), 2U);
  EXPECT_TRUE(status.channels[0].tls);
  EXPECT_FALSE(status.channels[1].tls);
}

TEST_F(TransportsTest, tls_port_alone) {
  auto config = tls_config();
  config.port = std::nullopt;
  ASSERT_EQ(serve(config), "");
  EXPECT_EQ(server_->port(), 0);
  TlsTunnel main(server_->tls_port());
  EXPECT_EQ(link(main.client(), ChannelType::Main), LinkError::Ok);
  auto plain = RawClient::connect(server_->tls_port());
  plain.send_link({});
  const auto answer = plain.receive(4096);  // an alert at most
  EXPECT_LT(answer.size(), 32U);
}

TEST_F(TransportsTest, silent_tls_client_is_dropped) {
  auto config = tls_config();
  config.max_half_open = 1;
  ASSERT_EQ(serve(config), "");
  auto silent = RawClient::connect(server_->tls_port());
  silent.send(std::array<std::uint8_t, 3>{0x16, 0x03, 0x01});
  TlsTunnel main(server_->tls_port());
  EXPECT_EQ(link(main.client(), ChannelType::Main), LinkError::Ok);
  EXPECT_TRUE(silent.ended());
}

TEST_F(TransportsTest, policies_of_channels) {
  auto config = tls_config();
  config.channel_security = {{ChannelType::Main, Security::Tls}, {ChannelType::Inputs, Security::Plain}};
  ASSERT_EQ(serve(config), "");
  auto plain_main = RawClient::connect(server_->port());
  EXPECT_EQ(link(plain_main, ChannelType::Main), LinkError::NeedSecured);
  TlsTunnel main(server_->tls_port());
  ASSERT_EQ(link(main.client(), ChannelType::Main), LinkError::Ok);
  const auto init = main.client().await<wire::MainInit>();
  ASSERT_TRUE(init.has_value());
  TlsTunnel tls_inputs(server_->tls_port());
  EXPECT_EQ(link(tls_inputs.client(), ChannelType::Inputs, init->session_id), LinkError::NeedUnsecured);
  auto inputs = RawClient::connect(server_->port());
  EXPECT_EQ(link(inputs, ChannelType::Inputs, init->session_id), LinkError::Ok);
}

TEST_F(TransportsTest, default_policy_is_for_channels_without_their_own) {
  auto config = tls_config();
  config.default_security = Security::Tls;
  config.channel_security = {{ChannelType::Main, Security::Plain}};
  ASSERT_EQ(serve(config), "");
  auto main = RawClient::connect(server_->port());
  ASSERT_EQ(link(main, ChannelType::Main), LinkError::Ok);
  auto inputs = RawClient::connect(server_->port());
  EXPECT_EQ(link(inputs, ChannelType::Inputs, main.await<wire::MainInit>()->session_id), LinkError::NeedSecured);
}

TEST_F(TransportsTest, unix_socket_is_ours_alone_and_goes) {
  ServerConfig config;
  config.port = std::nullopt;
  config.unix_path = path_for("socket");
  ASSERT_EQ(serve(config), "");
  struct stat file{};
  ASSERT_EQ(::lstat(config.unix_path.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 07777U, 0600U);
  auto main = connect_unix(config.unix_path);
  EXPECT_EQ(link(main, ChannelType::Main), LinkError::Ok);
  const auto status = on_loop(worker_, [this] { return server_->snapshot(); });
  EXPECT_EQ(status.listens.at(0).host, config.unix_path);
  EXPECT_EQ(status.port, 0);
  stop();
  EXPECT_FALSE(std::filesystem::exists(config.unix_path));
}

TEST_F(TransportsTest, unix_socket_of_the_living_is_refused_and_of_the_dead_replaced) {
  ServerConfig config;
  config.port = std::nullopt;
  config.unix_path = path_for("socket");
  {
    auto listener = core::UnixListener::open(config.unix_path, {});
    ASSERT_TRUE(listener.has_value());
    EXPECT_THAT(serve(config), HasSubstr("spice: cannot listen at " + config.unix_path + ": another process does"));
    // As a killed process leaves it: closed, but there.
    auto fd = listener->take_fd();
    fd.close();
    EXPECT_EQ(serve(config), "");
  }
  // The first does not remove what has become the second's.
  auto main = connect_unix(config.unix_path);
  EXPECT_EQ(link(main, ChannelType::Main), LinkError::Ok);
}

TEST_F(TransportsTest, file_that_is_no_socket_is_left_alone) {
  ServerConfig config;
  config.port = std::nullopt;
  config.unix_path = Certificates::shared().file(kCaCertificateFile);
  EXPECT_THAT(serve(config), HasSubstr("it exists and is not a socket"));
  EXPECT_TRUE(std::filesystem::exists(config.unix_path));
  config.unix_path = std::string(200, 'x');
  EXPECT_THAT(serve(config), HasSubstr("must have 1 to 107 bytes"));
  config.unix_path = "/nonexistent/socket";
  EXPECT_THAT(serve(config), HasSubstr("/nonexistent/socket"));
}

TEST_F(TransportsTest, abstract_socket) {
  ServerConfig config;
  config.port = std::nullopt;
  config.unix_path = fmt::format("@minivmm-test-{}", ::getpid());
  ASSERT_EQ(serve(config), "");
  auto main = connect_unix(config.unix_path);
  EXPECT_EQ(link(main, ChannelType::Main), LinkError::Ok);
  EXPECT_EQ(on_loop(worker_, [this] { return server_->snapshot(); }).listens.at(0).host, config.unix_path);
}

TEST_F(TransportsTest, given_sockets) {
  auto plain = listening_socket(INADDR_LOOPBACK);
  auto tls = listening_socket(INADDR_LOOPBACK);
  auto config = tls_config();
  config.port = std::nullopt;
  config.tls_port = std::nullopt;
  config.listen_fd = plain.release();
  config.tls_listen_fd = tls.release();
  ASSERT_EQ(serve(config), "");
  auto main = RawClient::connect(server_->port());
  EXPECT_EQ(link(main, ChannelType::Main), LinkError::Ok);
  TlsTunnel other(server_->tls_port());
  EXPECT_EQ(link(other.client(), ChannelType::Main), LinkError::Ok);
}

TEST_F(TransportsTest, given_socket_follows_the_rule_of_addresses) {
  ServerConfig config;
  config.port = std::nullopt;
  config.listen_fd = listening_socket(INADDR_ANY).release();
  EXPECT_THAT(serve(config), HasSubstr("password"));
  config.listen_fd = listening_socket(INADDR_ANY).release();
  config.disable_ticketing = true;
  EXPECT_EQ(serve(config), "");
}

TEST_F(TransportsTest, descriptor_that_does_not_listen_is_refused) {
  ServerConfig config;
  config.port = std::nullopt;
  config.listen_fd = 1000;
  EXPECT_THAT(serve(config), HasSubstr("descriptor 1000"));
  const core::Fd unused(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  config.listen_fd = unused.get();
  EXPECT_THAT(serve(config), HasSubstr("does not listen"));
}

TEST_F(TransportsTest, address_whose_ticket_failed_waits_and_may_not_talk_meanwhile) {
  ServerConfig config;
  config.addr = "127.0.0.1";
  config.password = "secret";
  config.failure_delay = std::chrono::hours(1);
  config.link_timeout = std::chrono::hours(24);
  ASSERT_EQ(serve(config), "");
  auto wrong = RawClient::connect(server_->port());
  EXPECT_EQ(link(wrong, ChannelType::Main), LinkError::PermissionDenied);
  auto next = RawClient::connect(server_->port());
  next.send(RawClient::Bytes(100'000));
  EXPECT_TRUE(next.ended());  // without a word: a refusal would be one
}

TEST_F(TransportsTest, guesses_that_come_together_are_not_answered_together) {
  ServerConfig config;
  config.addr = "127.0.0.1";
  config.password = "secret";
  config.failure_delay = std::chrono::hours(1);
  config.link_timeout = std::chrono::hours(24);
  ASSERT_EQ(serve(config), "");
  auto wrong = RawClient::connect(server_->port());
  auto other = RawClient::connect(server_->port());
  wire::LinkMessage message;
  message.common_caps = {0xd};
  other.send_link(message);
  EXPECT_TRUE(other.receive_reply().has_value());
  EXPECT_EQ(link(wrong, ChannelType::Main), LinkError::PermissionDenied);
  other.send(RawClient::Bytes(100'000));  // a wrong ticket, too
  EXPECT_TRUE(other.ended());             // without a word
}

TEST_F(TransportsTest, address_whose_ticket_failed_is_answered_later) {
  ServerConfig config;
  config.addr = "127.0.0.1";
  config.password = "secret";
  config.failure_delay = std::chrono::milliseconds(1);
  ASSERT_EQ(serve(config), "");
  for (int i = 0; i < 3; ++i) {
    auto wrong = RawClient::connect(server_->port());
    EXPECT_EQ(link(wrong, ChannelType::Main), LinkError::PermissionDenied);
  }
}

TEST_F(TransportsTest, nothing_to_listen_on) {
  ServerConfig config;
  config.port = std::nullopt;
  EXPECT_THAT(serve(config), HasSubstr("give a port"));
  config.tls_port = 0;
  EXPECT_THAT(serve(config), HasSubstr("certificate"));
}

}  // namespace
}  // namespace spice::server
