// Which system calls threads of each kind need: the whole policy of the sandbox, as tables.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/base/thread_start.h"

namespace vmm::sandbox {

// Holds when (argument & mask) == value.
struct Condition {
  unsigned argument = 0;  // 0 to 5
  std::uint64_t mask = 0;
  std::uint64_t value = 0;
};

struct SystemCall {
  int number = 0;
  std::optional<Condition> only = {};  // of several entries for one call, one must hold
};

using SystemCalls = std::span<const SystemCall>;

// What the C library can do without, if it is told so by an error.
struct RefusedCall {
  int number = 0;
  int error = 0;  // errno
};

// What is in neither list kills the process.
std::vector<SystemCalls> allowed_calls(core::ThreadKind kind);
std::span<const RefusedCall> refused_calls(core::ThreadKind kind);
// What glibc has every thread do when the process changes its user, once, before the guest runs.
SystemCalls user_change_calls();

}  // namespace vmm::sandbox
