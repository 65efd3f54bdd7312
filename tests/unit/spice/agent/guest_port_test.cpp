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
    for (auto bytes = port_->read(3); !bytes.empty(); bytes = port_->read(3))
      log_.emplace_back(bytes.begin(), bytes.end());
  }
  void guest_has_room() override { log_.emplace_back("room"); }
  void peer_changed(bool present) override { device_log_.emplace_back(present ? "present" : "absent"); }
  void room_again() override { device_log_.emplace_back("room"); }

  core::Worker worker_{"test"};
  std::unique_ptr<GuestPort> port_;
  std::vector<std::string> log_;
  std::vector<std::string> device_log_;
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
