// A connected socket as a value that moves between loops.
#pragma once

#include <memory>
#include <string>

#include "core/base/fd.h"
#include "spice/net/tether.h"
#include "spice/net/transport.h"

namespace spice::net {

// One end of a connection, in the words of the monitor.
struct Endpoint {
  std::string host;
  std::string port;
  std::string family;  // "ipv4", "ipv6", "unix"
};

// The name of the local or the remote end of a connected socket.
Endpoint local_endpoint(int fd);
Endpoint remote_endpoint(int fd);

// A descriptor that tells its tether before it closes.
class TetheredFd {
 public:
  TetheredFd() = default;
  explicit TetheredFd(core::Fd fd) : fd_(std::move(fd)) {}
  TetheredFd(TetheredFd&&) noexcept = default;
  TetheredFd& operator=(TetheredFd&& other) noexcept;
  ~TetheredFd() { close(); }

  int get() const { return fd_.get(); }
  void tie(std::shared_ptr<Tether> tether);
  void close();

 private:
  core::Fd fd_;
  std::shared_ptr<Tether> tether_;
};

struct Stream {
  TetheredFd fd;  // non-blocking
  Transport transport;
  Bytes unread;  // came through the transport, not yet used
  Bytes unsent;  // went through the transport, not yet on the network
  Endpoint local;
  Endpoint remote;
};

// Of a connected, non-blocking socket, whose options it sets: no delay, keep-alive, little unsent data in the kernel.
Stream make_stream(core::Fd fd);

}  // namespace spice::net
