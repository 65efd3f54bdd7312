#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spice/channel/port_channel.h"
#include "spice/codec/lz4_block.h"
#include "tests/unit/spice/loop_fixture.h"

namespace spice::channel {
namespace {

using test::on_loop;
using test::RawClient;
using testing::ElementsAre;
using Bytes = std::vector<std::uint8_t>;

class PortTest : public testing::Test, protected core::CharStreamObserver {
 protected:
  PortTest() {
    port_.set_observer(this);
    port_.set_receiver([this](std::span<const std::uint8_t> bytes, core::Batch) {
      const std::scoped_lock guard(mutex_);
      const auto count = std::min(bytes.size(), room_);
      room_ -= count;
      received_.insert(received_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
      changed_.notify_all();
      return count;
    });
    on_loop(worker_, [this] { provider_ = std::make_unique<PortProvider>(worker_.loop(), port_, "a.port"); });
  }
  // Not in the destructor: until then the loop calls us.
  void TearDown() override {
    worker_.stop();
    provider_.reset();
    port_.set_receiver(nullptr);
    port_.set_observer(nullptr);
  }
  struct Client {
    RawClient line;
    std::shared_ptr<SessionInfo> session;
  };
  Client connect(bool owner, const wire::Capabilities& caps = {}) {
    auto pair = test::socket_pair();
    LinkedConnection linked;
    linked.stream = std::move(pair.ours);
    linked.key = {wire::ChannelType::Port, 0};
    linked.channel_caps = caps;
    linked.session = std::make_shared<SessionInfo>(1);
    linked.session->owner = owner;
    auto session = linked.session;
    on_loop(worker_, [&] { provider_->accept(std::move(linked)); });
    return {std::move(pair.theirs), std::move(session)};
  }
  void open(bool is_open = true) {
    port_.guest_opened(is_open);
    settle();
  }
  void settle() {
    for (int i = 0; i < 4; ++i)
      on_loop(worker_, [] {});
  }
  void guest_writes(const Bytes& bytes) {
    port_.write_some(bytes);
    settle();
  }
  void make_room(std::size_t bytes) {
    {
      const std::scoped_lock guard(mutex_);
      room_ = bytes;
    }
    port_.ready_to_receive();
  }
  std::size_t await_received(std::size_t size) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(30), [&] { return received_.size() >= size; });
    return received_.size();
  }
  void peer_changed(bool present) override { presence_.push_back(present); }
  void room_again() override {}

  core::Worker worker_{"test"};
  agent::GuestPort port_{worker_.loop()};
  std::unique_ptr<PortProvider> provider_;
  std::vector<bool> presence_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Bytes received_;
  std::size_t room_ = 1 << 30;
};

TEST_F(PortTest, init_names_the_port) {
  auto client = connect(true).line;
  const auto message = client.receive_message();
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->type, 201);
  EXPECT_THAT(message->body, ElementsAre(7, 0, 0, 0, 9, 0, 0, 0, 0, 'a', '.', 'p', 'o', 'r', 't', 0));
}

TEST_F(PortTest, the_guests_turns_are_events_in_their_place) {
  auto client = connect(true).line;
  open();
  guest_writes({1, 2});
  open(false);
  EXPECT_EQ(client.await<wire::PortEvent>()->change, wire::PortChange::Opened);
  EXPECT_EQ(client.receive_message()->type, wire::PortData::kType);
  EXPECT_EQ(client.await<wire::PortEvent>()->change, wire::PortChange::Closed);
}

TEST_F(PortTest, bytes_go_both_ways) {
  open();
  auto client = connect(true).line;
  guest_writes({1, 2, 3});
  const auto data = client.await<wire::PortData>();
  ASSERT_TRUE(data.has_value());
  EXPECT_THAT(data->data.bytes(), ElementsAre(1, 2, 3));
  client.send_message(wire::PortData{wire::Payload({4, 5})});
  client.send_message(wire::PortClientEvent{wire::PortChange::Break});
  client.send_message(wire::PortData{wire::Payload({6})});
  await_received(3);
  EXPECT_THAT(received_, ElementsAre(4, 5, 6));
}

// As in the reference, where the port's device hears of a break, and virtio's has no use for it.
TEST_F(PortTest, a_clients_events_change_nothing_in_the_guest_and_say_nothing_to_it) {
  open();
  auto client = connect(true).line;
  EXPECT_EQ(client.receive_message()->type, wire::PortInit::kType);
  using enum wire::PortChange;
  for (const auto change : {Opened, Closed, Break, wire::PortChange{255}})
    client.send_message(wire::PortClientEvent{change});
  client.send_message(wire::PortData{wire::Payload({6})});
  await_received(1);
  EXPECT_THAT(received_, ElementsAre(6));
  EXPECT_THAT(presence_, ElementsAre(false, true));
  guest_writes({7});
  EXPECT_EQ(client.receive_message()->type, wire::PortData::kType);
}

TEST_F(PortTest, an_event_is_one_byte) {
  auto client = connect(true).line;
  EXPECT_EQ(client.receive_message()->type, wire::PortInit::kType);
  client.send_plain(wire::MiniHeader{wire::PortClientEvent::kType, 0});
  EXPECT_EQ(client.receive_message(), std::nullopt);
}

TEST_F(PortTest, much_that_packs_well_is_packed_for_who_can) {
  open();
  auto client = connect(true, {wire::kPortLz4Cap}).line;
  guest_writes(Bytes(1000, 7));
  EXPECT_EQ(client.await<wire::PortData>()->data.size(), 1000U);
  guest_writes(Bytes(1001, 7));
  const auto packed = client.await<wire::PortCompressedData>();
  ASSERT_TRUE(packed.has_value());
  EXPECT_EQ(packed->compression, wire::Compression::Lz4);
  EXPECT_EQ(packed->size, 1001U);
  Bytes bytes(1001);
  EXPECT_TRUE(codec::lz4_block_decode(packed->data.bytes(), bytes));
  EXPECT_EQ(bytes, Bytes(1001, 7));
}

TEST_F(PortTest, packed_bytes_from_a_client) {
  open();
  auto client = connect(true).line;
  const Bytes bytes(5000, 9);
  Bytes packed(5000);
  packed.resize(*codec::lz4_block_encode(bytes, packed));
  client.send_message(wire::PortCompressedData{wire::Compression::Lz4, 5000, wire::Payload(packed)});
  EXPECT_EQ(await_received(5000), 5000U);
  EXPECT_EQ(received_, bytes);
}

TEST_F(PortTest, bad_packed_bytes_end_the_channel) {
  open();
  for (const auto size : {0xffffffffU, 10U, 0U}) {
    auto client = connect(true).line;
    client.send_message(wire::PortCompressedData{wire::Compression::Lz4, size, wire::Payload({1, 2, 3})});
    EXPECT_EQ(client.await<wire::PortData>(), std::nullopt);
  }
}

TEST_F(PortTest, a_client_waits_for_a_guest_that_reads_nothing_and_nothing_is_lost) {
  open();
  auto client = connect(true).line;
  make_room(0);
  constexpr std::size_t kMessages = 400;
  std::jthread sender([&client] {
    for (std::size_t i = 0; i < kMessages; ++i)
      client.send_message(wire::PortData{wire::Payload(Bytes(10'000, static_cast<std::uint8_t>(i)))});
  });
  make_room(1 << 30);
  ASSERT_EQ(await_received(kMessages * 10'000), kMessages * 10'000);
  for (std::size_t i = 0; i < kMessages; ++i)
    ASSERT_EQ(received_[i * 10'000 + 9'999], static_cast<std::uint8_t>(i));
}

TEST_F(PortTest, a_client_that_lost_the_port_is_read_to_its_end) {
  open();
  auto client = connect(true);
  make_room(0);
  // More than waits for the guest and in the sockets between: it goes when somebody reads.
  std::jthread sender([&client] {
    for (int i = 0; i < 400; ++i)
      client.line.send_message(wire::PortData{wire::Payload(Bytes(10'000))});
  });
  while (presence_.size() < 2)
    settle();
  on_loop(worker_, [&] {
    client.session->owner = false;
    provider_->owner_changed();
  });
  sender.join();
  client.line.send_message(wire::PortData{wire::Payload(Bytes(PortChannel::kMostData + 100))});  // a violation
  while (client.line.receive_message())
    continue;
  EXPECT_TRUE(client.line.ended());
}

TEST_F(PortTest, only_the_owner_has_the_port_and_it_passes_on) {
  open();
  auto first = connect(true);
  auto second = connect(false);
  EXPECT_EQ(second.line.receive_message()->body[8], 0);  // closed
  guest_writes({1});
  EXPECT_EQ(first.line.await<wire::PortData>()->data.size(), 1U);
  EXPECT_THAT(presence_, ElementsAre(false, true));
  on_loop(worker_, [&] {
    first.session->owner = false;
    second.session->owner = true;
    provider_->owner_changed();
  });
  EXPECT_EQ(second.line.await<wire::PortEvent>()->change, wire::PortChange::Opened);
  EXPECT_THAT(presence_, ElementsAre(false, true, false, true));
  guest_writes({2});
  EXPECT_THAT(second.line.await<wire::PortData>()->data.bytes(), ElementsAre(2));
}

TEST_F(PortTest, the_guest_sees_whether_somebody_is_there) {
  {
    auto client = connect(true);
    EXPECT_TRUE(client.line.receive_message().has_value());
  }
  while (presence_.size() < 3)
    settle();
  EXPECT_THAT(presence_, ElementsAre(false, true, false));
}

// It has not seen yet that the client left.
TEST_F(PortTest, what_the_guest_goes_on_to_say_to_a_client_that_left_is_for_no_other) {
  open();
  {
    auto first = connect(true);
    guest_writes({1});
    EXPECT_EQ(first.line.await<wire::PortData>()->data.size(), 1U);
  }
  while (presence_.size() < 3)
    settle();
  guest_writes({2});
  auto second = connect(true);
  guest_writes({3});
  EXPECT_THAT(second.line.await<wire::PortData>()->data.bytes(), ElementsAre(3));
}

TEST_F(PortTest, what_the_guest_says_when_it_has_begun_anew_waits_for_the_next_client) {
  open();
  {
    auto first = connect(true);
    EXPECT_TRUE(first.line.receive_message().has_value());
  }
  while (presence_.size() < 3)
    settle();
  guest_writes({1});
  open(false);
  open();
  guest_writes({2});
  auto second = connect(true);
  EXPECT_THAT(second.line.await<wire::PortData>()->data.bytes(), ElementsAre(2));
}

}  // namespace
}  // namespace spice::channel
