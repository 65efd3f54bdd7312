// A worker's loop, and the two ends of a connection: one for our classes on the loop, one for the test.
#pragma once

#include <array>
#include <gtest/gtest.h>
#include <optional>
#include <sys/socket.h>
#include <type_traits>
#include <utility>

#include "core/event/worker.h"
#include "spice/net/stream.h"
#include "tests/unit/spice/raw_client.h"

namespace spice::test {

struct SocketPair {
  net::Stream ours;
  RawClient theirs;
};

inline SocketPair socket_pair() {
  std::array<int, 2> fds{-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
  auto stream = net::make_stream(core::Fd(fds[0]));
  return {std::move(stream), RawClient(core::Fd(fds[1]))};
}

// Runs `task` on the loop and returns what it returns.
template <class F>
auto on_loop(core::Worker& worker, F task) {
  using R = decltype(task());
  if constexpr (std::is_void_v<R>) {
    worker.run_and_wait([&task] { task(); });
  } else {
    std::optional<R> result;
    worker.run_and_wait([&] { result.emplace(task()); });
    return std::move(*result);
  }
}

}  // namespace spice::test
