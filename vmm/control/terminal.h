// Terminals as a monitor's client: one that we run on, and one of our own making.
#pragma once

#include <memory>
#include <string>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace vmm::control {

// A terminal gives every key as it is pressed, without echo, as long as this lives. Its signals stay: Ctrl-C ends
// minivmm.
class KeyMode {
 public:
  virtual ~KeyMode() = default;
};

// nullptr: the descriptor is no terminal.
std::unique_ptr<KeyMode> take_keys_of(int fd);

struct PseudoTerminal {
  core::Fd ours;
  core::Fd theirs;  // open, so that ours works while nobody has opened it
  std::string path;
};
// As a line that passes bytes as they are.
core::Result<PseudoTerminal> open_pseudo_terminal();

}  // namespace vmm::control
