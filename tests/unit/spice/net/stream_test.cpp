// What a client's TCP connection is set to.
#include "spice/net/stream.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace spice::net {
namespace {

// One end of a connection over loopback.
core::Fd connected() {
  const core::Fd listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  core::Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::bind(listening.get(), any, length), 0);
  EXPECT_EQ(::listen(listening.get(), 1), 0);
  EXPECT_EQ(::getsockname(listening.get(), any, &length), 0);
  EXPECT_EQ(::connect(client.get(), any, length), 0);
  return core::Fd(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
}

int option(const Stream& stream, int level, int name) {
  int value = 0;
  socklen_t length = sizeof value;
  EXPECT_EQ(::getsockopt(stream.fd.get(), level, name, &value, &length), 0);
  return value;
}

TEST(Stream, of_tcp_sends_at_once_and_notices_who_has_gone) {
  const auto stream = make_stream(connected());
  EXPECT_EQ(stream.remote.family, "ipv4");
  EXPECT_EQ(stream.remote.host, "127.0.0.1");
  EXPECT_EQ(option(stream, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(option(stream, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(stream, IPPROTO_TCP, TCP_KEEPIDLE), 600);
}

TEST(Stream, of_a_unix_socket_is_known_as_such) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const core::Fd other(ends[1]);
  EXPECT_EQ(make_stream(core::Fd(ends[0])).remote.family, "unix");
}

}  // namespace
}  // namespace spice::net
