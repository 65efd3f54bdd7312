// Whole files of the host, read at start-up.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace firmware {

// The bytes of the file; `what` ("kernel", "BIOS image") names it in errors. Refuses more than `max_bytes`.
core::Result<std::vector<std::uint8_t>> read_host_file(const std::string& path, std::string_view what,
                                                       std::uint64_t max_bytes);

}  // namespace firmware
