// A SPICE client's channels, made for measurements: the same for minivmm and for QEMU, and so cheap that what is
// measured is the server. What goes wrong ends the program.
#pragma once

#include <arpa/inet.h>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fmt/core.h>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <span>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "core/base/fd.h"
#include "spice/wire/coding.h"
#include "spice/wire/common.h"
#include "spice/wire/link.h"
#include "spice/wire/main.h"
#include "tests/unit/spice/server/ticket_client.h"

namespace bench {

namespace wire = spice::wire;
using Bytes = std::vector<std::uint8_t>;
using Clock = std::chrono::steady_clock;

[[noreturn]] inline void fail(const std::string& what) {
  fmt::print(stderr, "{}\n", what);
  std::exit(1);
}

inline double ms_since(Clock::time_point begun) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begun).count();
}

struct Target {
  std::uint16_t port = 0;
  bool tls = false;
  std::string password;
};

// A stream of bytes, encrypted or not.
class Line {
 public:
  explicit Line(const Target& target) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(target.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      fail("cannot connect: " + core::errno_text());
    const int on = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (target.tls) start_tls();
  }

  int fd() const { return socket_.get(); }

  void write(const Bytes& bytes) {
    const auto size = static_cast<int>(bytes.size());
    const auto done = tls_ ? ::SSL_write(tls_.get(), bytes.data(), size) : ::write(fd(), bytes.data(), bytes.size());
    if (done != size) fail("the server took only a part");
  }
  // Something, at most `size` bytes.
  std::size_t read(std::uint8_t* to, std::size_t size) {
    const auto done = tls_ ? ::SSL_read(tls_.get(), to, static_cast<int>(size)) : ::read(fd(), to, size);
    if (done <= 0) fail("the server has closed the connection");
    return static_cast<std::size_t>(done);
  }

 private:
  void start_tls() {
    context_.reset(::SSL_CTX_new(::TLS_client_method()));
    tls_.reset(::SSL_new(context_.get()));
    ::SSL_set_fd(tls_.get(), fd());
    if (::SSL_connect(tls_.get()) != 1) fail("TLS does not come about");
  }

  core::Fd socket_;
  std::unique_ptr<SSL_CTX, decltype(&::SSL_CTX_free)> context_{nullptr, &::SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&::SSL_free)> tls_{nullptr, &::SSL_free};
};

// One channel, linked.
class Channel {
 public:
  struct Message {
    std::uint16_t type = 0;
    std::span<const std::uint8_t> body;  // until the next one
  };

  Channel(const Target& target, wire::ChannelType type, std::uint32_t session) : line_(target) {
    constexpr std::uint32_t kCommonCaps =
        1U << wire::kAuthSelectionCap | 1U << wire::kAuthSpiceCap | 1U << wire::kMiniHeaderCap;
    const auto message = wire::encode(wire::LinkMessage{session, type, 0, {kCommonCaps}, {}}).flatten();
    auto hello = wire::encode(wire::LinkHeader{.size = static_cast<std::uint32_t>(message.size())}).flatten();
    hello.insert(hello.end(), message.begin(), message.end());
    line_.write(hello);
    const auto header = wire::decode<wire::LinkHeader>(take(wire::kLinkHeaderSize));
    if (!header) fail("no link reply");
    const auto reply = wire::decode<wire::LinkReply>(take(header->size));
    if (!reply || reply->error != wire::LinkError::Ok) fail("the link is refused");
    line_.write(wire::encode(wire::AuthChoice{wire::AuthMechanism::Spice}).flatten());
    line_.write(wire::encode(spice::test::encrypt_ticket(reply->public_key, target.password)).flatten());
    const auto result = wire::decode<wire::LinkResult>(take(sizeof(std::uint32_t)));
    if (!result || result->error != wire::LinkError::Ok) fail("the ticket is refused");
  }

  int fd() const { return line_.fd(); }
  std::uint64_t bytes() const { return bytes_; }

  template <class M>
  void send(const M& message) {
    send_encoded(encoded(message));
  }
  // A message as it goes over the line, for those that are sent many times.
  template <class M>
  static Bytes encoded(const M& message) {
    return with_header(M::kType, wire::encode(message).flatten());
  }
  void send_encoded(const Bytes& bytes) { line_.write(bytes); }

  // The next message; acknowledges it, and answers a ping.
  Message receive() {
    const auto header = *wire::decode<wire::MiniHeader>(take(wire::MiniHeader::kSize));
    const Message message{header.type, take(header.size)};
    bytes_ += wire::MiniHeader::kSize + header.size;
    if (message.type == wire::SetAck::kType) {
      const auto ack = *wire::decode<wire::SetAck>(message.body);
      window_ = ack.window;
      send(wire::AckSync{ack.generation});
    } else if (window_ > 0 && ++since_ack_ == window_) {
      since_ack_ = 0;
      send_encoded(with_header(wire::Ack::kType, {}));
    }
    if (message.type == wire::Ping::kType) {
      const auto ping = *wire::decode<wire::Ping>(message.body);
      send(wire::Pong{ping.id, ping.stamp});
    }
    return message;
  }
  Message receive_until(std::uint16_t type) {
    for (;;) {
      const auto message = receive();
      if (message.type == type) return message;
    }
  }
  bool has_buffered() const { return end_ > begin_; }

 private:
  static constexpr std::size_t kReadBytes = std::size_t{256} * 1024;

  static Bytes with_header(std::uint16_t type, const Bytes& body) {
    auto bytes = wire::encode(wire::MiniHeader{type, static_cast<std::uint32_t>(body.size())}).flatten();
    bytes.insert(bytes.end(), body.begin(), body.end());
    return bytes;
  }
  // `size` bytes, which stay where they are until the next call.
  std::span<const std::uint8_t> take(std::size_t size) {
    if (end_ - begin_ < size) {
      std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
                buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
      end_ -= std::exchange(begin_, 0);
      buffer_.resize(std::max(buffer_.size(), size + kReadBytes));
      while (end_ < size)
        end_ += line_.read(buffer_.data() + end_, kReadBytes);
    }
    const std::span<const std::uint8_t> taken(buffer_.data() + begin_, size);
    begin_ += size;
    return taken;
  }

  Line line_;
  Bytes buffer_;
  std::size_t begin_ = 0;  // of what has not been taken
  std::size_t end_ = 0;
  std::uint32_t window_ = 0;
  std::uint32_t since_ack_ = 0;
  std::uint64_t bytes_ = 0;
};

struct Session {
  explicit Session(const Target& target) : main(target, wire::ChannelType::Main, 0) {
    id = wire::decode<wire::MainInit>(main.receive_until(wire::MainInit::kType).body)->session_id;
  }
  Channel main;
  std::uint32_t id = 0;
};

inline Target target_of(std::string text) {
  Target target;
  if (text.starts_with("tls:")) {
    target.tls = true;
    text.erase(0, 4);
  }
  target.port = static_cast<std::uint16_t>(std::stoul(text));
  return target;
}

}  // namespace bench
