#include "core/event/loop_timer.h"

#include <asio/steady_timer.hpp>
#include <utility>

namespace core::inline event {

struct LoopTimer::Impl {
  Impl(Loop& loop, std::move_only_function<void()> on_fire) : timer(loop.context()), fire(std::move(on_fire)) {}
  asio::steady_timer timer;
  std::move_only_function<void()> fire;
  std::uint64_t arms = 0;  // tells a handler already queued that it was overtaken
  bool armed = false;
};

LoopTimer::LoopTimer(Loop& loop, std::move_only_function<void()> fire)
    : impl_(std::make_shared<Impl>(loop, std::move(fire))) {}

LoopTimer::~LoopTimer() {
  cancel();
}

void LoopTimer::arm(std::chrono::nanoseconds delay) {
  const auto arm = ++impl_->arms;
  impl_->armed = true;
  impl_->timer.expires_after(delay);
  impl_->timer.async_wait([impl = impl_, arm](const asio::error_code& error) {
    if (error || !impl->armed || impl->arms != arm) return;
    impl->armed = false;
    impl->fire();
  });
}

void LoopTimer::cancel() {
  impl_->armed = false;
  impl_->timer.cancel();
}

bool LoopTimer::armed() const {
  return impl_->armed;
}

}  // namespace core::inline event
