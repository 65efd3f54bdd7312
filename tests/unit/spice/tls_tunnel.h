// A plain socket for a client, behind which a thread speaks TLS with a server.
#pragma once

#include <array>
#include <poll.h>
#include <sys/socket.h>
#include <thread>

#include "tests/unit/spice/raw_client.h"
#include "tests/unit/spice/tls_client.h"

namespace spice::test {

class TlsTunnel {
 public:
  explicit TlsTunnel(std::uint16_t port) : server_(RawClient::connect(port)) {
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    client_.emplace(core::Fd(ends[0]));
    inner_.emplace(core::Fd(ends[1]));
    pump_ = std::jthread([this] { pump(); });
  }
  ~TlsTunnel() { ::shutdown(client_->fd(), SHUT_RDWR); }
  TlsTunnel(const TlsTunnel&) = delete;
  TlsTunnel& operator=(const TlsTunnel&) = delete;

  RawClient& client() { return *client_; }

 private:
  void pump() {
    server_.send(tls_.output());
    std::array<std::uint8_t, 65536> bytes{};
    for (;;) {
      // What the client says waits for the end of the handshake.
      std::array<pollfd, 2> fds{{{server_.fd(), POLLIN, 0}, {tls_.is_ready() ? inner_->fd() : -1, POLLIN, 0}}};
      if (::poll(fds.data(), fds.size(), -1) < 0) break;
      const bool from_server = fds[0].revents != 0;
      const auto count = ::recv(from_server ? server_.fd() : inner_->fd(), bytes.data(), bytes.size(), 0);
      if (count <= 0) break;
      const auto there = std::span(bytes).first(static_cast<std::size_t>(count));
      if (from_server) {
        inner_->send(tls_.take(there));
      } else {
        tls_.write(there);
      }
      server_.send(tls_.output());
    }
    inner_->close();
    server_.close();
  }

  TlsClient tls_;
  RawClient server_;
  std::optional<RawClient> client_;
  std::optional<RawClient> inner_;
  std::jthread pump_;
};

}  // namespace spice::test
