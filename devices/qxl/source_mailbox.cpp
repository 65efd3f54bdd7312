#include "devices/qxl/source_mailbox.h"

#include <chrono>
#include <thread>
#include <utility>

namespace devices::qxl {

namespace {
using Clock = std::chrono::steady_clock;
constexpr std::chrono::microseconds kBrief{60};  // a CPU that waits looks by itself for so long
}  // namespace

void SourceMailbox::post(const SourceRequest& request) {
  const bool awaited = request.async == 0 && !std::holds_alternative<EnterVga>(request.what);
  enqueue(request, awaited);
  ring();
}

void SourceMailbox::ring() {
  if (counted_time_) enqueue({.what = TakeCommands{}}, true);
  rung_.store(true);
}

void SourceMailbox::enqueue(const SourceRequest& request, bool awaited) {
  const std::scoped_lock guard(mutex_);
  queue_.push_back(request);
  ++posted_;
  if (awaited) awaited_.store(posted_);
}

std::optional<SourceRequest> SourceMailbox::take() {
  const std::scoped_lock guard(mutex_);
  if (queue_.empty()) return std::nullopt;
  const auto request = queue_.front();
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
  const auto is_done = [target](std::uint32_t done) { return static_cast<std::int32_t>(target - done) <= 0; };  // wraps
  auto done = done_.load();
  // Most requests take less time than falling asleep and being woken.
  for (const auto end = Clock::now() + kBrief; !is_done(done) && Clock::now() < end; done = done_.load())
    std::this_thread::yield();  // the worker may be on this processor
  for (; !is_done(done); done = done_.load())
    done_.wait(done);
}

}  // namespace devices::qxl
