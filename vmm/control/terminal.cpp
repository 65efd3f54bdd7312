#include "vmm/control/terminal.h"

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

namespace vmm::control {

namespace {

class TakenKeys final : public KeyMode {
 public:
  TakenKeys(core::Fd fd, const termios& original) : fd_(std::move(fd)), original_(original) {
    auto mode = original_;
    mode.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | IEXTEN);
    mode.c_iflag &= ~static_cast<tcflag_t>(ICRNL | IXON);
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    ::tcsetattr(fd_.get(), TCSANOW, &mode);
  }
  ~TakenKeys() override { ::tcsetattr(fd_.get(), TCSANOW, &original_); }
  TakenKeys(const TakenKeys&) = delete;
  TakenKeys& operator=(const TakenKeys&) = delete;

 private:
  core::Fd fd_;
  termios original_;
};

}  // namespace

std::unique_ptr<KeyMode> take_keys_of(int fd) {
  termios mode{};
  if (::tcgetattr(fd, &mode) != 0) return nullptr;
  return std::make_unique<TakenKeys>(core::Fd(::fcntl(fd, F_DUPFD_CLOEXEC, 0)), mode);
}

core::Result<PseudoTerminal> open_pseudo_terminal() {
  PseudoTerminal made;
  made.ours = core::Fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  std::array<char, 128> path{};
  if (!made.ours.valid() || ::grantpt(made.ours.get()) != 0 || ::unlockpt(made.ours.get()) != 0 ||
      ::ptsname_r(made.ours.get(), path.data(), path.size()) != 0) {
    return core::fail("cannot get a pseudo-terminal: {}; use unix:PATH instead", core::errno_text());
  }
  made.path = path.data();
  auto theirs = core::Fd::open(made.path, O_RDWR | O_NOCTTY);
  if (!theirs) return std::unexpected(theirs.error());
  made.theirs = std::move(*theirs);
  termios mode{};
  if (::tcgetattr(made.theirs.get(), &mode) == 0) {
    ::cfmakeraw(&mode);
    ::tcsetattr(made.theirs.get(), TCSANOW, &mode);
  }
  return made;
}

}  // namespace vmm::control
