#include "core/event/loop.h"

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <atomic>
#include <thread>

namespace core::inline event {

struct Loop::Impl {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::atomic<std::thread::id> thread;
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

void Loop::run() {
  impl_->thread = std::this_thread::get_id();
  impl_->context.run();
  impl_->thread = std::thread::id{};
}

void Loop::stop() {
  impl_->context.stop();
}

void Loop::post(std::move_only_function<void()> task) {
  asio::post(impl_->context, std::move(task));
}

bool Loop::on_loop_thread() const {
  return impl_->thread.load() == std::this_thread::get_id();
}

asio::io_context& Loop::context() {
  return impl_->context;
}

}  // namespace core::inline event
