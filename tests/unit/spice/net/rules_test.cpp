// The small state machines: ack window, liveness, latency probe, transport stack, tether.
#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "spice/net/ack_window.h"
#include "spice/net/latency_probe.h"
#include "spice/net/liveness.h"
#include "spice/net/tether.h"
#include "spice/net/transport.h"

namespace spice::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(AckWindow, without_a_window_is_always_open) {
  AckWindow window;
  for (int i = 0; i < 1000; ++i)
    window.sent();
  EXPECT_TRUE(window.open());
}

TEST(AckWindow, closes_behind_two_windows) {
  AckWindow window;
  const auto start = window.start(20);
  EXPECT_EQ(start.generation, 1U);
  EXPECT_EQ(start.window, 20U);
  unsigned sent = 0;
  for (; window.open(); ++sent)
    window.sent();
  EXPECT_EQ(sent, 41U);
}

TEST(AckWindow, ack_opens_it_by_one_window) {
  AckWindow window;
  static_cast<void>(window.start(20));
  window.synchronized(1);
  while (window.open())
    window.sent();
  window.acknowledged();
  EXPECT_TRUE(window.open());
  EXPECT_EQ(window.unacknowledged(), 21U);
}

TEST(AckWindow, acks_of_another_generation_mean_nothing) {
  AckWindow window;
  static_cast<void>(window.start(20));
  window.sent();
  window.acknowledged();  // not synchronized yet
  EXPECT_EQ(window.unacknowledged(), 1U);
  window.synchronized(7);
  window.acknowledged();
  EXPECT_EQ(window.unacknowledged(), 1U);
}

TEST(AckWindow, superfluous_acks_do_not_wrap) {
  AckWindow window;
  static_cast<void>(window.start(20));
  window.synchronized(1);
  window.sent();
  window.acknowledged();
  window.acknowledged();
  EXPECT_EQ(window.unacknowledged(), 0U);
}

TEST(Liveness, nothing_is_due_while_nothing_is_awaited) {
  Liveness liveness;
  EXPECT_EQ(liveness.deadline(), std::nullopt);
  liveness.waiting(true, seconds(5));
  liveness.waiting(false, seconds(6));
  EXPECT_EQ(liveness.deadline(), std::nullopt);
}

TEST(Liveness, silence_counts_from_the_beginning_of_the_wait) {
  Liveness liveness;
  liveness.sign_of_life(seconds(1));
  liveness.waiting(true, seconds(5));
  liveness.waiting(true, seconds(9));
  EXPECT_EQ(liveness.deadline(), seconds(35));
}

TEST(Liveness, sign_of_life_puts_it_off) {
  Liveness liveness;
  liveness.waiting(true, seconds(5));
  liveness.sign_of_life(seconds(20));
  EXPECT_EQ(liveness.deadline(), seconds(50));
}

TEST(LatencyProbe, waits_for_an_idle_time) {
  LatencyProbe probe(0x1000, seconds(15));
  probe.busy(seconds(1));
  EXPECT_EQ(probe.next(), seconds(1) + milliseconds(100));
  EXPECT_FALSE(probe.due(seconds(1) + milliseconds(99)));
  EXPECT_TRUE(probe.due(seconds(1) + milliseconds(100)));
}

TEST(LatencyProbe, second_pong_measures) {
  LatencyProbe probe(0x1000, seconds(15));
  ASSERT_TRUE(probe.due(seconds(1)));
  const auto first = probe.ping(seconds(1));
  const auto second = probe.ping(seconds(1));
  EXPECT_EQ(first.id, 0x1000U);
  EXPECT_EQ(probe.next(), std::nullopt);
  EXPECT_TRUE(probe.pong({first.id, first.stamp}, seconds(1) + milliseconds(90)));
  EXPECT_EQ(probe.round_trip(), std::nullopt);
  EXPECT_TRUE(probe.pong({second.id, second.stamp}, seconds(1) + milliseconds(30)));
  EXPECT_EQ(probe.round_trip(), milliseconds(30));
  EXPECT_EQ(probe.next(), seconds(16) + milliseconds(30));
}

TEST(LatencyProbe, foreign_and_superfluous_pongs_are_not_ours) {
  LatencyProbe probe(0x1000, seconds(15));
  EXPECT_FALSE(probe.pong({0x1000, 0}, seconds(1)));
  ASSERT_TRUE(probe.due(seconds(1)));
  EXPECT_FALSE(probe.pong({0x1001, 0}, seconds(1)));
}

TEST(LatencyProbe, invented_stamps_do_no_harm) {
  LatencyProbe probe(0x1000, seconds(15));
  ASSERT_TRUE(probe.due(seconds(1)));
  EXPECT_TRUE(probe.pong({0x1000, 0}, seconds(2)));
  EXPECT_TRUE(probe.pong({0x1000, ~std::uint64_t{0} >> 1}, seconds(2)));  // the future
  EXPECT_EQ(probe.round_trip(), std::nullopt);
  ASSERT_TRUE(probe.due(seconds(20)));
  EXPECT_TRUE(probe.pong({0x1000, 0}, seconds(20)));
  EXPECT_TRUE(probe.pong({0x1000, std::uint64_t{1} << 63}, seconds(20)));  // negative
  EXPECT_EQ(probe.round_trip(), seconds(20));
}

// Puts a byte before each run of bytes and flips all of them; a zero is a violation.
class Flip final : public Layer {
 public:
  explicit Flip(std::uint8_t key) : key_(key) {}
  bool receive(std::span<const std::uint8_t> bytes, Bytes& up, Bytes& down) override {
    for (const auto byte : bytes) {
      if (byte == 0) return false;
      if (byte == 0xaa) down.push_back(0xbb);
      up.push_back(byte ^ key_);
    }
    return true;
  }
  void send(std::span<const std::uint8_t> bytes, Bytes& down) override {
    for (const auto byte : bytes)
      down.push_back(byte ^ key_);
  }
  bool encrypts() const override { return key_ == 0x0f; }

 private:
  std::uint8_t key_;
};

TEST(Transport, layers_apply_in_order) {
  Transport transport;
  EXPECT_TRUE(transport.plain());
  transport.push(std::make_unique<Flip>(0xf0));
  EXPECT_FALSE(transport.encrypted());
  transport.push(std::make_unique<Flip>(0x0f));
  EXPECT_TRUE(transport.encrypted());
  Bytes down;
  transport.send(Bytes{0x12, 0x34}, down);
  EXPECT_THAT(down, testing::ElementsAre(0xed, 0xcb));
  Bytes up;
  Bytes answers;
  EXPECT_TRUE(transport.receive(down, up, answers));
  EXPECT_THAT(up, testing::ElementsAre(0x12, 0x34));
  EXPECT_TRUE(answers.empty());
}

TEST(Transport, answers_of_a_layer_go_through_those_below) {
  Transport transport;
  transport.push(std::make_unique<Flip>(0xf0));
  transport.push(std::make_unique<Flip>(0x0f));
  Bytes up;
  Bytes answers;
  EXPECT_TRUE(transport.receive(Bytes{0xaa ^ 0xf0}, up, answers));
  EXPECT_THAT(answers, testing::ElementsAre(0xbb ^ 0xf0));
}

TEST(Transport, violation_of_a_layer_is_reported) {
  Transport transport;
  transport.push(std::make_unique<Flip>(0xf0));
  Bytes up;
  Bytes answers;
  EXPECT_FALSE(transport.receive(Bytes{1, 0}, up, answers));
}

TEST(Tether, tells_once_that_the_connection_is_gone) {
  int gone = 0;
  Tether tether([&gone] { ++gone; });
  tether.attach(-1);
  tether.release();
  EXPECT_EQ(gone, 0);
  tether.tell_gone();
  tether.tell_gone();
  tether.cut();
  EXPECT_EQ(gone, 1);
}

}  // namespace
}  // namespace spice::net
