#include "vmm/control/typist.h"

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <deque>
#include <ranges>

namespace vmm::control {

namespace {
constexpr std::size_t kMaxQueued = 256;  // combinations waiting to be typed
}

struct Typist::Impl : std::enable_shared_from_this<Impl> {
  struct Press {
    std::vector<core::KeyCode> keys;
    std::chrono::milliseconds hold{};
  };

  Impl(core::Loop& loop, core::KeyboardSink& sink) : keyboard(sink), timer(loop.context()) {}

  void next() {
    if (queue.empty()) return;
    for (const auto key : queue.front().keys)
      keyboard.key(key, true);
    wait(queue.front().hold, [this] {
      for (const auto key : std::views::reverse(queue.front().keys))
        keyboard.key(key, false);
      // Two presses of one key need a moment between them that the guest can see.
      wait(kGap, [this] {
        queue.pop_front();
        next();
      });
    });
  }

  template <class Then>
  void wait(std::chrono::milliseconds time, Then then) {
    timer.expires_after(time);
    timer.async_wait([self = shared_from_this(), then](auto error) {
      if (!error) then();
    });
  }

  static constexpr std::chrono::milliseconds kGap{5};
  core::KeyboardSink& keyboard;
  asio::steady_timer timer;
  std::deque<Press> queue;
};

Typist::Typist(core::Loop& loop, core::KeyboardSink& keyboard) : impl_(std::make_shared<Impl>(loop, keyboard)) {}

Typist::~Typist() {
  impl_->timer.cancel();
}

std::size_t Typist::room() const {
  return kMaxQueued - std::min(kMaxQueued, impl_->queue.size());
}

bool Typist::press(std::vector<core::KeyCode> keys, std::chrono::milliseconds hold) {
  if (impl_->queue.size() >= kMaxQueued) return false;
  impl_->queue.push_back({std::move(keys), hold});
  if (impl_->queue.size() == 1) impl_->next();
  return true;
}

}  // namespace vmm::control
