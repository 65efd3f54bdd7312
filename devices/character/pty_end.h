// A pseudo-terminal of our own; its path is logged, and who opens it is the other side, one after another.
#pragma once

#include <memory>

#include "core/base/result.h"
#include "devices/character/endpoint.h"

namespace devices::character {

// name() is "pty:/dev/pts/N".
core::Result<std::unique_ptr<Endpoint>> open_pty_end();

}  // namespace devices::character
