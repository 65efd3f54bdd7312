// Timeouts whose time passes when a test says so. On one thread.
#pragma once

#include <list>
#include <optional>
#include <utility>

#include "core/event/timeout.h"

namespace spice::test {

class FakeTimeouts {
 public:
  core::TimeoutMaker maker() {
    return [this](std::move_only_function<void()> fire) { return std::make_unique<One>(*this, std::move(fire)); };
  }
  // What is due until then fires.
  void pass(std::chrono::nanoseconds time) {
    now_ += time;
    for (auto* one : std::list(all_))
      one->look();
  }

 private:
  class One final : public core::Timeout {
   public:
    One(FakeTimeouts& owner, std::move_only_function<void()> fire) : owner_(owner), fire_(std::move(fire)) {
      owner_.all_.push_back(this);
    }
    ~One() override { owner_.all_.remove(this); }
    One(const One&) = delete;
    One& operator=(const One&) = delete;
    void arm(std::chrono::nanoseconds delay) override { deadline_ = owner_.now_ + delay; }
    void cancel() override { deadline_.reset(); }
    bool armed() const override { return deadline_.has_value(); }
    void look() {
      if (!deadline_ || *deadline_ > owner_.now_) return;
      deadline_.reset();
      fire_();
    }

   private:
    FakeTimeouts& owner_;
    std::move_only_function<void()> fire_;
    std::optional<std::chrono::nanoseconds> deadline_;
  };

  std::chrono::nanoseconds now_{};
  std::list<One*> all_;
};

}  // namespace spice::test
