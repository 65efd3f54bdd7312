#include "spice/net/openssl_reason.h"

#include <openssl/err.h>

#include "core/base/result.h"

namespace spice::net {

std::string openssl_reason(std::string_view otherwise) {
  const auto code = ::ERR_get_error();
  ::ERR_clear_error();
  if (ERR_SYSTEM_ERROR(code)) return core::errno_text(ERR_GET_REASON(code));
  const char* reason = ::ERR_reason_error_string(code);
  return std::string(reason != nullptr ? reason : otherwise);
}

}  // namespace spice::net
