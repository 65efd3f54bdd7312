// The small state machines: scancodes, lock lights, the measurement of a line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <initializer_list>
#include <vector>

#include "spice/channel/key_codes.h"
#include "spice/channel/key_repeat.h"
#include "spice/channel/linked_connection.h"
#include "spice/channel/lip_sync.h"
#include "spice/channel/lock_sync.h"
#include "spice/channel/net_test.h"

namespace spice::channel {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Key = ScancodeReader::KeyEvent;

std::vector<Key> keys_of(std::initializer_list<std::uint8_t> bytes) {
  ScancodeReader reader;
  std::vector<Key> keys;
  for (const auto byte : bytes)
    if (const auto key = reader.feed(byte)) keys.push_back(*key);
  return keys;
}

TEST(ScancodeReader, plain_keys) {
  EXPECT_THAT(keys_of({0x1e, 0x9e}), testing::ElementsAre(Key{0x1e, true}, Key{0x1e, false}));
}

TEST(ScancodeReader, extended_keys) {
  EXPECT_THAT(keys_of({0xe0, 0x53, 0xe0, 0xd3}), testing::ElementsAre(Key{0xe053, true}, Key{0xe053, false}));
}

TEST(ScancodeReader, pause) {
  EXPECT_THAT(keys_of({0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5}),
              testing::ElementsAre(Key{core::kPauseKey, true}, Key{core::kPauseKey, false}));
}

TEST(ScancodeReader, nonsense_gives_no_keys) {
  EXPECT_THAT(keys_of({0x00, 0x80, 0xe0, 0x00, 0xe0, 0x80}), testing::IsEmpty());
}

TEST(LockSync, types_the_keys_whose_lights_differ) {
  LockSync sync;
  EXPECT_EQ(sync.to_type(core::kCapsLed | core::kNumLed, core::kNumLed, 0, seconds(1)), core::kCapsLed);
  EXPECT_EQ(sync.to_type(0, core::kNumLed, 0, seconds(1)), core::kNumLed);
  EXPECT_EQ(sync.to_type(0xff, 7, 0, seconds(1)), 0);
}

TEST(LockSync, leaves_held_keys_alone) {
  LockSync sync;
  EXPECT_EQ(sync.to_type(core::kCapsLed, 0, core::kCapsLed, seconds(1)), 0);
}

TEST(LockSync, slow_guest_does_not_get_the_key_twice) {
  LockSync sync;
  sync.typed(core::kCapsLed, 0, seconds(1));
  EXPECT_EQ(sync.to_type(core::kCapsLed, 0, 0, seconds(2)), 0);
  EXPECT_EQ(sync.to_type(0, 0, 0, seconds(2)), core::kCapsLed);
}

TEST(LockSync, lights_count_again_when_the_guest_had_its_time) {
  LockSync sync;
  sync.typed(core::kCapsLed, 0, seconds(1));
  EXPECT_EQ(sync.to_type(core::kCapsLed, 0, 0, seconds(3)), core::kCapsLed);
}

TEST(LockSync, lights_count_again_when_they_are_as_expected) {
  LockSync sync;
  sync.typed(core::kCapsLed, 0, seconds(1));
  sync.lights_changed(core::kCapsLed);
  EXPECT_EQ(sync.to_type(core::kCapsLed, core::kCapsLed, 0, seconds(1)), 0);
}

TEST(NetTest, rate_is_what_the_large_ping_takes_longer) {
  NetTest test;
  EXPECT_EQ(test.ping(1, seconds(1)).padding.size(), 0U);
  EXPECT_EQ(test.ping(2, seconds(1)).padding.size(), 0U);
  EXPECT_EQ(test.ping(3, seconds(1)).padding.size(), NetTest::kRateBytes);
  EXPECT_TRUE(test.pong({1, 0}, seconds(1) + milliseconds(50)));
  EXPECT_TRUE(test.pong({2, 0}, seconds(1) + milliseconds(20)));
  EXPECT_FALSE(test.finished());
  EXPECT_TRUE(test.pong({3, 0}, seconds(1) + milliseconds(1020)));
  EXPECT_TRUE(test.finished());
  EXPECT_EQ(test.bit_rate(), NetTest::kRateBytes * 8);
}

TEST(NetTest, line_too_fast_to_measure_has_no_rate) {
  NetTest test;
  for (std::uint32_t id = 1; id <= 3; ++id)
    static_cast<void>(test.ping(id, seconds(1)));
  for (std::uint32_t id = 1; id <= 3; ++id)
    EXPECT_TRUE(test.pong({id, 0}, seconds(1) + milliseconds(5)));
  EXPECT_EQ(test.bit_rate(), 0U);
}

TEST(NetTest, pongs_out_of_order_are_not_ours) {
  NetTest test;
  EXPECT_FALSE(test.pong({2, 0}, seconds(1)));
  EXPECT_FALSE(test.pong({0, 0}, seconds(1)));
}

TEST(LipSync, clock_falls_behind_as_video_needs_it_and_never_catches_up) {
  using Tell = LipSync::Tell;
  LipSync sync;
  EXPECT_EQ(sync.latency_ms(), 400U);
  EXPECT_EQ(sync.video_needs(400), Tell::Nothing);
  EXPECT_EQ(sync.video_needs(900), Tell::MediaTime);
  EXPECT_EQ(sync.video_needs(500), Tell::Nothing);
  EXPECT_EQ(sync.latency_ms(), 900U);
}

TEST(LipSync, sound_is_the_clock_while_it_plays) {
  using Tell = LipSync::Tell;
  LipSync sync;
  sync.video_needs(900);
  sync.sound_starts();
  EXPECT_EQ(sync.video_needs(1000), Tell::PlaybackLatency);
  EXPECT_EQ(sync.video_needs(300), Tell::PlaybackLatency);
  EXPECT_EQ(sync.latency_ms(), 900U);
  EXPECT_EQ(sync.sound_stops(), Tell::MediaTime);
  EXPECT_EQ(sync.latency_ms(), 400U);
}

TEST(SessionInfo, longest_delay_since_it_was_asked_for) {
  SessionInfo session(1);
  session.need_video_delay(5);  // nobody listens
  int rings = 0;
  session.set_video_delay_listener([&rings] { ++rings; });
  session.need_video_delay(700);
  session.need_video_delay(300);
  EXPECT_EQ(rings, 2);
  EXPECT_EQ(session.take_video_delay(), 700U);
  EXPECT_EQ(session.take_video_delay(), 0U);
}

TEST(KeyRepeat, what_arrives_at_once_is_one) {
  using namespace std::chrono_literals;
  KeyRepeat repeat;
  repeat.pressed(1s);
  EXPECT_FALSE(repeat.passes(1s));
  EXPECT_FALSE(repeat.passes(1s + 9ms));
  EXPECT_TRUE(repeat.passes(1s + 30ms));
  EXPECT_FALSE(repeat.passes(1s + 30ms));
  EXPECT_TRUE(repeat.passes(1s + 60ms));
}

}  // namespace
}  // namespace spice::channel
