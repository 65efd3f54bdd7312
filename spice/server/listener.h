// One listening socket on a loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "core/event/loop.h"
#include "spice/server/listen.h"

namespace spice::server {

// Binds and listens. The error is one line; nullopt-like, an invalid Fd, for an address that may be missing and is.
core::Result<core::Fd> open_listener(const ListenAddress& address, std::uint16_t port);
// The port that a listening socket has; 0 for a Unix one.
std::uint16_t port_of(const core::Fd& listener);
// A listening socket that whoever started us left open.
core::Result<core::Fd> adopt_listener(int fd);

// A Unix socket, which listens, and its file, which goes when we do.
class UnixListener {
 public:
  // @NAME is an abstract one, without a file. A file that somebody left behind is replaced; one that somebody listens
  // on is an error. Only the user we run as may connect.
  static core::Result<UnixListener> open(const std::string& path);
  UnixListener(UnixListener&& other) noexcept
      : fd_(std::move(other.fd_)), path_(std::exchange(other.path_, {})), mark_(other.mark_) {}
  UnixListener& operator=(UnixListener&& other) = delete;
  ~UnixListener();

  core::Fd take_fd() { return std::move(fd_); }

 private:
  // By which we know our file again: inodes alone are used anew.
  struct Mark {
    std::uint64_t inode = 0;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    bool operator==(const Mark&) const = default;
  };
  static std::optional<Mark> mark_of(const std::string& path);
  UnixListener(core::Fd fd, std::string path, Mark mark) : fd_(std::move(fd)), path_(std::move(path)), mark_(mark) {}

  core::Fd fd_;
  std::string path_;  // of the file; empty: there is none
  Mark mark_;
};

class Listener {
 public:
  struct Events {
    std::move_only_function<void(core::Fd connection)> on_connection;
    // No descriptors left: free some if possible. Accepting goes on a little later.
    std::move_only_function<void()> on_exhausted;
  };

  // Loop thread, or before the loop runs.
  Listener(core::Loop& loop, core::Fd fd, Events events);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace spice::server
