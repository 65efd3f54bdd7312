#include "spice/channel/pointer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spice/wire/inputs.h"
#include "tests/unit/spice/agent/fake_guest.h"
#include "tests/unit/spice/fake_inputs.h"

namespace spice::channel {
namespace {

using agent::test::FakeGuest;
using agent::test::on_loop;
using testing::ElementsAre;
using wire::MouseMode;

constexpr std::uint16_t kServerOnly = 1;
constexpr std::uint16_t kBoth = 3;

TEST(MouseModes, truth_table) {
  struct Row {
    MouseModes::Facts facts;
    std::uint16_t supported;
  };
  constexpr std::array<Row, 10> kRows{{
      {{.agent_mouse = true, .agent = false, .tablet = false, .displays = 1}, kServerOnly},
      {{.agent_mouse = true, .agent = true, .tablet = false, .displays = 1}, kBoth},
      {{.agent_mouse = true, .agent = true, .tablet = false, .displays = 2}, kBoth},
      {{.agent_mouse = false, .agent = true, .tablet = false, .displays = 1}, kServerOnly},
      {{.agent_mouse = false, .agent = true, .tablet = true, .displays = 1}, kBoth},
      {{.agent_mouse = false, .agent = true, .tablet = true, .displays = 2}, kServerOnly},
      {{.agent_mouse = true, .agent = false, .tablet = true, .displays = 1}, kBoth},
      {{.agent_mouse = true, .agent = false, .tablet = true, .displays = 2}, kServerOnly},
      {{.agent_mouse = true, .agent = false, .tablet = true, .displays = 0}, kServerOnly},
      {{.agent_mouse = true, .agent = true, .tablet = true, .displays = 2}, kBoth},
  }};
  for (const auto& row : kRows) {
    MouseModes modes;
    EXPECT_EQ(modes.update(row.facts), row.supported != kServerOnly);
    EXPECT_EQ(modes.supported(), row.supported) << &row - kRows.data();
    EXPECT_EQ(modes.current(), MouseMode::Server);
  }
}

TEST(MouseModes, client_mode_is_asked_for_and_ends_with_its_reason) {
  MouseModes modes;
  EXPECT_FALSE(modes.request(MouseMode::Client));
  EXPECT_TRUE(modes.update({.agent = true}));
  EXPECT_FALSE(modes.update({.agent = true, .tablet = true}));
  EXPECT_TRUE(modes.request(MouseMode::Client));
  EXPECT_FALSE(modes.request(MouseMode::Client));
  EXPECT_FALSE(modes.request(MouseMode{7}));
  EXPECT_FALSE(modes.update({.tablet = true}));
  EXPECT_EQ(modes.current(), MouseMode::Client);
  EXPECT_TRUE(modes.update({}));
  EXPECT_EQ(modes.current(), MouseMode::Server);
  EXPECT_EQ(modes.supported(), kServerOnly);
}

TEST(TabletCoordinate, corners_are_exact_and_every_pixel_is_found_again) {
  for (const std::int32_t side : {16, 640, 720, 1023, 1024, 1366, 1920, 3840, 8192}) {
    EXPECT_EQ(tablet_coordinate(0, side), 0);
    const auto last = static_cast<std::uint32_t>(side) - 1;
    EXPECT_EQ(tablet_coordinate(last, side), 0x7fff);
    EXPECT_EQ(tablet_coordinate(0xffffffff, side), 0x7fff);
    unsigned missed = 0;
    for (std::uint32_t at = 0; at <= last; ++at) {
      const std::uint64_t place = tablet_coordinate(at, side);
      // How drivers scale: to the pixels of the screen, or to the distance of its corners.
      if (place * static_cast<unsigned>(side) / 0x8000 != at) ++missed;
      if (place * last / 0x7fff != at) ++missed;
    }
    EXPECT_EQ(missed, 0U) << side;
  }
}

TEST(TabletCoordinate, screens_smaller_than_16_pixels_count_as_16) {
  EXPECT_EQ(tablet_coordinate(15, 1), 0x7fff);
  EXPECT_EQ(tablet_coordinate(1, 0), tablet_coordinate(1, 16));
}

class PointerTest : public testing::Test {
 protected:
  PointerTest() { make(true); }
  ~PointerTest() override { worker_.stop(); }
  void make(bool agent_mouse) {
    on_loop(worker_, [&] {
      agent_ = std::make_unique<agent::Agent>(agent::Agent::Config{}, agent::Agent::Wiring{worker_.loop(), port_});
      pointer_ = std::make_unique<Pointer>(Pointer::Wiring{.loop = worker_.loop(),
                                                           .mouse = mouse_,
                                                           .tablet = &tablet_,
                                                           .agent = agent_.get(),
                                                           .agent_mouse = agent_mouse,
                                                           .on_client_mode = [this](bool is) { client_mode_ = is; }});
      pointer_->set_screen(1024, 768);
      pointer_->set_listener([this] { ++changes_; });
    });
  }
  void take_down() {
    on_loop(worker_, [this] {
      pointer_.reset();
      agent_.reset();
    });
  }
  void settle() {
    for (int i = 0; i < 4; ++i)
      on_loop(worker_, [] {});
  }
  void use_tablet(bool used) {
    tablet_.use(used);
    settle();
  }
  void open_agent(bool open) {
    port_.guest_opened(open);
    settle();
  }
  template <class F>
  void act(F task) {
    on_loop(worker_, task);
    settle();
  }
  void want_client_mode() {
    act([this] { pointer_->request(MouseMode::Client); });
  }
  MouseMode mode() {
    return on_loop(worker_, [this] { return pointer_->modes().current(); });
  }

  core::Worker worker_{"test"};
  test::FakeInputs mouse_;
  test::FakeTablet tablet_;
  agent::GuestPort port_{worker_.loop(), agent::GuestPort::AtClose::Drop};
  FakeGuest guest_{port_};
  std::unique_ptr<agent::Agent> agent_;
  std::unique_ptr<Pointer> pointer_;
  int changes_ = 0;
  bool client_mode_ = false;
};

TEST_F(PointerTest, places_go_to_the_tablet_in_use) {
  use_tablet(true);
  want_client_mode();
  act([this] {
    pointer_->place(1023, 0, wire::kLeftBit, 0);
    pointer_->press(-1, wire::kLeftBit | wire::kWheelUpBit);
    pointer_->press(0, 0);
    pointer_->move(5, 5, 0);  // motion is of server mode
  });
  EXPECT_THAT(tablet_.log, ElementsAre("32767,0,0,1", "32767,0,-1,1", "32767,0,0,0"));
}

TEST_F(PointerTest, places_go_to_the_agent_before_the_tablet) {
  use_tablet(true);
  open_agent(true);
  want_client_mode();
  act([this] { pointer_->place(300, 2, wire::kLeftBit | wire::kRightBit, 1); });
  act([this] { pointer_->press(1, wire::kLeftBit); });
  EXPECT_THAT(tablet_.log, ElementsAre());
  const auto chunks = guest_.chunks();
  ASSERT_EQ(chunks.size(), 2U);
  EXPECT_THAT(agent::Bytes(chunks[0].body.begin() + 20, chunks[0].body.end()),
              ElementsAre(44, 1, 0, 0, 2, 0, 0, 0, 0x0a, 0, 0, 0, 1));
  EXPECT_EQ(chunks[1].body[28], 0x02 | 0x20);
}

TEST_F(PointerTest, side_buttons_reach_tablet_and_agent) {
  use_tablet(true);
  want_client_mode();
  act([this] { pointer_->press(0, wire::kSideBit); });
  act([this] { pointer_->press(0, wire::kExtraBit); });
  act([this] { pointer_->press(0, 0); });
  EXPECT_THAT(tablet_.log, ElementsAre("0,0,0,8", "0,0,0,16", "0,0,0,0"));
  open_agent(true);
  act([this] { pointer_->press(0, wire::kSideBit); });
  act([this] { pointer_->press(0, wire::kExtraBit); });
  const auto chunks = guest_.chunks();
  ASSERT_EQ(chunks.size(), 2U);
  EXPECT_EQ(chunks[0].body[28], 0x40);
  EXPECT_EQ(chunks[1].body[28], 0x80);
}

TEST_F(PointerTest, agent_mouse_off_leaves_the_tablet) {
  take_down();
  make(false);
  open_agent(true);
  want_client_mode();
  EXPECT_EQ(mode(), MouseMode::Server);
  use_tablet(true);
  want_client_mode();
  act([this] { pointer_->place(0, 767, 0, 0); });
  EXPECT_THAT(tablet_.log, ElementsAre("0,32767,0,0"));
}

TEST_F(PointerTest, falls_back_when_agent_and_tablet_go_and_is_told_once_each) {
  open_agent(true);
  EXPECT_EQ(changes_, 1);
  want_client_mode();
  EXPECT_EQ(changes_, 2);
  EXPECT_TRUE(client_mode_);
  open_agent(false);
  EXPECT_EQ(changes_, 3);
  EXPECT_FALSE(client_mode_);
  EXPECT_EQ(mode(), MouseMode::Server);
  use_tablet(true);
  use_tablet(false);
  EXPECT_EQ(changes_, 5);
}

TEST_F(PointerTest, buttons_do_not_stay_behind) {
  use_tablet(true);
  want_client_mode();
  act([this] { pointer_->place(0, 0, wire::kLeftBit, 0); });
  open_agent(true);
  EXPECT_EQ(mode(), MouseMode::Client);
  EXPECT_THAT(tablet_.log, ElementsAre("0,0,0,1", "0,0,0,0"));
}

TEST_F(PointerTest, several_displays_need_the_agent) {
  use_tablet(true);
  want_client_mode();
  act([this] { pointer_->set_displays(2); });
  EXPECT_EQ(mode(), MouseMode::Server);
}

}  // namespace
}  // namespace spice::channel
