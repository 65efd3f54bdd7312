// An owned file descriptor.
#pragma once

#include <utility>

#include "core/base/result.h"

namespace core::inline base {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { close(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void close();

  // open(2) with O_CLOEXEC; the error names the path.
  static Result<Fd> open(const std::string& path, int flags, unsigned mode = 0);

 private:
  int fd_ = -1;
};

// An eventfd, non-blocking and close-on-exec: a counter that wakes a poll loop or KVM.
class EventFd {
 public:
  static Result<EventFd> create();
  int get() const { return fd_.get(); }
  void signal() const;  // any thread
  bool drain() const;   // true if it had been signalled since the last drain

 private:
  explicit EventFd(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace core::inline base
