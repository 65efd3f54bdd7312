#include "core/event/loop_event.h"

#include <asio/buffer.hpp>
#include <asio/error_code.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <utility>

namespace core::inline event {

struct LoopEvent::Impl {
  Impl(Loop& loop, int eventfd, std::move_only_function<void()> handler)
      : descriptor(loop.context(), eventfd), on_event(std::move(handler)) {}
  ~Impl() { descriptor.release(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  static void listen(const std::shared_ptr<Impl>& impl) {
    impl->descriptor.async_read_some(asio::buffer(&impl->count, sizeof impl->count),
                                     [impl](const asio::error_code& error, std::size_t) {
                                       if (error || impl->ended) return;
                                       listen(impl);
                                       impl->on_event();
                                     });
  }

  asio::posix::stream_descriptor descriptor;
  std::move_only_function<void()> on_event;
  std::uint64_t count = 0;
  bool ended = false;
};

LoopEvent::LoopEvent(Loop& loop, int eventfd, std::move_only_function<void()> on_event)
    : impl_(std::make_shared<Impl>(loop, eventfd, std::move(on_event))) {
  Impl::listen(impl_);
}

LoopEvent::~LoopEvent() {
  impl_->ended = true;
  impl_->descriptor.cancel();
}

}  // namespace core::inline event
