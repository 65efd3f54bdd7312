#include "devices/character/stdio_end.h"

#include <algorithm>
#include <atomic>
#include <fcntl.h>
#include <optional>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "core/base/fd.h"

namespace devices::character {

namespace {

// There is one terminal, and two readers of it would each get half of the keys.
std::atomic<bool> stdio_is_taken{false};

constexpr std::size_t kSharedChunk = 256;  // what a terminal takes without blocking once poll() says it takes anything

bool is_of_kind(int fd, mode_t kind) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) == kind;
}

// One direction of standard I/O.
struct Direction {
  core::Fd fd;
  bool is_socket = false;
  bool may_block = false;
};

// A description of our own where the kernel gives one, so that non-blocking mode stays ours: the shell and our other
// processes share the original.
Direction own_description(int fd, int flags) {
  Direction direction;
  direction.is_socket = is_of_kind(fd, S_IFSOCK);
  if (is_of_kind(fd, S_IFCHR) || is_of_kind(fd, S_IFIFO)) {
    auto own = core::Fd::open("/proc/self/fd/" + std::to_string(fd), flags | O_NOCTTY | O_NONBLOCK);
    if (own) {
      direction.fd = std::move(*own);
      return direction;
    }
    direction.may_block = true;
  }
  direction.fd = core::Fd(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  return direction;
}

class StdioEnd final : public Endpoint {
 public:
  StdioEnd(int input, int output) : in_(own_description(input, O_RDONLY)), out_(own_description(output, O_WRONLY)) {
    make_raw();
  }
  ~StdioEnd() override {
    if (original_) ::tcsetattr(in_.fd.get(), TCSANOW, &*original_);
    stdio_is_taken = false;
  }

  std::string name() const override { return "stdio"; }
  bool connect() override { return true; }
  int input() const override { return in_.fd.get(); }
  int output() const override { return out_.fd.get(); }
  std::int64_t read(std::span<std::uint8_t> bytes) override { return ::read(in_.fd.get(), bytes.data(), bytes.size()); }
  std::int64_t write(std::span<const std::uint8_t> bytes) override {
    if (out_.is_socket) return ::send(out_.fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    const auto chunk = out_.may_block ? std::min(bytes.size(), kSharedChunk) : bytes.size();
    return ::write(out_.fd.get(), bytes.data(), chunk);
  }
  bool input_end_disconnects() const override { return false; }
  void disconnect() override {}

 private:
  void make_raw();

  Direction in_;
  Direction out_;
  std::optional<termios> original_;
};

void StdioEnd::make_raw() {
  const int fd = in_.fd.get();
  termios mode{};
  if (fd < 0 || ::tcgetattr(fd, &mode) != 0) return;
  // A background process would be stopped for touching its terminal.
  const auto foreground = ::tcgetpgrp(fd);
  if (foreground >= 0 && foreground != ::getpgrp()) return;
  original_ = mode;
  // As cfmakeraw(), but output is still processed, for our own messages, and Ctrl-C still a signal.
  mode.c_iflag &= ~static_cast<tcflag_t>(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
  mode.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | IEXTEN);
  mode.c_lflag |= ISIG;
  mode.c_cc[VQUIT] = _POSIX_VDISABLE;
  mode.c_cc[VSUSP] = _POSIX_VDISABLE;
  mode.c_cc[VMIN] = 1;
  mode.c_cc[VTIME] = 0;
  ::tcsetattr(fd, TCSANOW, &mode);
}

}  // namespace

core::Result<std::unique_ptr<Endpoint>> open_stdio_end(int input, int output) {
  if (stdio_is_taken.exchange(true)) {
    return core::fail("stdio is used twice; give one of the two streams a file, a unix socket or a pty");
  }
  return std::make_unique<StdioEnd>(input, output);
}

}  // namespace devices::character
