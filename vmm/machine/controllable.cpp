#include "vmm/machine/controllable.h"

namespace vmm::machine {

std::string_view run_state_name(RunState state) {
  switch (state) {
    case RunState::Prelaunch: return "prelaunch";
    case RunState::Running: return "running";
    case RunState::Suspended: return "suspended";
    case RunState::Paused: return "paused";
    case RunState::InternalError: return "internal-error";
    case RunState::GuestPanicked: return "guest-panicked";
    case RunState::Shutdown: return "shutdown";
  }
  return "internal-error";
}

}  // namespace vmm::machine
