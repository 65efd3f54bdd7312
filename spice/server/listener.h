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

constexpr int kBacklog = 128;  // connections that nobody has accepted yet

// Binds and listens. The error is one line; nullopt-like, an invalid Fd, for an address that may be missing and is.
core::Result<core::Fd> open_listener(const ListenAddress& address, std::uint16_t port);
// The port that a listening socket has; 0 for a Unix one.
std::uint16_t port_of(const core::Fd& listener);
// A listening socket that whoever started us left open.
core::Result<core::Fd> adopt_listener(int fd);

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
