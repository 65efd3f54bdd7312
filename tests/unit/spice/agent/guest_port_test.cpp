#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/spice/agent/fake_guest.h"

namespace spice::agent {
namespace {

using test::on_loop;
using testing::ElementsAre;

class GuestPortTest : public testing::Test, protected GuestPort::Host, protected core::CharStreamObserver {
 protected:
  // Not in the destructor: until then the loop calls us.
  void TearDown() override {
    worker_.stop();
    port_->set_observer(nullptr);
  }
  void make(GuestPort::AtClose at_close = GuestPort::AtClose::Keep) {
    port_ = std::make_unique<GuestPort>(worker_.loop(), at_close);
    port_->set_observer(this);
  }
  void serve() {
    on_loop(worker_, [this] { port_->serve(this); });
    settle();
  }
  // What was posted before is done.
  void settle() {
    for (int i = 0; i < 4; ++i)
      on_loop(worker_, [] {});
  }
  void write(const std::string& text) {
    port_->write_some(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }

  void guest_opened(bool open) override { log_.emplace_back(open ? "opened" : "closed"); }
  void guest_wrote() override {
    for (auto bytes = port_->read(most_); !bytes.empty(); bytes = port_->read(most_))
      if (!is_endless_) log_.emplace_back(bytes.begin(), bytes.end());
  }
  void guest_has_room() override { log_.emplace_back("room"); }
  void peer_changed(bool present) override { device_log_.emplace_back(present ? "present" : "absent"); }
  void room_again() override {
    if (is_endless_) return write_much();
    device_log_.emplace_back("room");
  }
  // More than there is room for.
  void write_much() { port_->write_some(Bytes(GuestPort::kCapacity + 1)); }

  core::Worker worker_{"test"};
  std::unique_ptr<GuestPort> port_;
  std::vector<std::string> log_;
  std::vector<std::string> device_log_;
  std::size_t most_ = 3;
  std::atomic<bool> is_endless_ = false;  // the guest writes again whenever there is room
};

TEST_F(GuestPortTest, turns_and_bytes_stay_in_order) {
  make();
  port_->guest_opened(true);
  write("abcd");
  port_->guest_opened(false);
  port_->guest_opened(true);
  write("e");
  serve();
  EXPECT_THAT(log_, ElementsAre("opened", "abc", "d", "closed", "opened", "e"));
}

TEST_F(GuestPortTest, what_is_dropped_at_the_close_is_not_seen) {
  make(GuestPort::AtClose::Drop);
  write("too early");
  port_->guest_opened(true);
  write("abcd");
  port_->guest_opened(false);
  write("too late");
  port_->guest_opened(true);
  write("e");
  serve();
  EXPECT_THAT(log_, ElementsAre("opened", "closed", "opened", "e"));
}

TEST_F(GuestPortTest, endless_turns_need_little_memory) {
  make();
  for (int i = 0; i < 100'001; ++i)
    port_->guest_opened(i % 2 == 0);
  serve();
  EXPECT_LE(log_.size(), 4U);
  EXPECT_EQ(log_.back(), "opened");
}

TEST_F(GuestPortTest, a_full_port_takes_no_more_until_it_was_read) {
  make();
  port_->guest_opened(true);
  const Bytes much(GuestPort::kCapacity + 10);
  EXPECT_EQ(port_->write_some(much), GuestPort::kCapacity);
  EXPECT_EQ(port_->write_some(much), 0U);
  EXPECT_THAT(device_log_, ElementsAre("absent"));
  serve();
  settle();
  EXPECT_THAT(device_log_, ElementsAre("absent", "room"));
  EXPECT_EQ(port_->write_some(std::span(much).first(10)), 10U);
}

TEST_F(GuestPortTest, others_have_their_turn_beside_a_guest_that_never_stops) {
  make();
  most_ = GuestPort::kCapacity;
  is_endless_ = true;
  write_much();
  serve();  // returns
  settle();
}

TEST_F(GuestPortTest, what_is_discarded_ends_where_the_guest_opened) {
  make();
  write("abcd");
  on_loop(worker_, [this] { port_->read(1); });
  port_->guest_opened(true);
  write("e");
  on_loop(worker_, [this] { port_->discard(); });
  serve();
  EXPECT_THAT(log_, ElementsAre("opened", "e"));
}

TEST_F(GuestPortTest, what_never_ends_is_discarded_in_part) {
  make();
  is_endless_ = true;
  write_much();
  on_loop(worker_, [this] { port_->discard(); });  // returns
}

TEST_F(GuestPortTest, presence_is_told) {
  make();
  on_loop(worker_, [this] { port_->set_present(true); });
  on_loop(worker_, [this] { port_->set_present(true); });
  on_loop(worker_, [this] { port_->set_present(false); });
  EXPECT_THAT(device_log_, ElementsAre("absent", "present", "absent"));
}

TEST_F(GuestPortTest, the_guests_room_is_news) {
  make();
  serve();
  port_->ready_to_receive();
  settle();
  EXPECT_THAT(log_, ElementsAre("room"));
}

}  // namespace
}  // namespace spice::agent
