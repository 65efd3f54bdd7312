// Connections that link, over real sockets: what lies between the socket and the handshake.
#include "spice/server/linking.h"

#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spice/wire/coding.h"
#include "tests/unit/spice/loop_fixture.h"
#include "tests/unit/spice/server/fake_sasl.h"

namespace spice::server {
namespace {

using test::on_loop;
using test::RawClient;
using testing::ElementsAre;
using testing::StartsWith;
using Bytes = RawClient::Bytes;

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

class Host final : public LinkHost {
 public:
  explicit Host(SaslService* service) : sasl_(service) {}
  const std::array<std::uint8_t, wire::kPublicKeySize>& public_key() override { return key_; }
  wire::Capabilities channel_caps(wire::ChannelKey) override { return {}; }
  wire::LinkError transport_verdict(wire::ChannelType, bool) override { return wire::LinkError::Ok; }
  bool accepts_ticket(std::span<const std::uint8_t>) override { return true; }
  SaslService* sasl() override { return sasl_; }
  wire::LinkError admit(const wire::LinkMessage&) override { return wire::LinkError::Ok; }

 private:
  SaslService* sasl_;
  std::array<std::uint8_t, wire::kPublicKeySize> key_{};
};

const Bytes kRequest = bytes_of(
    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: binary\r\n\r\n");
constexpr std::size_t kAnswerSize = 129 + 32;  // of RFC 6455 1.3, and the sub-protocol
constexpr std::size_t kReplySize = 16 + 178 + 4;

Bytes link_bytes() {
  wire::LinkMessage message;
  message.channel_type = wire::ChannelType::Main;
  message.common_caps = {0xf};
  const auto body = wire::encode(message).flatten();
  return wire::encode(wire::LinkHeader{.size = static_cast<std::uint32_t>(body.size())}).flatten() + body;
}

const Bytes kChooseTicket{1, 0, 0, 0};
const Bytes kTicket(wire::kTicketSize, 7);

// A client's binary frame with a mask of zeros.
Bytes frame(const Bytes& payload, std::uint8_t first = 0x82) {
  Bytes bytes{first};
  if (payload.size() < 126) {
    bytes.push_back(static_cast<std::uint8_t>(0x80 | payload.size()));
  } else {
    bytes =
        bytes + Bytes{0xfe, static_cast<std::uint8_t>(payload.size() >> 8), static_cast<std::uint8_t>(payload.size())};
  }
  return bytes + Bytes(4) + payload;
}

class LinkingTest : public testing::Test {
 protected:
  void open(std::chrono::nanoseconds timeout = std::chrono::seconds(30)) {
    auto pair = test::socket_pair();
    client_.emplace(std::move(pair.theirs));
    on_loop(worker_, [&] {
      linking_ = std::make_unique<Linking>(
          worker_.loop(), Linking::Limits{.max_links = 4, .timeout = timeout, .failure_delay = {}},
          Linking::Events{.on_linked =
                              [this](net::Stream stream, const LinkStage&, const LinkHost&) {
                                stream_ = std::move(stream);
                                linked_.set_value();
                              },
                          .on_dropped = [this](const net::Endpoint&, const net::Endpoint&) { dropped_.set_value(); }});
      linking_->begin_answering();
      linking_->add(std::move(pair.ours), std::make_unique<Host>(wants_sasl_ ? &sasl_ : nullptr));
    });
  }
  void send(const Bytes& bytes) { client_->send(bytes); }
  std::string receive_text(std::size_t size) {
    const auto bytes = client_->receive(size);
    return {bytes.begin(), bytes.end()};
  }
  // Of so many frames as it takes: what we send at once depends on what came at once.
  Bytes receive_payload(std::size_t size) {
    Bytes payload;
    while (payload.size() < size) {
      const auto header = client_->receive(2);
      if (header.size() < 2) break;
      std::size_t length = header[1];
      if (length == 126) {
        const auto more = client_->receive(2);
        length = std::size_t{more[0]} << 8 | more[1];
      }
      payload = payload + client_->receive(length);
    }
    return payload;
  }
  void upgrade() {
    send(kRequest);
    EXPECT_THAT(receive_text(kAnswerSize), testing::EndsWith("Sec-WebSocket-Protocol: binary\r\n\r\n"));
  }
  void link_through_frames() {
    send(frame(link_bytes()));
    EXPECT_THAT(Bytes(client_->receive(4)), ElementsAre(0x82, 126, 0, kReplySize));
    EXPECT_EQ(client_->receive(kReplySize).size(), kReplySize);
    send(frame(kChooseTicket) + frame(kTicket));
    EXPECT_THAT(client_->receive(6), ElementsAre(0x82, 4, 0, 0, 0, 0));
  }
  ~LinkingTest() override {
    on_loop(worker_, [this] {
      linking_.reset();
      stream_.reset();
    });
  }

  test::FakeSasl sasl_;
  bool wants_sasl_ = false;
  core::Worker worker_{"test"};
  std::unique_ptr<Linking> linking_;
  std::optional<RawClient> client_;
  std::optional<net::Stream> stream_;
  std::promise<void> linked_;
  std::promise<void> dropped_;
};

TEST_F(LinkingTest, websocket_client_links) {
  open();
  upgrade();
  link_through_frames();
  linked_.get_future().wait();
  on_loop(worker_, [this] { EXPECT_FALSE(stream_->transport.plain()); });
}

TEST_F(LinkingTest, plain_client_has_no_layers) {
  open();
  send(link_bytes() + kChooseTicket + kTicket);
  EXPECT_EQ(client_->receive(kReplySize + 4).size(), kReplySize + 4);
  linked_.get_future().wait();
  on_loop(worker_, [this] { EXPECT_TRUE(stream_->transport.plain()); });
}

TEST_F(LinkingTest, websocket_in_single_bytes) {
  open();
  for (const auto byte : kRequest)
    send({byte});
  EXPECT_EQ(receive_text(kAnswerSize).size(), kAnswerSize);
  for (const auto byte : frame(link_bytes()) + frame(kChooseTicket + kTicket))
    send({byte});
  EXPECT_EQ(receive_payload(kReplySize + 4).size(), kReplySize + 4);
  linked_.get_future().wait();
}

TEST_F(LinkingTest, websocket_in_one_piece_with_messages_behind) {
  open();
  send(kRequest + frame(link_bytes() + kChooseTicket + kTicket + Bytes{101, 0, 0}));
  linked_.get_future().wait();
  on_loop(worker_, [this] { EXPECT_THAT(stream_->unread, ElementsAre(101, 0, 0)); });
}

TEST_F(LinkingTest, web_page_is_told_what_this_is) {
  open();
  send(bytes_of("GET / HTTP/1.1\r\nHost: h\r\nAccept: text/html\r\n\r\n"));
  const auto answer = receive_text(4096);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 426 Upgrade Required\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("here.\n"));
  client_->close();
  dropped_.get_future().wait();
}

TEST_F(LinkingTest, refused_request_is_not_listened_to_any_more) {
  open();
  send(bytes_of("GET / HTTP/1.1\r\n\r\n") + kRequest);
  EXPECT_THAT(receive_text(4096), StartsWith("HTTP/1.1 400 "));
  send(kRequest);
  client_->close();
  dropped_.get_future().wait();
}

TEST_F(LinkingTest, half_a_request_is_closed_in_time) {
  open(std::chrono::milliseconds(20));
  send(bytes_of("GET / HTTP/1.1\r\nHost:"));
  EXPECT_TRUE(client_->ended());
  dropped_.get_future().wait();
}

TEST_F(LinkingTest, request_without_end_is_refused) {
  open();
  send(bytes_of("GET /") + Bytes(net::WebSocketUpgrade::kMaxRequest, 'x'));
  EXPECT_THAT(receive_text(4096), StartsWith("HTTP/1.1 431 "));
}

TEST_F(LinkingTest, close_code_of_a_bad_frame_arrives) {
  open();
  upgrade();
  send(frame({'h', 'i'}, 0x81));
  EXPECT_THAT(client_->receive(5), ElementsAre(0x88, 2, 0x03, 0xeb));
  dropped_.get_future().wait();
}

TEST_F(LinkingTest, bad_frame_right_behind_the_request) {
  open();
  send(kRequest + Bytes{0x82, 1, 5});
  EXPECT_EQ(receive_text(kAnswerSize).size(), kAnswerSize);
  EXPECT_THAT(client_->receive(5), ElementsAre(0x88, 2, 0x03, 0xea));
  dropped_.get_future().wait();
}

TEST_F(LinkingTest, close_is_answered) {
  open();
  upgrade();
  send(frame({0x03, 0xe8}, 0x88));
  EXPECT_THAT(client_->receive(5), ElementsAre(0x88, 2, 0x03, 0xe8));
  dropped_.get_future().wait();
}

TEST_F(LinkingTest, refusal_is_followed_by_a_close_frame) {
  open();
  upgrade();
  send(frame(bytes_of("nope")));
  EXPECT_EQ(client_->receive(4 + 16 + 178).size(), 4U + 16U + 178U);
  EXPECT_THAT(client_->receive(5), ElementsAre(0x88, 2, 0x03, 0xe8));
}

TEST_F(LinkingTest, pings_of_a_client_that_reads_nothing_fill_no_memory) {
  open();
  upgrade();
  Bytes pings;
  for (int i = 0; i < 500; ++i)
    pings = pings + frame(Bytes(125, 1), 0x89);
  const auto dropped = dropped_.get_future();
  while (dropped.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
    send(pings);
}

TEST_F(LinkingTest, sasl_wraps_the_result_and_all_behind_it) {
  wants_sasl_ = true;
  sasl_.wraps = true;
  open();
  Bytes wrapped{101, 0, 9};
  for (auto& byte : wrapped)
    byte ^= 0xff;
  // The client's wrapped message waits for nothing.
  send(link_bytes() + Bytes{2, 0, 0, 0} + Bytes{6, 0, 0, 0} + bytes_of("SESAME") + Bytes{12, 0, 0, 0} +
       bytes_of("open sesame") + Bytes{0} + wrapped);
  const auto before = client_->receive(kReplySize + 4 + 14 + 4 + 8 + 1 + 4);
  EXPECT_THAT(std::span(before).last(5), ElementsAre(1, 0, 0, 0, 0));
  EXPECT_THAT(client_->receive(4), ElementsAre(0xff, 0xff, 0xff, 0xff));
  linked_.get_future().wait();
  on_loop(worker_, [this] { EXPECT_THAT(stream_->unread, ElementsAre(101, 0, 9)); });
}

TEST_F(LinkingTest, sasl_within_a_websocket) {
  wants_sasl_ = true;
  sasl_.wraps = true;
  open();
  upgrade();
  send(frame(link_bytes() + Bytes{2, 0, 0, 0} + Bytes{6, 0, 0, 0} + bytes_of("SESAME") + Bytes{12, 0, 0, 0} +
             bytes_of("open sesame") + Bytes{0}));
  linked_.get_future().wait();
  const auto answers = receive_payload(kReplySize + 4 + 14 + 4 + 8 + 1 + 4 + 4);
  EXPECT_THAT(std::span(answers).last(4), ElementsAre(0xff, 0xff, 0xff, 0xff));
}

}  // namespace
}  // namespace spice::server
