#pragma once

#include <string>
#include <string_view>

namespace spice::net {

// Why the last call of OpenSSL on this thread failed, as it says first; `otherwise` if it does not say. Forgets the
// rest.
std::string openssl_reason(std::string_view otherwise = "OpenSSL does not say why");

}  // namespace spice::net
