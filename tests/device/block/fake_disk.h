// A disk in memory that does what it was asked when the test says so.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/memory/memory_block.h"
#include "core/ports/block.h"

namespace tests {

// What a test keeps of a disk it has given away.
struct FakeDiskState {
  std::mutex mutex;
  std::vector<std::uint8_t> data;
  std::deque<core::BlockRequest> waiting;
  bool read_only = false;
  bool failing = false;  // requests performed from now on fail
  bool cached = false;   // reads can be done at once
  unsigned reads = 0;    // performed
  unsigned writes = 0;
  unsigned flushes = 0;
  unsigned zeroes = 0;  // and discards

  explicit FakeDiskState(std::size_t bytes)
      : data(content().begin(), content().begin() + static_cast<std::ptrdiff_t>(bytes)) {}

  // Performs the oldest request; false if there is none. No device lock may be held.
  bool perform_one() {
    std::unique_lock guard(mutex);
    if (waiting.empty()) return false;
    auto request = std::move(waiting.front());
    waiting.pop_front();
    auto result = perform(request);
    guard.unlock();
    request.done(std::move(result));
    return true;
  }
  unsigned perform_all() {
    unsigned performed = 0;
    while (perform_one())
      ++performed;
    return performed;
  }

 private:
  friend class FakeDisk;
  static constexpr std::ptrdiff_t kLargest = 1 << 20;

  // Every sector is filled from its number, so that a wrong one shows.
  static const std::vector<std::uint8_t>& content() {
    static const auto bytes = [] {
      std::vector<std::uint8_t> made(kLargest);
      for (std::size_t at = 0; at < made.size(); at += 4)
        core::store_le(&made[at], static_cast<std::uint32_t>(at / 512 * 0x9e3779b1 + at));
      return made;
    }();
    return bytes;
  }

  core::Result<> perform(const core::BlockRequest& request) {
    const auto length = request.guest != nullptr ? request.guest->size() : request.length;
    // What a controller promises its backend; a guest must not be able to break it.
    const bool proper = request.offset % 512 == 0 && length % 512 == 0 && request.offset <= data.size() &&
                        length <= data.size() - request.offset;
    if (!proper) std::abort();
    switch (request.op) {
      case core::BlockOp::Read: ++reads; break;
      case core::BlockOp::Write: ++writes; break;
      case core::BlockOp::Flush: ++flushes; break;
      case core::BlockOp::WriteZeroes:
      case core::BlockOp::Discard: ++zeroes; break;
    }
    if (failing) return core::fail("the disk was told to fail");
    const auto part = std::span(data).subspan(request.offset, length);
    if (request.op == core::BlockOp::Read) {
      if (request.guest != nullptr) {
        request.guest->write(0, part);
      } else {
        std::ranges::copy(part, request.buffer);
      }
    } else if (request.op == core::BlockOp::WriteZeroes) {
      std::ranges::fill(part, std::uint8_t{0});
    } else if (request.op == core::BlockOp::Write) {
      if (read_only) std::abort();
      if (request.guest != nullptr) {
        request.guest->read(0, part);
      } else {
        std::copy_n(request.buffer, length, part.begin());
      }
    }
    return {};
  }
};

class FakeDisk final : public core::BlockBackend {
 public:
  explicit FakeDisk(std::shared_ptr<FakeDiskState> state) : state_(std::move(state)) {}
  ~FakeDisk() override { state_->perform_all(); }
  FakeDisk(const FakeDisk&) = delete;
  FakeDisk& operator=(const FakeDisk&) = delete;

  std::uint64_t size_bytes() const override { return state_->data.size(); }
  bool read_only() const override { return state_->read_only; }
  const std::string& path() const override { return path_; }
  void submit(core::BlockRequest request) override {
    const std::scoped_lock guard(state_->mutex);
    state_->waiting.push_back(std::move(request));
  }
  bool read_at_once(const core::BlockRequest& request) override {
    const std::scoped_lock guard(state_->mutex);
    if (!state_->cached || request.op != core::BlockOp::Read) return false;
    return state_->perform(request).has_value();
  }
  void drain() override { state_->perform_all(); }

 private:
  std::shared_ptr<FakeDiskState> state_;
  std::string path_ = "fake";
};

}  // namespace tests
