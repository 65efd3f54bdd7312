// MV_ASSERT(condition, "reason"): our own bug. The condition may depend only on values that no guest and no client can
// influence; whatever they control has a specified outcome instead.
#pragma once

namespace core::inline base {

[[noreturn]] void assertion_failed(const char* condition, const char* reason, const char* file, int line);

}  // namespace core::inline base

#define MV_ASSERT(condition, reason) \
  ((condition) ? static_cast<void>(0) : ::core::assertion_failed(#condition, reason, __FILE__, __LINE__))
