#include "spice/server/listener.h"

#include <algorithm>
#include <arpa/inet.h>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string_view>
#include <sys/socket.h>

#include "core/base/log.h"
#include "core/event/loop_timer.h"
#include "spice/net/stream.h"

namespace spice::server {

namespace {

constexpr int kAcceptsAnEvent = 16;  // then others get their turn
constexpr auto kRetryAfter = std::chrono::milliseconds(100);

bool bind_to(int fd, const ListenAddress& address, std::uint16_t port) {
  constexpr int kOn = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn);
  if (!address.ipv6) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    ::inet_pton(AF_INET, address.host.c_str(), &v4.sin_addr);
    return ::bind(fd, reinterpret_cast<const sockaddr*>(&v4), sizeof v4) == 0;
  }
  ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &kOn, sizeof kOn);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  ::inet_pton(AF_INET6, address.host.c_str(), &v6.sin6_addr);
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&v6), sizeof v6) == 0;
}

// Between programs of one machine there is no congestion; a host whose TCP paces what it sends (BBR) would delay and
// time every write. It has to be said before connections come, as they keep their pacing.
void send_without_pacing(int fd) {
  constexpr std::string_view kReno = "reno";  // which all may choose [tcp(7) tcp_allowed_congestion_control]
  static_cast<void>(::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, kReno.data(), kReno.size()));
}
bool is_loopback(const ListenAddress& address) {
  return address.ipv6 ? address.host == "::1" : address.host.starts_with("127.");
}

}  // namespace

core::Result<core::Fd> open_listener(const ListenAddress& address, std::uint16_t port) {
  core::Fd fd(::socket(address.ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.valid() && is_loopback(address)) send_without_pacing(fd.get());
  if (fd.valid() && bind_to(fd.get(), address, port) && ::listen(fd.get(), kBacklog) == 0) return fd;
  const int error = errno;
  if (address.may_be_missing && (error == EAFNOSUPPORT || error == EADDRNOTAVAIL)) return core::Fd();
  if (error == EADDRINUSE) {
    return core::fail("spice: port {} on {} is in use by another program; choose another port", port, address.host);
  }
  return core::fail("spice: cannot listen on {} port {}: {}", address.host, port, core::errno_text(error));
}

std::uint16_t port_of(const core::Fd& listener) {
  const auto text = net::local_endpoint(listener.get()).port;
  return static_cast<std::uint16_t>(std::stoul(text.empty() ? "0" : text));
}

core::Result<core::Fd> adopt_listener(int fd) {
  int listens = 0;
  int type = 0;
  socklen_t size = sizeof listens;
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0) {
    return core::fail("spice: descriptor {} is no listening socket: {}", fd, core::errno_text());
  }
  size = sizeof type;
  if (listens == 0 || ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM) {
    return core::fail("spice: descriptor {} is a socket that does not listen for streams", fd);
  }
  core::Fd owned(fd);
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
    return core::fail("spice: cannot use descriptor {}: {}", fd, core::errno_text());
  }
  return owned;
}

struct Listener::Impl : std::enable_shared_from_this<Listener::Impl> {
  Impl(core::Loop& loop, core::Fd socket, Events handlers)
      : fd(std::move(socket)),
        descriptor(loop.context(), fd.get()),
        events(std::move(handlers)),
        retry(loop, [this] { wait(); }) {}
  ~Impl() { close(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void close() {
    open = false;
    if (descriptor.is_open()) descriptor.release();
    fd.close();
  }

  void wait() {
    descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](const asio::error_code& error) {
                            if (!error && self->open) self->accept_some();
                          });
  }

  void accept_some() {
    for (int i = 0; i < kAcceptsAnEvent && open; ++i) {
      core::Fd connection(::accept4(fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (connection.valid()) {
        events.on_connection(std::move(connection));
      } else if (errno == EAGAIN) {
        break;
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        MV_LOG_LIMITED(Warn, "spice", "cannot accept a client: {}", core::errno_text());
        events.on_exhausted();
        return retry.arm(kRetryAfter);
      }
      // Anything else befell that one connection.
    }
    if (open) wait();
  }

  core::Fd fd;
  asio::posix::stream_descriptor descriptor;
  Events events;
  core::LoopTimer retry;
  bool open = true;
};

Listener::Listener(core::Loop& loop, core::Fd fd, Events events)
    : impl_(std::make_shared<Impl>(loop, std::move(fd), std::move(events))) {
  impl_->wait();
}

Listener::~Listener() {
  impl_->close();
  impl_->retry.cancel();
}

}  // namespace spice::server
