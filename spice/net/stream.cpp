#include "spice/net/stream.h"

#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <utility>

namespace spice::net {

namespace {

Endpoint endpoint_of(const sockaddr_storage& address, socklen_t length) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    return {text.data(), fmt::format("{}", ntohs(v4.sin_port)), "ipv4"};
  }
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    return {text.data(), fmt::format("{}", ntohs(v6.sin6_port)), "ipv6"};
  }
  sockaddr_un local{};
  std::memcpy(&local, &address, std::min<std::size_t>(length, sizeof local));
  local.sun_path[sizeof local.sun_path - 1] = '\0';
  if (length <= offsetof(sockaddr_un, sun_path)) return {"", "", "unix"};
  // An abstract name begins with a NUL, which people write as @.
  const bool abstract = local.sun_path[0] == '\0';
  return {abstract ? fmt::format("@{}", &local.sun_path[1]) : local.sun_path, "", "unix"};
}

void set_option(int fd, int level, int option, int value) {
  // These only tune; a kernel without one of them serves as well.
  static_cast<void>(::setsockopt(fd, level, option, &value, sizeof value));
}

}  // namespace

Endpoint local_endpoint(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  return endpoint_of(address, length);
}

Endpoint remote_endpoint(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  return endpoint_of(address, length);
}

Stream make_stream(core::Fd fd) {
  Stream stream;
  stream.local = local_endpoint(fd.get());
  stream.remote = remote_endpoint(fd.get());
  if (stream.local.family != "unix") {
    constexpr int kKeepaliveSeconds = 600;
    // The kernel holds little that is not on its way yet, so that what a client sees next is new.
    constexpr int kUnsentBytes = 128 * 1024;
    set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd.get(), SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd.get(), IPPROTO_TCP, TCP_KEEPIDLE, kKeepaliveSeconds);
    set_option(fd.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsentBytes);
  }
  stream.fd = TetheredFd(std::move(fd));
  return stream;
}

TetheredFd& TetheredFd::operator=(TetheredFd&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::move(other.fd_);
    tether_ = std::move(other.tether_);
  }
  return *this;
}

void TetheredFd::tie(std::shared_ptr<Tether> tether) {
  tether_ = std::move(tether);
  tether_->attach(fd_.get());
}

void TetheredFd::close() {
  const auto tether = std::exchange(tether_, nullptr);
  if (tether) tether->release();
  fd_.close();
  if (tether) tether->tell_gone();
}

}  // namespace spice::net
