#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spice/channel/inputs_hub.h"
#include "tests/unit/spice/fake_inputs.h"
#include "tests/unit/spice/loop_fixture.h"

namespace spice::channel {
namespace {

using test::on_loop;
using test::RawClient;
using testing::ElementsAre;
using namespace std::chrono_literals;

class InputsTest : public testing::Test {
 protected:
  InputsTest() {
    on_loop(worker_, [this] {
      pointer_ =
          std::make_unique<Pointer>(Pointer::Wiring{.loop = worker_.loop(), .mouse = guest_, .tablet = &tablet_});
      hub_ = std::make_unique<InputsHub>(worker_.loop(), guest_, *pointer_, [this] { return now_.load(); });
    });
  }
  ~InputsTest() override {
    on_loop(worker_, [this] {
      hub_.reset();
      pointer_.reset();
    });
  }
  RawClient connect() {
    auto pair = test::socket_pair();
    LinkedConnection linked;
    linked.stream = std::move(pair.ours);
    linked.key = {wire::ChannelType::Inputs, 0};
    linked.session = std::make_shared<SessionInfo>(1);
    on_loop(worker_, [&] { hub_->accept(std::move(linked)); });
    return std::move(pair.theirs);
  }

  std::atomic<LockSync::Time> now_{1h};
  test::FakeInputs guest_;
  test::FakeTablet tablet_;
  core::Worker worker_{"test"};
  std::unique_ptr<Pointer> pointer_;
  std::unique_ptr<InputsHub> hub_;
};

TEST_F(InputsTest, client_learns_the_lights_first) {
  guest_.set_leds(core::kNumLed);
  auto client = connect();
  const auto init = client.receive_message();
  ASSERT_TRUE(init.has_value());
  EXPECT_EQ(init->type, wire::InputsInit::kType);
  EXPECT_THAT(init->body, ElementsAre(2, 0));
}

TEST_F(InputsTest, lights_that_flicker_end_no_client_that_reads_nothing) {
  auto client = connect();
  constexpr int kMoreThanIsQueued = 6001;
  for (int i = 0; i < kMoreThanIsQueued; ++i) {
    guest_.set_leds(i % 2 == 0 ? core::kNumLed : core::kCapsLed);
    on_loop(worker_, [] {});
  }
  client.send_message(wire::InputsKeyDown{0x1e});
  EXPECT_THAT(guest_.await(1), ElementsAre("1e+"));
  guest_.set_leds(core::kScrollLed);
  for (auto lights = client.await<wire::InputsKeyModifiers>(); lights;
       lights = client.await<wire::InputsKeyModifiers>())
    if (lights->modifiers == 1) return;
  FAIL() << "the newest lights never came";
}

TEST_F(InputsTest, keys_reach_the_guest) {
  auto client = connect();
  client.send_message(wire::InputsKeyDown{0x1e});
  client.send_message(wire::InputsKeyUp{0x9e});
  client.send_message(wire::InputsKeyDown{0x53e0});
  client.send_message(wire::InputsKeyUp{0xd3e0});
  client.send_message(wire::InputsKeyDown{0x451de1});
  client.send_message(wire::InputsKeyUp{0xc59de1});
  EXPECT_THAT(guest_.await(6), ElementsAre("1e+", "1e-", "e053+", "e053-", "e11d+", "e11d-"));
}

TEST_F(InputsTest, a_held_key_repeats_at_the_clients_pace) {
  auto client = connect();
  for (std::size_t times = 1; times <= 4; ++times) {
    client.send_message(wire::InputsKeyDown{0x1e});
    EXPECT_EQ(guest_.await(times).size(), times);
    now_ = now_.load() + 33ms;
  }
  client.send_message(wire::InputsKeyUp{0x9e});
  EXPECT_THAT(guest_.await(5), ElementsAre("1e+", "1e+", "1e+", "1e+", "1e-"));
}

TEST_F(InputsTest, repeats_that_a_slow_line_held_up_are_one) {
  auto client = connect();
  client.send_message(wire::InputsKeyDown{0x1e});
  EXPECT_EQ(guest_.await(1).size(), 1U);
  // A round trip later all that the client said meanwhile arrives at once, and so does the same key pressed anew.
  now_ = now_.load() + 200ms;
  for (int i = 0; i < 6; ++i)
    client.send_message(wire::InputsKeyDown{0x1e});
  client.send_message(wire::InputsKeyUp{0x9e});
  for (int i = 0; i < 6; ++i)
    client.send_message(wire::InputsKeyDown{0x1e});
  client.send_message(wire::InputsKeyUp{0x9e});
  client.send_message(wire::InputsKeyDown{0x30});
  EXPECT_THAT(guest_.await(6), ElementsAre("1e+", "1e+", "1e-", "1e+", "1e-", "30+"));
}

TEST_F(InputsTest, keys_typed_fast_all_arrive_however_late) {
  auto client = connect();
  for (int i = 0; i < 3; ++i) {
    client.send_message(wire::InputsKeyDown{0x1e});
    client.send_message(wire::InputsKeyUp{0x9e});
  }
  EXPECT_THAT(guest_.await(6), ElementsAre("1e+", "1e-", "1e+", "1e-", "1e+", "1e-"));
}

TEST_F(InputsTest, scancodes_reach_the_guest_over_message_bounds) {
  auto client = connect();
  client.send_message(wire::InputsKeyScancode{wire::Payload({0x1e, 0x9e, 0xe0})});
  client.send_message(wire::InputsKeyScancode{wire::Payload({0x53})});
  EXPECT_THAT(guest_.await(3), ElementsAre("1e+", "1e-", "e053+"));
}

TEST_F(InputsTest, keys_and_buttons_are_released_when_the_client_goes) {
  auto client = connect();
  client.send_message(wire::InputsKeyDown{0x2a});
  client.send_message(wire::InputsKeyDown{0x1e});
  client.send_message(wire::InputsKeyUp{0x9e});
  client.send_message(wire::InputsMousePress{wire::Button::Right, 0});
  client.close();
  EXPECT_THAT(guest_.await(6), ElementsAre("2a+", "1e+", "1e-", "0,0,0,2", "2a-", "0,0,0,0"));
}

TEST_F(InputsTest, what_the_other_mode_says_lets_go_of_nothing) {
  auto client = connect();
  client.send_message(wire::InputsMousePress{wire::Button::Right, 0});
  client.send_message(wire::InputsMousePosition{3, 4, 0, 0});
  client.close();
  EXPECT_THAT(guest_.await(2), ElementsAre("0,0,0,2", "0,0,0,0"));
}

TEST_F(InputsTest, buttons_change_their_numbers) {
  auto client = connect();
  client.send_message(wire::InputsMouseMotion{1, -2, wire::kLeftBit});
  client.send_message(wire::InputsMouseMotion{0, 0, wire::kMiddleBit});
  client.send_message(wire::InputsMouseMotion{0, 0, wire::kRightBit | wire::kWheelUpBit | wire::kWheelDownBit});
  client.send_message(wire::InputsMouseMotion{0, 0, wire::kSideBit});
  client.send_message(wire::InputsMouseMotion{0, 0, wire::kExtraBit});
  EXPECT_THAT(guest_.await(5), ElementsAre("1,-2,0,1", "0,0,0,4", "0,0,0,2", "0,0,0,8", "0,0,0,16"));
}

TEST_F(InputsTest, presses_and_the_wheel) {
  auto client = connect();
  client.send_message(wire::InputsMousePress{wire::Button::Left, wire::kLeftBit});
  client.send_message(wire::InputsMousePress{wire::Button::WheelUp, wire::kLeftBit});
  client.send_message(wire::InputsMouseRelease{wire::Button::WheelUp, wire::kLeftBit});
  client.send_message(wire::InputsMousePress{wire::Button::WheelDown, wire::kLeftBit});
  client.send_message(wire::InputsMouseRelease{wire::Button::Left, 0});
  client.send_message(wire::InputsMousePress{wire::Button{99}, 0});
  EXPECT_THAT(guest_.await(6), ElementsAre("0,0,0,1", "0,0,-1,1", "0,0,0,1", "0,0,1,1", "0,0,0,0", "0,0,0,0"));
}

TEST_F(InputsTest, side_buttons_are_pressed_and_released_with_others) {
  auto client = connect();
  client.send_message(wire::InputsMousePress{wire::Button::Side, 0});
  client.send_message(wire::InputsMousePress{wire::Button::Extra, wire::kSideBit});
  client.send_message(wire::InputsMouseRelease{wire::Button::Side, wire::kSideBit | wire::kExtraBit});
  client.send_message(wire::InputsMouseRelease{wire::Button::Extra, 0});
  EXPECT_THAT(guest_.await(4), ElementsAre("0,0,0,8", "0,0,0,24", "0,0,0,16", "0,0,0,0"));
}

TEST_F(InputsTest, enormous_motion_is_cut) {
  auto client = connect();
  client.send_message(wire::InputsMouseMotion{INT32_MIN, INT32_MAX, 0});
  EXPECT_THAT(guest_.await(1), ElementsAre("-32767,32767,0,0"));
}

TEST_F(InputsTest, every_fourth_motion_or_position_is_acknowledged) {
  auto client = connect();
  for (int i = 0; i < 6; ++i)
    client.send_message(wire::InputsMouseMotion{1, 1, 0});
  for (int i = 0; i < 2; ++i)
    client.send_message(wire::InputsMousePosition{1, 1, 0, 0});
  EXPECT_TRUE(client.await<wire::InputsMotionAck>().has_value());
  EXPECT_TRUE(client.await<wire::InputsMotionAck>().has_value());
  EXPECT_EQ(guest_.await(6).size(), 6U);  // positions move nothing in server mode
}

TEST_F(InputsTest, guest_lights_reach_all_clients) {
  auto first = connect();
  auto second = connect();
  guest_.set_leds(core::kCapsLed);
  EXPECT_EQ(first.await<wire::InputsKeyModifiers>()->modifiers, wire::kCapsLock);
  EXPECT_EQ(second.await<wire::InputsKeyModifiers>()->modifiers, wire::kCapsLock);
}

TEST_F(InputsTest, wanted_lights_are_typed_once) {
  auto client = connect();
  client.send_message(wire::InputsClientKeyModifiers{wire::kCapsLock | wire::kScrollLock});
  client.send_message(wire::InputsClientKeyModifiers{wire::kCapsLock | wire::kScrollLock});
  client.send_message(wire::InputsKeyDown{0x1e});
  EXPECT_THAT(guest_.await(5), ElementsAre("46+", "46-", "3a+", "3a-", "1e+"));
}

TEST_F(InputsTest, lock_key_in_the_hand_is_not_typed_again) {
  auto client = connect();
  client.send_message(wire::InputsKeyDown{0x3a});
  client.send_message(wire::InputsClientKeyModifiers{wire::kCapsLock});
  client.send_message(wire::InputsKeyDown{0x1e});
  EXPECT_THAT(guest_.await(2), ElementsAre("3a+", "1e+"));
}

TEST_F(InputsTest, truncated_message_ends_that_client_only) {
  auto bad = connect();
  auto good = connect();
  bad.send_plain(wire::MiniHeader{wire::InputsKeyDown::kType, 3});
  bad.send(RawClient::Bytes{1, 2, 3});
  static_cast<void>(bad.receive_message());  // INIT
  EXPECT_EQ(bad.receive_message(), std::nullopt);
  good.send_message(wire::InputsKeyDown{0x1e});
  EXPECT_THAT(guest_.await(1), ElementsAre("1e+"));
}

}  // namespace
}  // namespace spice::channel
