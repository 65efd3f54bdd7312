#include "devices/qxl/source_mailbox.h"

#include <utility>

namespace devices::qxl {

void SourceMailbox::post(SourceRequest request) {
  const bool awaited = request.async == 0 && !std::holds_alternative<EnterVga>(request.what);
  enqueue(std::move(request), awaited);
  ring();
}

void SourceMailbox::ring() {
  if (counted_time_) enqueue({.what = TakeCommands{}}, true);
  rung_.store(true);
}

void SourceMailbox::enqueue(SourceRequest request, bool awaited) {
  const std::scoped_lock guard(mutex_);
  queue_.push_back(std::move(request));
  ++posted_;
  if (awaited) awaited_.store(posted_);
}

std::optional<SourceRequest> SourceMailbox::take() {
  const std::scoped_lock guard(mutex_);
  if (queue_.empty()) return std::nullopt;
  auto request = std::move(queue_.front());
  queue_.pop_front();
  return request;
}

void SourceMailbox::clear() {
  const std::scoped_lock guard(mutex_);
  queue_.clear();
  memory_wanted_.store(false);
  done_.store(posted_);
  done_.notify_all();
}

void SourceMailbox::settle() {
  if (!wake_) return;
  if (rung_.exchange(false)) wake_();
  const auto target = awaited_.load();
  // Numbers wrap around.
  for (auto done = done_.load(); static_cast<std::int32_t>(target - done) > 0; done = done_.load())
    done_.wait(done);
}

}  // namespace devices::qxl
