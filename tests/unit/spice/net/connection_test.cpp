#include "spice/net/connection.h"

#include <atomic>
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spice/net/socket.h"
#include "spice/wire/common.h"
#include "spice/wire/main.h"
#include "tests/unit/spice/loop_fixture.h"

namespace spice::net {
namespace {

using test::on_loop;
using test::RawClient;

class Flip final : public Layer {
 public:
  bool receive(std::span<const std::uint8_t> bytes, Bytes& up, Bytes&) override {
    for (const auto byte : bytes)
      up.push_back(byte ^ 0xff);
    return true;
  }
  void send(std::span<const std::uint8_t> bytes, Bytes& down) override {
    for (const auto byte : bytes)
      down.push_back(byte ^ 0xff);
  }
};

// Counts how often it was given something to send.
class Counter final : public Layer {
 public:
  explicit Counter(std::atomic<int>& sends) : sends_(sends) {}
  bool receive(std::span<const std::uint8_t> bytes, Bytes& up, Bytes&) override {
    up.insert(up.end(), bytes.begin(), bytes.end());
    return true;
  }
  void send(std::span<const std::uint8_t> bytes, Bytes& down) override {
    ++sends_;
    down.insert(down.end(), bytes.begin(), bytes.end());
  }

 private:
  std::atomic<int>& sends_;
};

class ConnectionTest : public testing::Test {
 protected:
  void open(wire::ChannelType channel = wire::ChannelType::Main, bool mini_header = true, bool flipped = false) {
    auto pair = test::socket_pair();
    if (flipped) pair.ours.transport.push(std::make_unique<Flip>());
    client_.emplace(std::move(pair.theirs));
    on_loop(worker_, [&] {
      connection_ = std::make_unique<Connection>(
          worker_.loop(), std::move(pair.ours), ConnectionOptions{.channel = channel, .mini_header = mini_header},
          Connection::Events{.on_message =
                                 [this](std::uint16_t type, std::span<const std::uint8_t> body) {
                                   messages_.emplace_back(type, body.size());
                                   if (type == close_on_) connection_->close("as told");
                                   if (messages_.size() == expected_) enough_.set_value();
                                 },
                             .on_writable = [this] { writable_.set_value(); },
                             .on_closed =
                                 [this](const std::string& reason) {
                                   connection_.reset();
                                   closed_.set_value(reason);
                                 }});
      connection_->start();
    });
  }
  ~ConnectionTest() override {
    on_loop(worker_, [this] { connection_.reset(); });
  }

  using Seen = std::pair<std::uint16_t, std::size_t>;
  core::Worker worker_{"test"};
  std::optional<RawClient> client_;
  std::unique_ptr<Connection> connection_;
  std::vector<Seen> messages_;
  std::size_t expected_ = 0;
  std::uint16_t close_on_ = 0;
  std::promise<void> enough_;
  std::promise<void> writable_;
  std::promise<std::string> closed_;
};

TEST_F(ConnectionTest, messages_arrive_however_they_are_cut) {
  expected_ = 2;
  open();
  const RawClient::Bytes bytes{104, 0, 0, 0, 0, 0, 105, 0, 2, 0, 0, 0, 1, 0};
  for (const auto byte : bytes)
    client_->send({&byte, 1});
  enough_.get_future().wait();
  EXPECT_THAT(messages_, testing::ElementsAre(Seen(104, 0), Seen(105, 2)));
}

TEST_F(ConnectionTest, full_headers_are_understood_and_sent) {
  expected_ = 1;
  open(wire::ChannelType::Main, false);
  client_->send_plain(wire::FullHeader{.serial = 1, .type = 105, .size = 2, .sub_list = 0});
  client_->send(RawClient::Bytes{1, 0});
  enough_.get_future().wait();
  on_loop(worker_, [this] {
    EXPECT_EQ(connection_->next_serial(), 1U);
    connection_->send(wire::MainMultiMediaTime{1});
    connection_->send(wire::MainMultiMediaTime{2});
  });
  static_cast<void>(client_->receive(wire::FullHeader::kSize + 4));
  const auto header = client_->receive_plain<wire::FullHeader>(wire::FullHeader::kSize);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->serial, 2U);
  EXPECT_EQ(header->type, wire::MainMultiMediaTime::kType);
  EXPECT_EQ(header->size, 4U);
}

TEST_F(ConnectionTest, unknown_messages_are_skipped) {
  expected_ = 1;
  open();
  client_->send_plain(wire::MiniHeader{999, 100'000});
  client_->send(RawClient::Bytes(100'000, 7));
  client_->send_plain(wire::MiniHeader{104, 0});
  enough_.get_future().wait();
  EXPECT_EQ(on_loop(worker_, [this] { return connection_->unknown_messages(); }), 1U);
  EXPECT_THAT(messages_, testing::ElementsAre(Seen(104, 0)));
}

TEST_F(ConnectionTest, oversize_message_closes) {
  open();
  client_->send_plain(wire::MiniHeader{105, 3});
  EXPECT_THAT(closed_.get_future().get(), testing::HasSubstr("protocol violation"));
  EXPECT_TRUE(client_->ended());
}

// CVE-2016-9577: the main channel's buffer was as large as messages usually are, and not as this one said it was.
TEST_F(ConnectionTest, cve_2016_9577_message_larger_than_any_closes) {
  open();
  client_->send_plain(wire::MiniHeader{wire::MainClientAgentData::kType, 0x7fff'ffff});
  client_->send(RawClient::Bytes(100'000, 7));
  EXPECT_THAT(closed_.get_future().get(), testing::HasSubstr("protocol violation"));
}

TEST_F(ConnectionTest, oversize_unknown_message_closes) {
  open();
  client_->send_plain(wire::MiniHeader{999, 0xffff'ffff});
  EXPECT_THAT(closed_.get_future().get(), testing::HasSubstr("protocol violation"));
}

TEST_F(ConnectionTest, truncated_ack_sync_closes) {
  open();
  client_->send_plain(wire::MiniHeader{wire::AckSync::kType, 3});
  client_->send(RawClient::Bytes{1, 0, 0});
  EXPECT_THAT(closed_.get_future().get(), testing::HasSubstr("protocol violation"));
}

TEST_F(ConnectionTest, end_of_the_peer_closes) {
  open();
  client_->close();
  EXPECT_EQ(closed_.get_future().get(), "the peer closed it");
}

TEST_F(ConnectionTest, closing_inside_a_handler_stops_the_messages) {
  close_on_ = 104;
  open();
  client_->send(RawClient::Bytes{104, 0, 0, 0, 0, 0, 104, 0, 0, 0, 0, 0});
  EXPECT_EQ(closed_.get_future().get(), "as told");
  EXPECT_EQ(messages_.size(), 1U);
}

TEST_F(ConnectionTest, client_that_never_acknowledges_stalls_at_two_windows) {
  open(wire::ChannelType::Display);
  on_loop(worker_, [this] {
    connection_->start_acks(20);
    int sent = 0;
    for (; connection_->writable(); ++sent)
      connection_->send(wire::SetAck{});
    EXPECT_EQ(sent, 40);  // and the first SET_ACK
    connection_->send(wire::Notify{});
  });
  // What is sent all the same waits.
  EXPECT_EQ(client_->receive(41 * 14).size(), 41U * 14);
  client_->send_message(wire::AckSync{1});
  client_->send_message(wire::Ack{});
  EXPECT_EQ(client_->receive_message()->type, wire::Notify::kType);
  writable_.get_future().wait();
}

TEST_F(ConnectionTest, writable_comes_back_when_the_client_reads) {
  open(wire::ChannelType::Display);
  const std::size_t size = on_loop(worker_, [this] {
    std::size_t sent = 0;
    const wire::Payload data(std::vector<std::uint8_t>(100'000));
    for (; connection_->writable(); sent += data.size() + 6)
      connection_->send(wire::MigrateData{data});
    return sent;
  });
  EXPECT_EQ(client_->receive(size).size(), size);
  writable_.get_future().wait();
}

TEST_F(ConnectionTest, client_that_lets_its_queue_overflow_is_dropped) {
  open(wire::ChannelType::Main);
  on_loop(worker_, [this] {
    for (int i = 0; i < 100'000 && connection_->is_open(); ++i)
      connection_->send(wire::Notify{.text = "a line that nobody reads"});
    EXPECT_FALSE(connection_->is_open());
  });
  EXPECT_EQ(closed_.get_future().get(), "it does not take what it is sent");
}

TEST_F(ConnectionTest, layers_of_the_transport_apply) {
  expected_ = 1;
  open(wire::ChannelType::Main, true, true);
  client_->send(RawClient::Bytes{104 ^ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
  enough_.get_future().wait();
  on_loop(worker_, [this] { connection_->send(wire::MainMultiMediaTime{0x01020304}); });
  EXPECT_THAT(client_->receive(10), testing::ElementsAre(106 ^ 0xff, 0xff, 4 ^ 0xff, 0xff, 0xff, 0xff, 4 ^ 0xff,
                                                         3 ^ 0xff, 2 ^ 0xff, 1 ^ 0xff));
}

TEST_F(ConnectionTest, small_messages_in_a_row_go_out_together) {
  std::atomic<int> sends = 0;
  auto pair = test::socket_pair();
  pair.ours.transport.push(std::make_unique<Counter>(sends));
  RawClient client(std::move(pair.theirs));
  std::optional<Connection> connection;
  on_loop(worker_, [&] {
    connection.emplace(worker_.loop(), std::move(pair.ours), ConnectionOptions{.channel = wire::ChannelType::Main},
                       Connection::Events{.on_message = [](std::uint16_t, std::span<const std::uint8_t>) {},
                                          .on_writable = [] {},
                                          .on_closed = [](const std::string&) {}});
    connection->start();
    for (std::uint32_t time = 0; time < 10; ++time)
      connection->send(wire::MainMultiMediaTime{time});
    EXPECT_TRUE(connection->writable());
  });
  EXPECT_EQ(client.receive(std::size_t{10} * 10).size(), 100U);
  EXPECT_EQ(sends, 1);
  // What was sent before the end is not lost with it.
  on_loop(worker_, [&] {
    connection->send(wire::MainMultiMediaTime{10});
    connection.reset();
  });
  EXPECT_EQ(client.receive(10).size(), 10U);
}

TEST(SocketTest, moves_between_loops_with_its_bytes) {
  auto pair = test::socket_pair();
  core::Worker first("first");
  core::Worker second("second");
  std::promise<void> arrived;
  std::unique_ptr<Socket> socket;
  on_loop(first, [&] {
    socket = std::make_unique<Socket>(first.loop(), std::move(pair.ours),
                                      Socket::Events{.on_input =
                                                         [&] {
                                                           if (socket->input().size() == 6) arrived.set_value();
                                                         },
                                                     .on_drained = [] {},
                                                     .on_closed = [](const std::string&) {}});
    socket->start();
  });
  pair.theirs.send(RawClient::Bytes{1, 2, 3, 4, 5, 6});
  arrived.get_future().wait();
  // Fill the kernel's buffer, so that something stays unsent.
  std::size_t sent = 0;
  auto stream = on_loop(first, [&] {
    socket->consume(2);
    while (socket->queued_bytes() == 0) {
      wire::Gather data;
      data.append(RawClient::Bytes(50'000, 9));
      sent += data.size();
      socket->send(std::move(data));
    }
    auto detached = socket->detach();
    socket.reset();
    return detached;
  });
  EXPECT_FALSE(stream.unsent.empty());
  EXPECT_THAT(stream.unread, testing::ElementsAre(3, 4, 5, 6));

  std::promise<RawClient::Bytes> offered;
  on_loop(second, [&] {
    socket = std::make_unique<Socket>(
        second.loop(), std::move(stream),
        Socket::Events{.on_input = [&] { offered.set_value({socket->input().begin(), socket->input().end()}); },
                       .on_drained = [] {},
                       .on_closed = [](const std::string&) {}});
    socket->start();
  });
  EXPECT_THAT(offered.get_future().get(), testing::ElementsAre(3, 4, 5, 6));
  EXPECT_EQ(pair.theirs.receive(sent).size(), sent);
  on_loop(second, [&] { socket.reset(); });
}

// On its loop: all that it tells is why it was closed.
std::unique_ptr<Socket> listening_socket(core::Loop& loop, Stream stream, std::promise<std::string>& closed) {
  auto socket = std::make_unique<Socket>(
      loop, std::move(stream),
      Socket::Events{.on_input = [] {},
                     .on_drained = [] {},
                     .on_closed = [&closed](const std::string& reason) { closed.set_value(reason); }});
  socket->start();
  return socket;
}

TEST(SocketTest, cut_tether_ends_the_stream_and_its_end_is_told) {
  auto pair = test::socket_pair();
  core::Worker worker("test");
  std::promise<void> gone;
  std::promise<std::string> closed;
  const auto tether = std::make_shared<Tether>([&gone] { gone.set_value(); });
  pair.ours.fd.tie(tether);
  std::unique_ptr<Socket> socket;
  on_loop(worker, [&] { socket = listening_socket(worker.loop(), std::move(pair.ours), closed); });
  tether->cut();
  EXPECT_EQ(closed.get_future().get(), "the peer closed it");
  gone.get_future().wait();
  on_loop(worker, [&] { socket.reset(); });
}

// Answers every byte with many.
class Chatty final : public Layer {
 public:
  bool receive(std::span<const std::uint8_t> bytes, Bytes&, Bytes& down) override {
    down.resize(down.size() + bytes.size() * 1000);
    return true;
  }
  void send(std::span<const std::uint8_t>, Bytes&) override {}
};

TEST(SocketTest, peer_that_asks_a_layer_and_takes_no_answer_is_closed) {
  auto pair = test::socket_pair();
  pair.ours.transport.push(std::make_unique<Chatty>());
  core::Worker worker("test");
  std::promise<std::string> closed;
  std::unique_ptr<Socket> socket;
  on_loop(worker, [&] { socket = listening_socket(worker.loop(), std::move(pair.ours), closed); });
  // Until it hangs up.
  while (::send(pair.theirs.fd(), "x", 1, MSG_NOSIGNAL) == 1) {
  }
  EXPECT_EQ(closed.get_future().get(), "the peer ended the transport or broke its rules");
  on_loop(worker, [&] { socket.reset(); });
}

}  // namespace
}  // namespace spice::net
