#include "core/base/thread_start.h"

#include <pthread.h>
#include <utility>

namespace core::inline base {

namespace {
constexpr std::size_t kMostNameBytes = 15;  // pthread_setname_np
}

std::jthread ThreadStart::operator()(ThreadKind kind, std::string name, std::move_only_function<void()> body) const {
  name.resize(std::min(name.size(), kMostNameBytes));
  return std::jthread([rule = rule_, kind, name = std::move(name), body = std::move(body)]() mutable {
    ::pthread_setname_np(::pthread_self(), name.c_str());
    if (rule) rule(kind);
    body();
  });
}

}  // namespace core::inline base
