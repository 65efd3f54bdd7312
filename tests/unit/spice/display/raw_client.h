// The client end of one channel over a socket pair, on the test's thread: reads messages, acknowledges them, and draws
// what a display channel sends.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "core/base/endian.h"
#include "spice/channel/linked_connection.h"
#include "spice/codec/lz.h"
#include "spice/wire/coding.h"
#include "spice/wire/display.h"
#include "tests/unit/spice/display/painted_source.h"

namespace display_test {

namespace wire = spice::wire;
using Bytes = std::vector<std::uint8_t>;

struct Message {
  std::uint16_t type = 0;
  Bytes body;
};

class RawClient {
 public:
  // Longer than anything takes: a test that waits this long has failed.
  static constexpr int kPatienceMs = 30'000;

  struct Options {
    wire::ChannelType type = wire::ChannelType::Display;
    wire::Capabilities caps = {wire::kMonitorsConfigCap, wire::kPreferredCompressionCap};
    bool acknowledges = true;
    int server_send_buffer = 0;  // 0: as the kernel has it
    std::string family = "ipv4";
  };

  RawClient(spice::channel::ChannelProvider& provider, const Options& options) : options_(options) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    socket_ = core::Fd(ends[0]);
    if (options.server_send_buffer > 0)
      ::setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &options.server_send_buffer, sizeof options.server_send_buffer);
    ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
    spice::channel::LinkedConnection linked;
    linked.stream.fd = spice::net::TetheredFd(core::Fd(ends[1]));
    linked.stream.remote = {"127.0.0.1", "1", options.family};
    linked.key = {options.type, 0};
    linked.channel_caps = options.caps;
    linked.session = std::make_shared<spice::channel::SessionInfo>(1);
    provider.accept(std::move(linked));
  }
  explicit RawClient(spice::channel::ChannelProvider& provider) : RawClient(provider, Options{}) {}

  template <class M>
  void send(const M& message) {
    const auto body = wire::encode(message).flatten();
    send_bytes(M::kType, body);
  }
  void send_bytes(std::uint16_t type, const Bytes& body) {
    Bytes bytes(6);
    core::store_le(bytes.data(), type);
    core::store_le(bytes.data() + 2, static_cast<std::uint32_t>(body.size()));
    bytes.insert(bytes.end(), body.begin(), body.end());
    // A server that has dropped us shows when we read.
    (void)::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  void init() { send(wire::DisplayInit{}); }

  // The next message but pings, which are answered, after acknowledging it; nothing when the server has closed.
  std::optional<Message> receive() {
    while (true) {
      auto message = read_message();
      if (!message) return std::nullopt;
      ++received_;
      received_bytes_ += message->body.size();
      if (message->type == wire::SetAck::kType)
        set_ack(*message);
      else if (options_.acknowledges && window_ > 0 && ++since_ack_ == window_) {
        since_ack_ = 0;
        send_bytes(wire::Ack::kType, {});
      }
      if (message->type == wire::Ping::kType) {
        const auto ping = *wire::decode<wire::Ping>(message->body);
        send(wire::Pong{ping.id, ping.stamp});
        continue;
      }
      return message;
    }
  }
  // Draws messages until `done` says so; false if the server closes before.
  template <class Done>
  bool draw_until(Done done) {
    while (!done()) {
      const auto message = receive();
      if (!message) return false;
      draw(*message);
    }
    return true;
  }
  bool draw_until_equal(const Image& image) {
    return draw_until([&] { return shown_ == image; });
  }
  std::vector<std::uint16_t> types(std::size_t count) {
    std::vector<std::uint16_t> result;
    while (result.size() < count) {
      const auto message = receive();
      if (!message) break;
      draw(*message);
      result.push_back(message->type);
    }
    return result;
  }
  bool is_dropped() {
    while (receive()) {
    }
    return closed_;
  }
  void disconnect() { socket_.close(); }

  const Image& shown() const { return shown_; }
  bool marked() const { return marked_; }
  int bitmaps() const { return bitmaps_; }
  int lz_images() const { return lz_images_; }
  std::uint64_t received() const { return received_; }
  std::uint64_t received_bytes() const { return received_bytes_; }

  void draw(const Message& message) {
    if (options_.type != wire::ChannelType::Display) return;
    switch (message.type) {
      case wire::DisplaySurfaceCreate::kType: return create(*wire::decode<wire::DisplaySurfaceCreate>(message.body));
      case wire::DisplaySurfaceDestroy::kType:
        EXPECT_NE(shown_.width, 0) << "destroyed what was not there";
        shown_ = {};
        return;
      case wire::DisplayMark::kType:
        EXPECT_NE(shown_.width, 0);
        marked_ = true;
        return;
      case wire::DisplayDrawCopy::kType: return copy(message.body);
      default: return;
    }
  }

 private:
  bool read_exactly(std::uint8_t* to, std::size_t bytes) {
    while (bytes > 0) {
      pollfd waiting{socket_.get(), POLLIN, 0};
      if (::poll(&waiting, 1, kPatienceMs) <= 0) {
        ADD_FAILURE() << "the server sends nothing";
        return false;
      }
      const auto got = ::recv(socket_.get(), to, bytes, 0);
      if (got <= 0) {
        closed_ = true;
        return false;
      }
      to += got;
      bytes -= static_cast<std::size_t>(got);
    }
    return true;
  }
  std::optional<Message> read_message() {
    std::uint8_t header[6];
    if (!read_exactly(header, sizeof header)) return std::nullopt;
    Message message{core::load_le<std::uint16_t>(header), Bytes(core::load_le<std::uint32_t>(header + 2))};
    if (!read_exactly(message.body.data(), message.body.size())) return std::nullopt;
    return message;
  }
  void set_ack(const Message& message) {
    const auto set = *wire::decode<wire::SetAck>(message.body);
    window_ = set.window;
    since_ack_ = 0;
    send(wire::AckSync{set.generation});
  }
  void create(const wire::DisplaySurfaceCreate& surface) {
    EXPECT_EQ(shown_.width, 0) << "created what was there";
    shown_.width = static_cast<std::int32_t>(surface.width);
    shown_.height = static_cast<std::int32_t>(surface.height);
    shown_.pixels.assign(std::size_t{surface.width} * surface.height, 0);
  }
  void copy(const Bytes& body) {
    const auto draw = wire::decode<wire::DisplayDrawCopy>(body);
    ASSERT_TRUE(draw.has_value());
    const auto& box = draw->base.box;
    ASSERT_TRUE(box.left >= 0 && box.top >= 0 && box.left < box.right && box.top < box.bottom &&
                box.right <= shown_.width && box.bottom <= shown_.height)
        << "drawn outside the surface";
    const auto width = static_cast<std::size_t>(box.right - box.left);
    Bytes pixels(width * static_cast<std::size_t>(box.bottom - box.top) * 4);
    if (draw->source.type == wire::ImageType::LzRgb) {
      ++lz_images_;
      const auto& data = std::get<wire::CompressedData>(draw->source.data).data;
      ASSERT_TRUE(spice::codec::lz_decode(data.bytes(), pixels).has_value());
    } else {
      ASSERT_EQ(draw->source.type, wire::ImageType::Bitmap);
      ++bitmaps_;
      const auto data = std::get<wire::BitmapData>(draw->source.data).data.bytes();
      ASSERT_EQ(data.size(), pixels.size());
      pixels.assign(data.begin(), data.end());
    }
    const auto* from = pixels.data();
    for (auto y = box.top; y < box.bottom; ++y) {
      for (auto x = box.left; x < box.right; ++x, from += 4)
        shown_.pixels[static_cast<std::size_t>(y * shown_.width + x)] = core::load_le<std::uint32_t>(from);
    }
  }

  Options options_;
  core::Fd socket_;
  bool closed_ = false;
  std::uint32_t window_ = 0;
  std::uint32_t since_ack_ = 0;
  Image shown_;
  bool marked_ = false;
  int bitmaps_ = 0;
  int lz_images_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t received_bytes_ = 0;
};

}  // namespace display_test
