#include "core/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace core::inline base {

void assertion_failed(const char* condition, const char* reason, const char* file, int line) {
  std::fprintf(stderr, "minivmm: bug: %s:%d: %s (%s)\n", file, line, reason, condition);
  std::abort();
}

}  // namespace core::inline base
