#include "vmm/cpu/kvm/kick_signal.h"

#include <csignal>

namespace vmm::cpu::kvm {

namespace {
int kick_signal() {
  return SIGRTMIN + 2;
}
void do_nothing(int) {}
}  // namespace

core::Result<> install_kick_signal() {
  struct sigaction action{};
  action.sa_handler = do_nothing;
  action.sa_flags = SA_RESTART;
  if (::sigaction(kick_signal(), &action, nullptr) != 0) {
    return core::fail("cannot install the handler of signal {}: {}", kick_signal(), core::errno_text());
  }
  return {};
}

void accept_kick_signal() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, kick_signal());
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void send_kick_signal(pthread_t thread) {
  ::pthread_kill(thread, kick_signal());
}

}  // namespace vmm::cpu::kvm
