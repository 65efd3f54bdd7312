// What the tests of character streams share: a guest's end that collects what it is offered, and reads that wait for
// their bytes instead of for time to pass.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <mutex>
#include <poll.h>
#include <span>
#include <string>
#include <thread>
#include <unistd.h>

#include "core/ports/char_stream.h"

namespace tests {

constexpr std::chrono::seconds kPatience{20};  // only ever used up by a failure

inline std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Takes at most `room` bytes in all until more room is made.
class Guest {
 public:
  explicit Guest(core::CharStream& stream, std::size_t room = SIZE_MAX) : stream_(stream), room_(room) {
    stream_.set_receiver([this](std::span<const std::uint8_t> bytes, core::Batch) { return take(bytes); });
  }
  ~Guest() { stream_.set_receiver(nullptr); }

  // What came until there were `count` bytes.
  std::string await(std::size_t count) {
    std::unique_lock guard(mutex_);
    changed_.wait_for(guard, kPatience, [this, count] { return received_.size() >= count; });
    return received_;
  }
  void make_room(std::size_t bytes) {
    {
      const std::scoped_lock guard(mutex_);
      room_ += bytes;
    }
    stream_.ready_to_receive();
  }

 private:
  std::size_t take(std::span<const std::uint8_t> bytes) {
    const std::scoped_lock guard(mutex_);
    const auto taken = std::min(room_, bytes.size());
    received_.append(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
    room_ -= taken;
    changed_.notify_all();
    return taken;
  }

  core::CharStream& stream_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string received_;
  std::size_t room_;
};

template <typename Condition>
bool eventually(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

inline bool await_readable(int fd) {
  pollfd state{fd, POLLIN, 0};
  return ::poll(&state, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) == 1;
}

// Reads until `count` bytes are there or the end comes.
inline std::string read_bytes(int fd, std::size_t count) {
  std::string text;
  while (text.size() < count && await_readable(fd)) {
    std::array<char, 65536> part;
    const auto length = ::read(fd, part.data(), std::min(part.size(), count - text.size()));
    if (length <= 0) break;
    text.append(part.data(), static_cast<std::size_t>(length));
  }
  return text;
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "minivmm-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::string file(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace tests
