#include "devices/character/pty_end.h"

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <termios.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/log.h"

namespace devices::character {

namespace {

constexpr int kRetryMs = 500;  // how often to look for an opener where the kernel does not tell

class PtyEnd final : public Endpoint {
 public:
  PtyEnd(std::string path, core::Fd main, core::Fd openings)
      : path_(std::move(path)), main_(std::move(main)), openings_(std::move(openings)) {}

  std::string name() const override { return "pty:" + path_; }
  bool connect() override {
    std::array<std::uint8_t, 1024> events;
    while (openings_.valid() && ::read(openings_.get(), events.data(), events.size()) > 0) {
    }
    // The kernel reports a hang-up for as long as nobody has the other side open.
    pollfd state{main_.get(), 0, 0};
    return ::poll(&state, 1, 0) == 0;
  }
  int waits_on() const override { return openings_.get(); }
  int retry_ms() const override { return openings_.valid() ? -1 : kRetryMs; }
  int input() const override { return main_.get(); }
  int output() const override { return main_.get(); }
  std::int64_t read(std::span<std::uint8_t> bytes) override { return ::read(main_.get(), bytes.data(), bytes.size()); }
  std::int64_t write(std::span<const std::uint8_t> bytes) override {
    return ::write(main_.get(), bytes.data(), bytes.size());
  }
  bool input_end_disconnects() const override { return true; }
  void disconnect() override {}

 private:
  std::string path_;
  core::Fd main_;
  core::Fd openings_;
};

// The line passes bytes as they are. Its mode belongs to the pair, so it stays when this first opener closes.
bool make_raw(const std::string& path) {
  const auto line = core::Fd::open(path, O_RDWR | O_NOCTTY);
  termios mode{};
  if (!line || ::tcgetattr(line->get(), &mode) != 0) return false;
  ::cfmakeraw(&mode);
  return ::tcsetattr(line->get(), TCSANOW, &mode) == 0;
}

}  // namespace

core::Result<std::unique_ptr<Endpoint>> open_pty_end() {
  constexpr std::string_view kAdvice = "is devpts mounted at /dev/pts? Otherwise use a unix socket";
  core::Fd main(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  std::array<char, 128> path{};
  if (!main.valid() || ::grantpt(main.get()) != 0 || ::unlockpt(main.get()) != 0 ||
      ::ptsname_r(main.get(), path.data(), path.size()) != 0) {
    return core::fail("cannot get a pseudo-terminal: {}; {}", core::errno_text(), kAdvice);
  }
  if (!make_raw(path.data())) {
    return core::fail("cannot set up the pseudo-terminal {}: {}; {}", path.data(), core::errno_text(), kAdvice);
  }
  core::Fd openings(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (openings.valid() && ::inotify_add_watch(openings.get(), path.data(), IN_OPEN) < 0) openings.close();
  core::log(core::LogLevel::Info, "character", "pty is {}", path.data());
  return std::make_unique<PtyEnd>(path.data(), std::move(main), std::move(openings));
}

}  // namespace devices::character
