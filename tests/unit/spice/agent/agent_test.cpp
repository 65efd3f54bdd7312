#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/spice/agent/fake_guest.h"
#include "tests/unit/spice/fake_timeouts.h"

namespace spice::agent {
namespace {

using namespace abi;
using test::chunk;
using test::FakeClient;
using test::FakeGuest;
using test::message;
using test::on_loop;
using test::type_of;
using testing::ElementsAre;
using namespace std::chrono_literals;

class FakeDisplay final : public core::DisplaySource {
 public:
  bool refresh(core::DisplayCanvas&, bool) override { return false; }
  void set_wake(std::function<void()>) override {}
  bool takes_client_monitors() override { return takes; }
  void set_client_monitors(std::span<const core::ClientMonitor> wanted) override {
    monitors.assign(wanted.begin(), wanted.end());
  }
  bool takes = false;
  std::vector<core::ClientMonitor> monitors;
};

class AgentTest : public testing::Test {
 protected:
  AgentTest() { make({}); }
  ~AgentTest() override { worker_.stop(); }
  void make(Agent::Config config) {
    on_loop(worker_, [&] {
      agent_.reset();
      agent_ = std::make_unique<Agent>(config, Agent::Wiring{worker_.loop(), port_, displays_, timeouts_.maker()});
    });
  }
  void settle() {
    for (int i = 0; i < 4; ++i)
      on_loop(worker_, [] {});
  }
  void open(bool is_open = true) {
    port_.guest_opened(is_open);
    settle();
  }
  void guest_says(const Bytes& body) {
    port_.write_some(chunk(VDP_CLIENT_PORT, body));
    settle();
  }
  // Runs on the loop, and lets what follows from it happen.
  template <class F>
  void act(F task) {
    on_loop(worker_, task);
    settle();
  }
  bool client_says(const Bytes& piece) {
    const bool accepted = on_loop(worker_, [&] { return agent_->data(piece); });
    settle();
    return accepted;
  }
  void pass(std::chrono::nanoseconds time) {
    act([&] { timeouts_.pass(time); });
  }
  // With a client that has what it asked for.
  void begin(std::uint32_t tokens = 100) {
    open();
    act([this] { agent_->set_client(&client_); });
    act([&] { agent_->start(tokens); });
    guest_.chunks();
  }

  core::Worker worker_{"test"};
  GuestPort port_{worker_.loop(), GuestPort::AtClose::Drop};
  FakeGuest guest_{port_};
  FakeDisplay display_;
  FakeDisplay other_display_;
  std::vector<core::DisplaySource*> displays_{&display_};
  FakeClient client_;
  FakeClient second_;
  spice::test::FakeTimeouts timeouts_;
  std::unique_ptr<Agent> agent_;
};

TEST_F(AgentTest, presence_is_the_guests_opening) {
  act([this] { agent_->set_client(&client_); });
  EXPECT_FALSE(agent_->is_present());
  open();
  EXPECT_TRUE(agent_->is_present());
  open(false);
  EXPECT_FALSE(agent_->is_present());
  EXPECT_THAT(client_.log, ElementsAre("came", "went"));
}

TEST_F(AgentTest, a_restart_is_seen_however_short_it_is) {
  begin();
  port_.guest_opened(false);
  port_.guest_opened(true);
  settle();
  EXPECT_THAT(client_.log, ElementsAre("went", "came"));
}

TEST_F(AgentTest, pieces_go_to_the_client_as_long_as_it_has_given_tokens) {
  begin(2);
  guest_says(message(VD_AGENT_CLIPBOARD, 5000));
  ASSERT_EQ(client_.pieces.size(), 2U);
  EXPECT_EQ(client_.pieces[0].size(), 2048U);
  act([this] { agent_->add_tokens(1); });
  ASSERT_EQ(client_.pieces.size(), 3U);
  EXPECT_EQ(client_.pieces[2].size(), 924U);
}

TEST_F(AgentTest, a_client_that_gives_no_tokens_for_what_waits_is_refused) {
  begin(1);
  pass(100s);  // nothing waits
  guest_says(message(VD_AGENT_CLIPBOARD, 3000));
  pass(30s - 1ns);
  act([this] { agent_->add_tokens(0); });
  EXPECT_THAT(client_.log, ElementsAre());
  pass(1ns);
  EXPECT_THAT(client_.log, ElementsAre("refused"));
}

TEST_F(AgentTest, a_client_that_gives_tokens_one_by_one_starves_nobody) {
  begin(1);
  guest_says(message(VD_AGENT_CLIPBOARD, 20'000));
  for (std::size_t pieces = 1; pieces < 10; ++pieces) {
    EXPECT_EQ(client_.pieces.size(), pieces);
    pass(29s);
    act([this] { agent_->add_tokens(1); });
  }
  pass(100s);  // it has everything
  EXPECT_THAT(client_.log, ElementsAre());
}

TEST_F(AgentTest, a_client_that_starts_anew_with_tokens_starves_nobody) {
  begin(0);
  guest_says(message(VD_AGENT_CLIPBOARD, 5000));
  pass(29s);
  act([this] { agent_->start(1); });
  pass(29s);
  EXPECT_THAT(client_.log, ElementsAre());
  act([this] { agent_->start(0); });
  pass(1s);
  EXPECT_THAT(client_.log, ElementsAre("refused"));
}

TEST_F(AgentTest, a_line_that_is_full_is_no_lack_of_tokens) {
  begin(1);
  client_.takes = false;
  guest_says(message(VD_AGENT_CLIPBOARD, 10));
  pass(100s);
  EXPECT_THAT(client_.log, ElementsAre());
}

TEST_F(AgentTest, what_waits_is_forgotten_with_its_agent_and_with_its_client) {
  begin(0);
  guest_says(message(VD_AGENT_CLIPBOARD, 10));
  open(false);
  pass(100s);
  EXPECT_THAT(client_.log, ElementsAre("went"));
  open();
  act([this] { agent_->start(0); });
  guest_says(message(VD_AGENT_CLIPBOARD, 10));
  pass(29s);
  act([this] { agent_->set_client(&second_); });
  pass(100s);
  EXPECT_THAT(client_.log, ElementsAre("went", "came"));
  EXPECT_THAT(second_.log, ElementsAre());
}

TEST_F(AgentTest, a_line_that_is_full_makes_the_agent_wait) {
  begin();
  client_.takes = false;
  guest_says(message(VD_AGENT_CLIPBOARD, 10));
  EXPECT_TRUE(client_.pieces.empty());
  client_.takes = true;
  act([this] { agent_->client_ready(); });
  EXPECT_EQ(client_.pieces.size(), 1U);
}

TEST_F(AgentTest, what_waits_for_a_client_is_bounded) {
  begin(0);
  std::size_t taken = 0;
  const auto piece = chunk(VDP_CLIENT_PORT, message(VD_AGENT_CLIPBOARD, 2000));
  for (int i = 0; i < 1000; ++i) {
    const auto now = port_.write_some(piece);
    taken += now;
    settle();
    if (now < piece.size()) break;
  }
  EXPECT_LT(taken, GuestPort::kCapacity + 64 * 1024);
}

TEST_F(AgentTest, messages_before_the_start_go_nowhere) {
  open();
  guest_says(message(VD_AGENT_CLIPBOARD, 10));
  act([this] { agent_->set_client(&client_); });
  guest_says(message(VD_AGENT_CLIPBOARD, 10));
  EXPECT_TRUE(client_says(message(VD_AGENT_CLIPBOARD, 10)));
  act([this] { agent_->start(10); });
  EXPECT_TRUE(client_.pieces.empty());
  EXPECT_TRUE(guest_.chunks().empty());
  guest_says(message(VD_AGENT_CLIPBOARD, 10));
  EXPECT_EQ(client_.pieces.size(), 1U);
}

TEST_F(AgentTest, client_pieces_reach_the_guest_and_their_tokens_come_back_in_fives) {
  begin();
  for (int i = 0; i < 4; ++i)
    EXPECT_TRUE(client_says(message(VD_AGENT_CLIPBOARD, 10)));
  EXPECT_THAT(client_.tokens, ElementsAre());
  EXPECT_TRUE(client_says(message(VD_AGENT_CLIPBOARD, 10)));
  EXPECT_THAT(client_.tokens, ElementsAre(5));
  EXPECT_EQ(guest_.chunks().size(), 5U);
}

TEST_F(AgentTest, tokens_wait_until_the_guest_has_taken_the_pieces) {
  begin();
  guest_.room = 0;
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(client_says(message(VD_AGENT_CLIPBOARD, 10)));
  EXPECT_THAT(client_.tokens, ElementsAre());
  EXPECT_FALSE(client_says(message(VD_AGENT_CLIPBOARD, 10)));
  guest_.make_room(1 << 20);
  settle();
  EXPECT_THAT(client_.tokens, ElementsAre(10));
}

TEST_F(AgentTest, client_that_breaks_the_protocol_is_refused) {
  begin();
  EXPECT_FALSE(client_says(Bytes(10)));
}

TEST_F(AgentTest, guest_that_breaks_the_protocol_has_no_agent_until_it_opens_again) {
  begin();
  guest_says(Bytes(30, 0x77));
  EXPECT_FALSE(agent_->is_present());
  guest_says(message(VD_AGENT_CLIPBOARD, 10));
  EXPECT_TRUE(client_.pieces.empty());
  open(false);
  open();
  EXPECT_THAT(client_.log, ElementsAre("went", "came"));
  EXPECT_TRUE(agent_->is_present());
}

TEST_F(AgentTest, a_new_client_gets_no_end_of_an_old_message) {
  begin();
  const auto long_message = message(VD_AGENT_CLIPBOARD, 100);
  guest_says(Bytes(long_message.begin(), long_message.begin() + 50));
  act([this] { agent_->set_client(&second_); });
  act([this] { agent_->start(100); });
  guest_says(Bytes(long_message.begin() + 50, long_message.end()));
  EXPECT_TRUE(second_.pieces.empty());
  guest_says(message(VD_AGENT_CLIPBOARD, 7));
  ASSERT_EQ(second_.pieces.size(), 1U);
  EXPECT_EQ(second_.pieces[0].size(), 27U);
}

TEST_F(AgentTest, the_agent_hears_that_a_client_left_before_the_next_one_speaks) {
  begin();
  const auto half = message(VD_AGENT_CLIPBOARD, 5000);
  EXPECT_TRUE(client_says(Bytes(half.begin(), half.begin() + 2048)));
  guest_.room = 10;
  EXPECT_TRUE(client_says(Bytes(half.begin() + 2048, half.begin() + 4096)));
  EXPECT_TRUE(client_says(Bytes(half.begin() + 4096, half.end())));
  act([this] { agent_->point({.x = 1}); });
  act([this] { agent_->set_client(nullptr); });
  act([this] { agent_->set_client(&second_); });
  act([this] { agent_->start(1); });
  EXPECT_TRUE(client_says(message(VD_AGENT_CLIPBOARD_RELEASE, 4)));
  guest_.make_room(1 << 20);
  settle();
  const auto chunks = guest_.chunks();
  ASSERT_EQ(chunks.size(), 5U);
  EXPECT_EQ(chunks[0].body.size(), 2048U);  // begun before, so finished
  EXPECT_EQ(chunks[1].body.size(), 2048U);
  EXPECT_EQ(chunks[2].port, VDP_SERVER_PORT);
  EXPECT_EQ(type_of(chunks[2].body), VD_AGENT_CLIENT_DISCONNECTED);
  EXPECT_EQ(type_of(chunks[3].body), VD_AGENT_MOUSE_STATE);
  EXPECT_EQ(chunks[4].port, VDP_CLIENT_PORT);
  EXPECT_EQ(type_of(chunks[4].body), VD_AGENT_CLIPBOARD_RELEASE);
}

TEST_F(AgentTest, the_rest_of_a_message_for_an_agent_that_went_is_dropped) {
  begin();
  const auto half = message(VD_AGENT_CLIPBOARD, 3000);
  EXPECT_TRUE(client_says(Bytes(half.begin(), half.begin() + 2048)));
  open(false);
  open();
  guest_.received.clear();
  EXPECT_TRUE(client_says(Bytes(half.begin() + 2048, half.begin() + 2100)));
  act([this] { agent_->start(10); });
  EXPECT_TRUE(client_says(Bytes(half.begin() + 2100, half.end())));
  EXPECT_TRUE(guest_.chunks().empty());
  EXPECT_TRUE(client_says(message(VD_AGENT_CLIPBOARD, 3)));
  EXPECT_EQ(guest_.chunks().size(), 1U);
}

TEST_F(AgentTest, pieces_from_before_the_start_cost_no_tokens) {
  begin();
  open(false);
  open();
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(client_says(message(VD_AGENT_CLIPBOARD, 3)));
  act([this] { agent_->start(10); });
  guest_.room = 0;
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(client_says(message(VD_AGENT_CLIPBOARD, 3)));
  EXPECT_FALSE(client_says(message(VD_AGENT_CLIPBOARD, 3)));
}

TEST_F(AgentTest, the_newest_place_waits_and_no_click_is_lost) {
  begin();
  guest_.room = 0;
  act([this] {
    agent_->point({.x = 1});
    agent_->point({.x = 2});
    agent_->point({.x = 3});
    agent_->point({.x = 4, .buttons = 2});
    agent_->point({.x = 5, .buttons = 2});
    agent_->point({.x = 6});
  });
  guest_.make_room(1 << 20);
  settle();
  std::vector<std::uint32_t> places;
  for (const auto& [port, body] : guest_.chunks()) {
    EXPECT_EQ(port, VDP_SERVER_PORT);
    places.push_back(core::load_le<std::uint32_t>(body.data() + 20));
  }
  EXPECT_THAT(places, ElementsAre(1, 3, 5, 6));
}

TEST_F(AgentTest, displays_are_told_to_an_agent_that_asks) {
  make({.displays = {{0, 0, 0, "pci/0000/02.0"}}});
  open();
  auto capabilities = message(VD_AGENT_ANNOUNCE_CAPABILITIES, 8, 0);
  guest_says(capabilities);
  EXPECT_TRUE(guest_.chunks().empty());
  capabilities[25] = 0x80;
  guest_says(capabilities);
  const auto chunks = guest_.chunks();
  ASSERT_EQ(chunks.size(), 1U);
  EXPECT_EQ(type_of(chunks[0].body), VD_AGENT_GRAPHICS_DEVICE_INFO);
}

TEST_F(AgentTest, disabled_features_are_neither_offered_nor_passed) {
  make({.copy_paste = false, .file_transfer = false});
  begin();
  guest_says(message(VD_AGENT_ANNOUNCE_CAPABILITIES, 8, 0xff));
  guest_says(message(VD_AGENT_CLIPBOARD, 10));
  ASSERT_EQ(client_.pieces.size(), 1U);
  EXPECT_EQ(client_.pieces[0][24], 0xff & ~(1 << 3 | 1 << 5 | 1 << 6));
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(client_says(message(VD_AGENT_FILE_XFER_START, 10)));
  EXPECT_TRUE(guest_.chunks().empty());
  EXPECT_THAT(client_.tokens, ElementsAre(5));
}

TEST_F(AgentTest, monitors_go_to_a_display_that_takes_them) {
  begin();
  Bytes wanted = message(VD_AGENT_MONITORS_CONFIG, 28, 0);
  wanted[20] = 1;
  core::store_le<std::uint32_t>(wanted.data() + 28, 600);
  core::store_le<std::uint32_t>(wanted.data() + 32, 800);
  EXPECT_TRUE(client_says(wanted));
  EXPECT_EQ(guest_.chunks().size(), 1U);
  display_.takes = true;
  EXPECT_TRUE(client_says(Bytes(wanted.begin(), wanted.begin() + 30)));
  EXPECT_TRUE(client_says(Bytes(wanted.begin() + 30, wanted.end())));
  EXPECT_TRUE(guest_.chunks().empty());
  EXPECT_THAT(display_.monitors, ElementsAre(core::ClientMonitor{{0, 0, 800, 600}, 0, 0}));
}

TEST_F(AgentTest, of_several_displays_all_must_take_monitors_and_each_gets_its_own) {
  displays_ = {&display_, &other_display_};
  make({});
  begin();
  Bytes wanted = message(VD_AGENT_MONITORS_CONFIG, 48, 0);
  wanted[20] = 2;
  for (const std::size_t at : {28U, 48U}) {
    core::store_le<std::uint32_t>(wanted.data() + at, 600);
    core::store_le<std::uint32_t>(wanted.data() + at + 4, 800);
  }
  core::store_le<std::uint32_t>(wanted.data() + 48 + 12, 800);
  display_.takes = true;
  EXPECT_TRUE(client_says(wanted));
  EXPECT_EQ(guest_.chunks().size(), 1U);
  EXPECT_TRUE(display_.monitors.empty());
  other_display_.takes = true;
  EXPECT_TRUE(client_says(wanted));
  EXPECT_TRUE(guest_.chunks().empty());
  EXPECT_THAT(display_.monitors, ElementsAre(core::ClientMonitor{{0, 0, 800, 600}, 0, 0}));
  EXPECT_THAT(other_display_.monitors, ElementsAre(core::ClientMonitor{{800, 0, 1600, 600}, 0, 0}));
}

TEST_F(AgentTest, agents_get_monitors_without_physical_sizes) {
  begin();
  Bytes wanted = message(VD_AGENT_MONITORS_CONFIG, 32, 0);
  wanted[20] = 1;
  wanted[24] = VD_AGENT_CONFIG_MONITORS_FLAG_PHYSICAL_SIZE;
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(client_says(wanted));
  const auto chunks = guest_.chunks();
  ASSERT_EQ(chunks.size(), 5U);
  EXPECT_EQ(chunks[0].body, [] {
    Bytes trimmed = message(VD_AGENT_MONITORS_CONFIG, 28, 0);
    trimmed[20] = 1;
    return trimmed;
  }());
  EXPECT_THAT(client_.tokens, ElementsAre(5));
}

TEST_F(AgentTest, a_piece_of_which_nothing_is_left_gives_its_token_back) {
  begin();
  Bytes wanted = message(VD_AGENT_MONITORS_CONFIG, 32, 0);
  wanted[20] = 1;
  wanted[24] = VD_AGENT_CONFIG_MONITORS_FLAG_PHYSICAL_SIZE;
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(client_says(Bytes(wanted.begin(), wanted.begin() + 48)));
    EXPECT_TRUE(client_says(Bytes(wanted.begin() + 48, wanted.end())));
  }
  EXPECT_EQ(guest_.chunks().size(), 5U);
  EXPECT_THAT(client_.tokens, ElementsAre(5, 5));
}

}  // namespace
}  // namespace spice::agent
