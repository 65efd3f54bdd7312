// A file that takes what the guest prints; an existing one is emptied first.
#pragma once

#include <memory>

#include "core/base/result.h"
#include "devices/character/endpoint.h"

namespace devices::character {

core::Result<std::unique_ptr<Endpoint>> open_file_end(const std::string& path);

}  // namespace devices::character
