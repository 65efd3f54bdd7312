#include <gtest/gtest.h>

#include "devices/platform/debug_exit.h"
#include "devices/platform/debugcon.h"
#include "devices/platform/post_port.h"
#include "tests/device/fake_char_stream.h"
#include "tests/device/fake_wiring.h"
#include "tests/state/state_law.h"

namespace {

struct DebugconRig {
  tests::FakeBus io;
  tests::FakeCharStream stream;
  devices::platform::Debugcon device{{}, {stream}};
  DebugconRig() { EXPECT_TRUE(device.attach(io.space)); }
  void scribble() { io.out8(0x402, 'x'); }
};

class Debugcon : public testing::Test, protected DebugconRig {};

TEST_F(Debugcon, reading_tells_that_it_is_there) {
  EXPECT_EQ(io.in8(0x402), 0xe9);
}

TEST_F(Debugcon, bytes_reach_the_stream) {
  io.out8(0x402, 'o');
  io.out8(0x402, 'k');
  EXPECT_EQ(stream.sent, "ok");
}

TEST_F(Debugcon, string_is_one_write) {
  const std::string text = "SeaBIOS\n";
  io.space.write_string(0x402, 1, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  EXPECT_EQ(stream.sent, text);
}

TEST_F(Debugcon, word_string_sends_its_low_bytes) {
  const std::uint8_t words[] = {'a', 0, 'b', 0};
  io.space.write_string(0x402, 2, words);
  EXPECT_EQ(stream.sent, "ab");
}

TEST_F(Debugcon, other_port_as_configured) {
  devices::platform::Debugcon other({.port = 0xe9}, {stream});
  ASSERT_TRUE(other.attach(io.space));
  io.out8(0xe9, '!');
  EXPECT_EQ(stream.sent, "!");
}

TEST_F(Debugcon, taken_port_is_an_error) {
  devices::platform::Debugcon other({}, {stream});
  EXPECT_FALSE(other.attach(io.space));
}

TEST(DebugconState, obeys_the_state_law) {
  tests::check_state_law<DebugconRig>();
}

struct DebugExitRig {
  tests::FakeBus io;
  std::vector<int> statuses;
  devices::platform::DebugExit device{{}, {[this](int status) { statuses.push_back(status); }}};
  DebugExitRig() { EXPECT_TRUE(device.attach(io.space)); }
  void scribble() { io.out8(0xf4, 1); }
};

class DebugExit : public testing::Test, protected DebugExitRig {};

TEST_F(DebugExit, code_becomes_an_odd_status) {
  io.out8(0xf4, 0);
  io.out8(0xf4, 0x10);
  io.out32(0xf4, 0x21);
  EXPECT_EQ(statuses, (std::vector<int>{1, 0x21, 0x43}));
}

TEST_F(DebugExit, status_has_eight_bits) {
  io.out32(0xf4, 0xffff'ff80);
  EXPECT_EQ(statuses, (std::vector<int>{1}));
}

TEST_F(DebugExit, reads_as_zero) {
  EXPECT_EQ(io.in32(0xf4), 0u);
}

TEST(DebugExitState, obeys_the_state_law) {
  tests::check_state_law<DebugExitRig>();
}

struct PostRig {
  tests::FakeBus io;
  devices::platform::PostPort device;
  PostRig() { EXPECT_TRUE(device.attach(io.space)); }
  void scribble() { io.out8(0x80, 0x42); }
};

TEST(PostPort, keeps_the_last_code) {
  PostRig rig;
  rig.io.out8(0x80, 0x10);
  rig.io.out8(0x80, 0x31);
  EXPECT_EQ(rig.io.in8(0x80), 0x31);
  EXPECT_EQ(rig.device.code(), 0x31);
}

TEST(PostPort, obeys_the_state_law) {
  tests::check_state_law<PostRig>();
}

}  // namespace
