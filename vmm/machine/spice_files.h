// Files around the SPICE server: certificates that are made on request, passwords that are kept in one.
#pragma once

#include <string>

#include "core/base/result.h"

namespace vmm::machine {

// --spice gen-certs=DIR. What the user is told: what was made and how to go on.
core::Result<std::string> make_certificates(const std::string& directory);

// --spice password-secret=FILE.
core::Result<std::string> read_password(const std::string& path);

}  // namespace vmm::machine
