// Where the server listens: the rule that nobody listens to the outside by accident.
#include "spice/server/listen.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "spice/server/listener.h"

namespace spice::server {
namespace {

std::vector<std::string> hosts(const core::Result<ListenPlan>& plan) {
  std::vector<std::string> all;
  if (plan)
    for (const auto& address : plan->addresses)
      all.push_back(address.host);
  return all;
}

ServerConfig config_with(std::string addr) {
  ServerConfig config;
  config.port = 3001;
  config.addr = std::move(addr);
  return config;
}

TEST(ResolveListen, port_alone_is_loopback_without_ticket) {
  const auto plan = resolve_listen(config_with(""));
  EXPECT_THAT(hosts(plan), testing::ElementsAre("127.0.0.1", "::1"));
  EXPECT_FALSE(plan->wants_ticket);
  EXPECT_EQ(plan->port, 3001);
}

TEST(ResolveListen, password_alone_is_all_interfaces_with_ticket) {
  auto config = config_with("");
  config.password = "secret";
  const auto plan = resolve_listen(config);
  EXPECT_THAT(hosts(plan), testing::ElementsAre("0.0.0.0", "::"));
  EXPECT_TRUE(plan->wants_ticket);
}

TEST(ResolveListen, disable_ticketing_alone_is_all_interfaces_without_ticket) {
  auto config = config_with("");
  config.disable_ticketing = true;
  const auto plan = resolve_listen(config);
  EXPECT_THAT(hosts(plan), testing::ElementsAre("0.0.0.0", "::"));
  EXPECT_FALSE(plan->wants_ticket);
}

TEST(ResolveListen, disable_ticketing_wins_over_a_password) {
  auto config = config_with("");
  config.disable_ticketing = true;
  config.password = "secret";
  EXPECT_FALSE(resolve_listen(config)->wants_ticket);
}

TEST(ResolveListen, sasl_alone_is_all_interfaces_without_ticket) {
  auto config = config_with("");
  config.sasl = true;
  const auto plan = resolve_listen(config);
  EXPECT_THAT(hosts(plan), testing::ElementsAre("0.0.0.0", "::"));
  EXPECT_FALSE(plan->wants_ticket);
}

TEST(ResolveListen, loopback_address_needs_nothing) {
  EXPECT_THAT(hosts(resolve_listen(config_with("127.0.0.1"))), testing::ElementsAre("127.0.0.1"));
  EXPECT_THAT(hosts(resolve_listen(config_with("127.3.2.1"))), testing::ElementsAre("127.3.2.1"));
  EXPECT_THAT(hosts(resolve_listen(config_with("::1"))), testing::ElementsAre("::1"));
}

TEST(ResolveListen, outside_address_needs_one_of_them) {
  for (const char* addr : {"0.0.0.0", "192.0.2.7", "::", "2001:db8::1"}) {
    const auto plan = resolve_listen(config_with(addr));
    ASSERT_FALSE(plan.has_value()) << addr;
    EXPECT_THAT(plan.error().message, testing::HasSubstr("password"));
  }
}

TEST(ResolveListen, outside_address_with_one_of_them) {
  auto config = config_with("192.0.2.7");
  config.password = "";
  const auto plan = resolve_listen(config);
  EXPECT_THAT(hosts(plan), testing::ElementsAre("192.0.2.7"));
  EXPECT_TRUE(plan->wants_ticket);
}

TEST(ResolveListen, family_can_be_chosen) {
  auto config = config_with("");
  config.ipv4_only = true;
  EXPECT_THAT(hosts(resolve_listen(config)), testing::ElementsAre("127.0.0.1"));
  config.ipv4_only = false;
  config.ipv6_only = true;
  EXPECT_THAT(hosts(resolve_listen(config)), testing::ElementsAre("::1"));
  config.ipv4_only = true;
  EXPECT_FALSE(resolve_listen(config).has_value());
}

TEST(ResolveListen, view_only_password_needs_a_password) {
  auto config = config_with("");
  config.view_only_password = "watch";
  EXPECT_FALSE(resolve_listen(config).has_value());
  config.password = "type";
  EXPECT_TRUE(resolve_listen(config).has_value());
  config.view_only_password = std::string(61, 'x');
  EXPECT_FALSE(resolve_listen(config).has_value());
}

TEST(ResolveListen, long_password_is_refused) {
  auto config = config_with("");
  config.password = std::string(60, 'x');
  EXPECT_TRUE(resolve_listen(config).has_value());
  config.password->push_back('x');
  EXPECT_FALSE(resolve_listen(config).has_value());
}

TEST(ResolveListen, address_that_does_not_resolve_is_named) {
  const auto plan = resolve_listen(config_with("300.1.2.3.example.invalid"));
  ASSERT_FALSE(plan.has_value());
  EXPECT_THAT(plan.error().message, testing::HasSubstr("300.1.2.3.example.invalid"));
}

TEST(OpenListener, busy_port_is_one_clear_line) {
  const auto first = open_listener({"127.0.0.1", false, false}, 0);
  ASSERT_TRUE(first.has_value());
  const auto port = port_of(*first);
  EXPECT_NE(port, 0);
  const auto second = open_listener({"127.0.0.1", false, false}, port);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().message, fmt::format("spice: port {} on 127.0.0.1 is in use by another program; choose "
                                                "another port",
                                                port));
}

std::string congestion_control(int fd) {
  std::array<char, 16> name{};
  socklen_t size = name.size();
  return ::getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name.data(), &size) == 0 ? name.data() : "";
}

TEST(OpenListener, what_is_sent_within_the_machine_is_not_paced) {
  const core::Fd plain(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  for (const auto& address : {ListenAddress{"127.0.0.1", false, false}, ListenAddress{"::1", true, true}}) {
    const auto local = open_listener(address, 0);
    ASSERT_TRUE(local.has_value());
    if (!local->valid()) continue;  // a host without IPv6
    EXPECT_EQ(congestion_control(local->get()), "reno") << address.host;
  }
  const auto outside = open_listener({"0.0.0.0", false, false}, 0);
  ASSERT_TRUE(outside.has_value());
  EXPECT_EQ(congestion_control(outside->get()), congestion_control(plain.get()));
}

TEST(OpenListener, foreign_address_fails_unless_it_may_be_missing) {
  EXPECT_FALSE(open_listener({"192.0.2.7", false, false}, 0).has_value());
  const auto missing = open_listener({"192.0.2.7", false, true}, 0);
  ASSERT_TRUE(missing.has_value());
  EXPECT_FALSE(missing->valid());
}

}  // namespace
}  // namespace spice::server
