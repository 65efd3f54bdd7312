// Runs cases on the host's processor, in a child process (native_child.cpp) that can do nothing but read and write its
// pipe.
//
// The child lives in a signal handler. Returning from it loads all registers from the signal frame and so begins a
// case; the breakpoint at the case's end, or a fault, is a signal again, whose frame has all registers, the vector, the
// error code and CR2. A case costs one signal.
#pragma once

#include <span>
#include <string>
#include <sys/types.h>

#include "tests/unit/vmm/cpu/soft/differential/native_batch.h"

namespace vmm::cpu::soft::differential {

class NativeCpu {
 public:
  static constexpr std::size_t kBatch = NativeBatch::kMost;

  NativeCpu() = default;
  ~NativeCpu();
  NativeCpu(const NativeCpu&) = delete;
  NativeCpu& operator=(const NativeCpu&) = delete;

  // At most kBatch cases, each with `memory` in its data page at first. Valid until the next call; empty if the child
  // is gone, see error().
  std::span<const Outcome> run(std::span<const Case> cases, const Memory& memory);
  const std::string& error() const { return error_; }

 private:
  bool start();
  int end();  // its wait status

  pid_t child_ = -1;  // with it there are its batch and pipes
  NativeBatch* batch_ = nullptr;
  int orders_ = -1, answers_ = -1;
  std::string error_;
};

}  // namespace vmm::cpu::soft::differential
