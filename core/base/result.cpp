#include "core/base/result.h"

#include <cerrno>
#include <system_error>

namespace core::inline base {

std::string errno_text(int error_number) {
  return std::generic_category().message(error_number);
}

std::string errno_text() {
  return errno_text(errno);
}

}  // namespace core::inline base
