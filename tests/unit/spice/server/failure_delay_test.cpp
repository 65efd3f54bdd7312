#include "spice/server/failure_delay.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace spice::server {
namespace {

using namespace std::chrono_literals;

TEST(FailureDelay, grows_with_each_failure_up_to_a_limit) {
  FailureDelay delay(1s);
  EXPECT_EQ(delay.delay("192.0.2.1", 100s), 0s);
  for (const auto wanted : {1s, 2s, 3s, 4s, 5s, 5s, 5s}) {
    delay.failed("192.0.2.1", 100s);
    EXPECT_EQ(delay.delay("192.0.2.1", 100s), wanted);
  }
}

TEST(FailureDelay, others_do_not_wait) {
  FailureDelay delay(1s);
  delay.failed("192.0.2.1", 100s);
  EXPECT_EQ(delay.delay("192.0.2.2", 100s), 0s);
  EXPECT_EQ(delay.delay("", 100s), 0s);
}

TEST(FailureDelay, success_and_time_forgive) {
  FailureDelay delay(1s);
  delay.failed("192.0.2.1", 100s);
  delay.succeeded("192.0.2.1");
  EXPECT_EQ(delay.delay("192.0.2.1", 100s), 0s);
  delay.failed("192.0.2.1", 100s);
  delay.failed("192.0.2.1", 101s);
  EXPECT_EQ(delay.delay("192.0.2.1", 160s), 2s);
  EXPECT_EQ(delay.delay("192.0.2.1", 161s), 0s);
  delay.failed("192.0.2.1", 161s);
  EXPECT_EQ(delay.delay("192.0.2.1", 161s), 1s);
}

TEST(FailureDelay, network_of_ipv6_is_one_place) {
  FailureDelay delay(1s);
  delay.failed("2001:db8:1:2::1", 100s);
  EXPECT_EQ(delay.delay("2001:db8:1:2:ffff::", 100s), 1s);
  EXPECT_EQ(delay.delay("2001:db8:1:3::1", 100s), 0s);
}

TEST(FailureDelay, remembers_so_many_and_forgets_the_oldest) {
  FailureDelay delay(1s);
  for (std::size_t i = 0; i <= FailureDelay::kMaxAddresses; ++i)
    delay.failed(fmt::format("host {}", i), std::chrono::milliseconds(i));
  EXPECT_EQ(delay.delay("host 0", 2s), 0s);
  EXPECT_EQ(delay.delay("host 1", 2s), 1s);
  EXPECT_EQ(delay.delay(fmt::format("host {}", FailureDelay::kMaxAddresses), 2s), 1s);
}

}  // namespace
}  // namespace spice::server
