// Stream sockets of this host, by their path.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace core::inline base {

// A listening one, and its file, which goes when we do. Descriptors do not block and are closed on exec.
class UnixListener {
 public:
  struct Options {
    int backlog = 8;
    bool is_private = false;       // only the user we run as may connect; otherwise umask(2) says who
    bool may_be_abstract = false;  // @NAME has no file
  };
  // A file that somebody left behind is replaced; one that somebody listens on is an error. Errors name the path and
  // say what to do.
  static Result<UnixListener> open(const std::string& path, const Options& options);
  UnixListener(UnixListener&& other) noexcept
      : fd_(std::move(other.fd_)), path_(std::exchange(other.path_, {})), mark_(other.mark_) {}
  UnixListener& operator=(UnixListener&& other) = delete;
  ~UnixListener();

  int get() const { return fd_.get(); }
  Fd take_fd() { return std::move(fd_); }  // the file stays ours

 private:
  // By which we know our file again: inodes alone are used anew.
  struct Mark {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    bool operator==(const Mark&) const = default;
  };
  static Mark mark_of(const std::string& path);  // all 0 if there is no file
  UnixListener(Fd fd, std::string path, const Mark& mark) : fd_(std::move(fd)), path_(std::move(path)), mark_(mark) {}

  Fd fd_;
  std::string path_;  // of the file; empty: there is none
  Mark mark_;
};

// Does not block either: a listener whose backlog is full refuses.
Result<Fd> connect_unix(const std::string& path);

}  // namespace core::inline base
