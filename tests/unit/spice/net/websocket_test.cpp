// WebSocket: the request that opens it, and its frames.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spice/net/websocket_layer.h"
#include "spice/net/websocket_upgrade.h"

namespace spice::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using State = WebSocketUpgrade::State;
using Opening = WebSocketUpgrade::Opening;

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

// The request of RFC 6455 1.3.
constexpr std::string_view kFirst = "GET /chat HTTP/1.1\r\n";
constexpr std::string_view kHost = "Host: server.example.com\r\n";
constexpr std::string_view kUpgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
constexpr std::string_view kKey = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
constexpr std::string_view kVersion = "Sec-WebSocket-Version: 13\r\n";
constexpr std::string_view kEnd = "\r\n";

std::string lines(std::initializer_list<std::string_view> parts) {
  std::string all;
  for (const auto part : parts)
    all += part;
  return all;
}

const std::string kRequest = lines({kFirst, kHost, kUpgrade, kKey, kVersion, kEnd});

// What comes back for a whole request.
std::string answer_to(std::string_view request) {
  WebSocketUpgrade upgrade;
  upgrade.receive(bytes_of(request));
  const auto answer = upgrade.answer();
  return {answer.begin(), answer.end()};
}

TEST(WebSocketUpgrade, first_bytes_decide) {
  EXPECT_EQ(WebSocketUpgrade::opening({}), Opening::Unknown);
  EXPECT_EQ(WebSocketUpgrade::opening(bytes_of("G")), Opening::Unknown);
  EXPECT_EQ(WebSocketUpgrade::opening(bytes_of("GET")), Opening::Unknown);
  EXPECT_EQ(WebSocketUpgrade::opening(bytes_of("GET ")), Opening::Http);
  EXPECT_EQ(WebSocketUpgrade::opening(bytes_of("GET / HTTP/1.1")), Opening::Http);
  EXPECT_EQ(WebSocketUpgrade::opening(bytes_of("R")), Opening::Other);
  EXPECT_EQ(WebSocketUpgrade::opening(bytes_of("GETX")), Opening::Other);
}

TEST(WebSocketUpgrade, request_of_the_standard_gets_its_answer) {
  WebSocketUpgrade upgrade;
  EXPECT_EQ(upgrade.receive(bytes_of(kRequest)), kRequest.size());
  EXPECT_EQ(upgrade.state(), State::Open);
  const auto answer = upgrade.answer();
  EXPECT_EQ(std::string(answer.begin(), answer.end()),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
}

TEST(WebSocketUpgrade, request_in_single_bytes) {
  WebSocketUpgrade upgrade;
  for (std::size_t size = 0; size < kRequest.size(); ++size) {
    EXPECT_EQ(upgrade.receive(bytes_of(kRequest.substr(0, size))), 0U);
    EXPECT_EQ(upgrade.state(), State::Reading);
  }
  EXPECT_EQ(upgrade.receive(bytes_of(kRequest)), kRequest.size());
  EXPECT_EQ(upgrade.state(), State::Open);
}

TEST(WebSocketUpgrade, frames_behind_the_request_stay) {
  WebSocketUpgrade upgrade;
  EXPECT_EQ(upgrade.receive(bytes_of(kRequest) + Bytes{0x82, 0x80}), kRequest.size());
}

TEST(WebSocketUpgrade, binary_is_taken_from_any_list) {
  for (const auto* list : {"binary", "binary, base64", "base64,binary", "chat , binary ", "Binary"}) {
    const auto field = fmt::format("Sec-WebSocket-Protocol: {}\r\n", list);
    EXPECT_THAT(answer_to(lines({kFirst, kHost, kUpgrade, kKey, kVersion, field, kEnd})),
                testing::AllOf(StartsWith("HTTP/1.1 101 "), HasSubstr("Sec-WebSocket-Protocol: binary\r\n")))
        << list;
  }
  const auto apart = "Sec-WebSocket-Protocol: chat\r\nsec-websocket-protocol: binary\r\n";
  EXPECT_THAT(answer_to(lines({kFirst, kHost, kUpgrade, kKey, kVersion, apart, kEnd})), StartsWith("HTTP/1.1 101 "));
}

TEST(WebSocketUpgrade, other_sub_protocols_are_refused) {
  for (const auto* list : {"base64", "", "binaryx", "bin,ary"}) {
    const auto field = fmt::format("Sec-WebSocket-Protocol: {}\r\n", list);
    EXPECT_THAT(answer_to(lines({kFirst, kHost, kUpgrade, kKey, kVersion, field, kEnd})), StartsWith("HTTP/1.1 400 "))
        << list;
  }
}

TEST(WebSocketUpgrade, names_and_words_in_any_case_and_order) {
  EXPECT_THAT(answer_to("GET / HTTP/1.1\r\nCONNECTION: keep-alive, UPGRADE\r\nsec-websocket-version:13\r\n"
                        "upgrade:\tWebSocket \r\nhost: h\r\nSEC-WEBSOCKET-KEY:  dGhlIHNhbXBsZSBub25jZQ==  \r\n\r\n"),
              testing::AllOf(StartsWith("HTTP/1.1 101 "), Not(HasSubstr("Protocol:"))));
}

TEST(WebSocketUpgrade, what_is_no_request_for_a_websocket) {
  const std::vector<std::pair<std::string, int>> cases{
      {lines({kFirst, kHost, kEnd}), 426},
      {lines({kFirst, kHost, "Upgrade: h2c\r\nConnection: Upgrade\r\n", kKey, kVersion, kEnd}), 426},
      {lines({kFirst, kHost, "Upgrade: websocket\r\nConnection: close\r\n", kKey, kVersion, kEnd}), 426},
      {lines({kFirst, kHost, kUpgrade, kKey, kEnd}), 426},
      {lines({kFirst, kHost, kUpgrade, kKey, "Sec-WebSocket-Version: 8\r\n", kEnd}), 426},
      {lines({kFirst, kHost, kUpgrade, kKey, kVersion, kVersion, kEnd}), 426},
      {lines({kFirst, kUpgrade, kKey, kVersion, kEnd}), 400},
      {lines({kFirst, kHost, kHost, kUpgrade, kKey, kVersion, kEnd}), 400},
      {lines({kFirst, kHost, kUpgrade, kVersion, kEnd}), 400},
      {lines({kFirst, kHost, kUpgrade, kKey, kKey, kVersion, kEnd}), 400},
      {lines({kFirst, kHost, kUpgrade, "Sec-WebSocket-Key: short==\r\n", kVersion, kEnd}), 400},
      {lines({kFirst, kHost, kUpgrade, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!Q==\r\n", kVersion, kEnd}), 400},
      {lines({"GET / HTTP/1.0\r\n", kHost, kUpgrade, kKey, kVersion, kEnd}), 400},
      {lines({"GET  HTTP/1.1\r\n", kHost, kUpgrade, kKey, kVersion, kEnd}), 400},
      {lines({"GET /\r\n", kHost, kUpgrade, kKey, kVersion, kEnd}), 400},
      {lines({"GET \r\n", kHost, kEnd}), 400},
      {lines({"GET\r\n", kHost, kEnd}), 400},
      {lines({"POST / HTTP/1.1\r\n", kHost, kUpgrade, kKey, kVersion, kEnd}), 400},
      {lines({kEnd, kEnd}), 400},
      {lines({kFirst, "no field\r\n", kEnd}), 400},
      {lines({kFirst, kHost, "Spaced : x\r\n", kEnd}), 400},
      {lines({kFirst, kHost, " folded\r\n", kEnd}), 400},
      {lines({kFirst, kHost, ": x\r\n", kEnd}), 400},
      {lines({kFirst, kHost, "A: \x01\r\n", kEnd}), 400},
      {lines({kFirst, kHost, "A: a\nB: b\r\n", kEnd}), 400},
  };
  for (const auto& [request, status] : cases) {
    const auto answer = answer_to(request);
    EXPECT_THAT(answer, StartsWith(fmt::format("HTTP/1.1 {} ", status))) << request;
    EXPECT_THAT(answer, HasSubstr("close\r\n"));
    if (status == 426) {
      EXPECT_THAT(answer, HasSubstr("\r\nSec-WebSocket-Version: 13\r\n"));
      EXPECT_THAT(answer, HasSubstr("\r\nUpgrade: websocket\r\nSec"));
    }
  }
}

TEST(WebSocketUpgrade, answer_says_how_long_its_text_is) {
  const auto answer = answer_to(lines({kFirst, kHost, kEnd}));
  const auto body = answer.substr(answer.find("\r\n\r\n") + 4);
  EXPECT_THAT(answer, HasSubstr(fmt::format("Content-Length: {}\r\n", body.size())));
}

TEST(WebSocketUpgrade, long_request_is_refused_before_it_ends) {
  auto request = bytes_of(lines({kFirst, kHost, "Cookie: "}));
  WebSocketUpgrade upgrade;
  request.resize(WebSocketUpgrade::kMaxRequest - 1, 'x');
  EXPECT_EQ(upgrade.receive(request), 0U);
  EXPECT_EQ(upgrade.state(), State::Reading);
  request.push_back('x');
  EXPECT_EQ(upgrade.receive(request), request.size());
  EXPECT_EQ(upgrade.state(), State::Refused);
  const auto answer = upgrade.answer();
  EXPECT_THAT(std::string(answer.begin(), answer.end()), StartsWith("HTTP/1.1 431 "));
  EXPECT_EQ(upgrade.receive(request), 0U);
}

TEST(WebSocketUpgrade, too_many_fields) {
  const auto with_fields = [](std::size_t more) {
    std::string request = lines({kFirst, kHost, kUpgrade, kKey, kVersion});
    for (std::size_t i = 0; i < more; ++i)
      request += "A: b\r\n";
    return answer_to(request + "\r\n");
  };
  constexpr std::size_t kOurs = 5;
  EXPECT_THAT(with_fields(WebSocketUpgrade::kMaxFields - kOurs), StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(with_fields(WebSocketUpgrade::kMaxFields - kOurs + 1), StartsWith("HTTP/1.1 431 "));
}

TEST(WebSocketUpgrade, pages_of_other_hosts_may_be_left_out) {
  const auto status = [](std::string_view origin, WebSocketUpgrade::Pages pages) {
    WebSocketUpgrade upgrade(pages);
    const auto field = origin.empty() ? "" : fmt::format("Origin: {}\r\n", origin);
    upgrade.receive(bytes_of(lines({kFirst, kHost, kUpgrade, kKey, kVersion, field, kEnd})));
    return std::string(upgrade.answer().begin() + 9, upgrade.answer().begin() + 12);
  };
  using Pages = WebSocketUpgrade::Pages;
  for (const auto* origin : {"", "http://localhost", "http://LocalHost:8000", "https://127.0.0.1:1", "http://[::1]:80"})
    EXPECT_EQ(status(origin, Pages::Local), "101") << origin;
  for (const auto* origin : {"null", "http://example.com", "http://127.0.0.1.example.com",
                             "http://localhost.example.com", "http://[::2]", "http://[::1", "http://",
                             "https://192.0.2.1:127", "localhost", "http://localhost\r\nOrigin: http://example.com"}) {
    EXPECT_EQ(status(origin, Pages::Local), "403") << origin;
    EXPECT_EQ(status(origin, Pages::Any), "101") << origin;
  }
}

// A client's frame, masked.
Bytes frame(std::uint8_t first, const Bytes& payload) {
  const Bytes mask{0x37, 0xfa, 0x21, 0x3d};
  Bytes bytes{first};
  const auto size = payload.size();
  if (size < 126) {
    bytes.push_back(static_cast<std::uint8_t>(0x80 | size));
  } else if (size <= 0xffff) {
    bytes = bytes + Bytes{0xfe, static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
  } else {
    bytes = bytes + Bytes{0xff,
                          0,
                          0,
                          0,
                          0,
                          static_cast<std::uint8_t>(size >> 24),
                          static_cast<std::uint8_t>(size >> 16),
                          static_cast<std::uint8_t>(size >> 8),
                          static_cast<std::uint8_t>(size)};
  }
  bytes = bytes + mask;
  for (std::size_t i = 0; i < size; ++i)
    bytes.push_back(payload[i] ^ mask[i % 4]);
  return bytes;
}

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<std::uint8_t>(i * 7 + 1);
  return bytes;
}

constexpr std::uint8_t kBinary = 0x82;
constexpr std::uint8_t kBinaryBegins = 0x02;
constexpr std::uint8_t kContinues = 0x00;
constexpr std::uint8_t kEnds = 0x80;
constexpr std::uint8_t kText = 0x81;
constexpr std::uint8_t kClose = 0x88;
constexpr std::uint8_t kPing = 0x89;
constexpr std::uint8_t kPong = 0x8a;

class WebSocketLayerTest : public testing::Test {
 protected:
  bool receive(const Bytes& bytes) { return layer_.receive(bytes, up_, down_); }
  // The violation's code goes to the peer, and the layer is done.
  void expect_refusal(const Bytes& bytes, unsigned code) {
    EXPECT_FALSE(receive(bytes));
    EXPECT_THAT(down_, ElementsAre(kClose, 2, code >> 8, code & 0xff));
    EXPECT_FALSE(receive(frame(kBinary, {1})));
    Bytes more;
    layer_.send(Bytes{1}, more);
    layer_.end(more);
    EXPECT_TRUE(more.empty());
  }

  WebSocketLayer layer_;
  Bytes up_;
  Bytes down_;
};

TEST_F(WebSocketLayerTest, frames_of_all_length_forms_arrive) {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 65535U, 65536U, 200000U}) {
    up_.clear();
    EXPECT_TRUE(receive(frame(kBinary, pattern(size)))) << size;
    EXPECT_EQ(up_, pattern(size));
  }
  EXPECT_TRUE(down_.empty());
}

TEST_F(WebSocketLayerTest, single_bytes) {
  const auto bytes = frame(kBinary, pattern(300)) + frame(kPing, {5, 6}) + frame(kBinary, {}) + frame(kBinary, {9});
  for (const auto byte : bytes)
    EXPECT_TRUE(receive({byte}));
  EXPECT_EQ(up_, pattern(300) + Bytes{9});
  EXPECT_THAT(down_, ElementsAre(kPong, 2, 5, 6));
}

TEST_F(WebSocketLayerTest, payload_is_passed_on_before_its_frame_ends) {
  const auto bytes = frame(kBinary, pattern(70000));
  EXPECT_TRUE(receive({bytes.begin(), bytes.begin() + 1014}));
  EXPECT_EQ(up_, pattern(1000));
}

TEST_F(WebSocketLayerTest, fragments_with_control_frames_between_them) {
  EXPECT_TRUE(receive(frame(kBinaryBegins, {1, 2}) + frame(kPing, {7}) + frame(kContinues, {}) + frame(kPong, {8}) +
                      frame(kContinues, {3}) + frame(kEnds, {4}) + frame(kBinary, {5})));
  EXPECT_THAT(up_, ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(down_, ElementsAre(kPong, 1, 7));
}

TEST_F(WebSocketLayerTest, longest_ping) {
  EXPECT_TRUE(receive(frame(kPing, pattern(125))));
  EXPECT_EQ(down_, (Bytes{kPong, 125} + pattern(125)));
}

TEST_F(WebSocketLayerTest, close_is_answered_with_its_code) {
  EXPECT_FALSE(receive(frame(kBinary, {1}) + frame(kClose, {0x03, 0xe9, 'b', 'y', 'e'})));
  EXPECT_THAT(up_, ElementsAre(1));
  EXPECT_THAT(down_, ElementsAre(kClose, 2, 0x03, 0xe9));
  EXPECT_FALSE(receive({}));
}

TEST_F(WebSocketLayerTest, close_without_code) {
  EXPECT_FALSE(receive(frame(kClose, {})));
  EXPECT_THAT(down_, ElementsAre(kClose, 0));
}

TEST_F(WebSocketLayerTest, close_with_half_a_code) {
  expect_refusal(frame(kClose, {3}), 1002);
}

TEST(WebSocketLayer, close_codes_that_may_not_be_sent) {
  for (const unsigned code : {0U, 999U, 1004U, 1005U, 1006U, 1015U, 2999U, 5000U}) {
    WebSocketLayer layer;
    Bytes up;
    Bytes down;
    EXPECT_FALSE(layer.receive(frame(kClose, {static_cast<std::uint8_t>(code >> 8), static_cast<std::uint8_t>(code)}),
                               up, down));
    EXPECT_THAT(down, ElementsAre(kClose, 2, 0x03, 0xea)) << code;
  }
}

TEST_F(WebSocketLayerTest, text_is_refused) {
  expect_refusal(frame(kText, {'h', 'i'}), 1003);
}

TEST_F(WebSocketLayerTest, unmasked_frame) {
  expect_refusal({kBinary, 1, 5}, 1002);
}

TEST_F(WebSocketLayerTest, continuation_of_nothing) {
  expect_refusal(frame(kEnds, {1}), 1002);
}

TEST_F(WebSocketLayerTest, message_within_a_message) {
  expect_refusal(frame(kBinaryBegins, {1}) + frame(kBinary, {2}), 1002);
}

TEST_F(WebSocketLayerTest, fragmented_ping) {
  expect_refusal(frame(0x09, {1}), 1002);
}

TEST_F(WebSocketLayerTest, long_ping) {
  expect_refusal(frame(kPing, pattern(126)), 1002);
}

TEST(WebSocketLayer, reserved_bits_and_opcodes) {
  for (const unsigned first : {0xc2U, 0xa2U, 0x92U, 0x83U, 0x87U, 0x8bU, 0x8fU}) {
    WebSocketLayer layer;
    Bytes up;
    Bytes down;
    EXPECT_FALSE(layer.receive(frame(static_cast<std::uint8_t>(first), {1}), up, down));
    EXPECT_THAT(down, ElementsAre(kClose, 2, 0x03, 0xea)) << first;
    EXPECT_TRUE(up.empty());
  }
}

TEST_F(WebSocketLayerTest, length_of_more_bits_than_there_are) {
  expect_refusal({kBinary, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4}, 1002);
}

TEST_F(WebSocketLayerTest, length_in_too_long_a_form) {
  expect_refusal({kBinary, 0xfe, 0, 125, 1, 2, 3, 4}, 1002);
}

TEST_F(WebSocketLayerTest, long_length_in_too_long_a_form) {
  expect_refusal({kBinary, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4}, 1002);
}

TEST_F(WebSocketLayerTest, larger_frame_than_anybody_needs) {
  expect_refusal({kBinary, 0xff, 0, 0, 0, 0, 4, 0, 0, 1, 1, 2, 3, 4}, 1009);
}

TEST_F(WebSocketLayerTest, what_we_send_is_one_unmasked_frame) {
  layer_.send(Bytes{1, 2}, down_);
  EXPECT_THAT(down_, ElementsAre(kBinary, 2, 1, 2));
  down_.clear();
  layer_.send(pattern(126), down_);
  EXPECT_EQ(down_, (Bytes{kBinary, 126, 0, 126} + pattern(126)));
  down_.clear();
  layer_.send(pattern(65536), down_);
  EXPECT_EQ(down_, (Bytes{kBinary, 127, 0, 0, 0, 0, 0, 1, 0, 0} + pattern(65536)));
  down_.clear();
  layer_.send({}, down_);
  EXPECT_TRUE(down_.empty());
}

TEST_F(WebSocketLayerTest, our_end_is_a_close_frame) {
  layer_.end(down_);
  layer_.end(down_);
  EXPECT_THAT(down_, ElementsAre(kClose, 2, 0x03, 0xe8));
}

}  // namespace
}  // namespace spice::net
