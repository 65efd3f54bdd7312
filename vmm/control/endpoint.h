// Where a monitor listens (a Unix socket, this process's stdio, or a pseudo-terminal) and the sessions of those who
// connect.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "core/event/loop.h"

namespace vmm::control {

// One connected monitor client. All calls on the control loop.
class Session {
 public:
  virtual ~Session() = default;
  virtual std::string greeting() = 0;
  // Bytes from the client, in pieces of any size. False closes the connection after what is queued is sent.
  virtual bool receive(std::string_view bytes) = 0;
  // A descriptor that the client sent along with the bytes that come next.
  virtual void receive_descriptor(core::Fd) {}
};

// How a session talks back; stays valid as long as its session.
class Output {
 public:
  virtual ~Output() = default;
  virtual void send(std::string_view text) = 0;
  // If the client is a terminal it gives every key as it is pressed from now on, and shows none by itself. False: it is
  // none.
  virtual bool take_keys() = 0;
};

using SessionFactory = std::function<std::unique_ptr<Session>(Output&)>;

class Endpoint {
 public:
  virtual ~Endpoint() = default;
  // Takes clients from now on; those who came before wait in the socket's queue. Once, on the control loop.
  virtual void serve() = 0;
};

// "stdio", "unix:PATH" or "pty"; serves nobody yet. A socket left behind by a dead process is replaced, a live one is
// an error. A socket has 16 clients at most, and one that does not read what it is sent is dropped at 1 MiB. The
// endpoint is destroyed on the control loop or after it has stopped.
core::Result<std::unique_ptr<Endpoint>> open_endpoint(core::Loop& loop, const std::string& spec,
                                                      SessionFactory factory);

}  // namespace vmm::control
