// A display source whose driver draws by commands: a test queues what it does, the worker takes it.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "core/ports/display.h"

namespace display_test {

class ScriptedSource final : public core::DisplaySource {
 public:
  using Command = std::function<void(core::DisplayCanvas&)>;

  // The worker's side: one command a call, as if each took long.
  Next pull(core::DisplayCanvas& canvas) override {
    Command command;
    {
      const std::scoped_lock lock(mutex_);
      ++pulls_;
      if (commands_.empty()) return when_empty_;
      command = std::move(commands_.front());
      commands_.pop_front();
    }
    command(canvas);
    return Next::AtOnce;
  }
  void serve(core::DisplayCanvas&) override {
    const std::scoped_lock lock(mutex_);
    ++serves_;
  }
  bool refresh(core::DisplayCanvas& canvas, bool full) override {
    {
      const std::scoped_lock lock(mutex_);
      ++refreshes_;
    }
    if (!full || !on_full) return false;
    on_full(canvas);
    return true;
  }
  void store(core::DisplayCanvas& canvas) override {
    if (on_store) on_store(canvas);
  }
  void clients_changed(const core::DisplayClients& clients) override {
    const std::scoped_lock lock(mutex_);
    clients_.push_back(clients);
  }
  void set_compression_level(std::uint32_t level) override {
    const std::scoped_lock lock(mutex_);
    compression_levels_.push_back(level);
  }
  void set_wake(std::function<void()> wake) override { wake_ = std::move(wake); }

  // The test's side.
  void queue(Command command) {
    const std::scoped_lock lock(mutex_);
    commands_.push_back(std::move(command));
  }
  void run(Command command) {
    queue(std::move(command));
    wake_();
  }
  void set_when_empty(Next next) {
    const std::scoped_lock lock(mutex_);
    when_empty_ = next;
  }
  int pulls() {
    const std::scoped_lock lock(mutex_);
    return pulls_;
  }
  int serves() {
    const std::scoped_lock lock(mutex_);
    return serves_;
  }
  void wake() { wake_(); }
  int refreshes() {
    const std::scoped_lock lock(mutex_);
    return refreshes_;
  }
  std::vector<core::DisplayClients> clients() {
    const std::scoped_lock lock(mutex_);
    return clients_;
  }
  std::vector<std::uint32_t> compression_levels() {
    const std::scoped_lock lock(mutex_);
    return compression_levels_;
  }
  // Set before the worker starts.
  Command on_store;
  Command on_full;  // refresh

 private:
  std::mutex mutex_;
  std::deque<Command> commands_;
  Next when_empty_ = Next::OnWake;
  int pulls_ = 0;
  int serves_ = 0;
  int refreshes_ = 0;
  std::vector<core::DisplayClients> clients_;
  std::vector<std::uint32_t> compression_levels_;
  std::function<void()> wake_;
};

}  // namespace display_test
