// A Unix stream socket: listening for one peer after another, or connected to somebody's once.
#pragma once

#include <memory>

#include "core/base/result.h"
#include "devices/character/endpoint.h"

namespace devices::character {

// Listens at `path`, which is removed in the end. A socket file that nobody listens at any more is replaced; one in
// use, and any other file, is an error. Further peers wait until the present one leaves.
core::Result<std::unique_ptr<Endpoint>> listen_unix_end(const std::string& path);
// Connects to the listener at `path`, which must be there now.
core::Result<std::unique_ptr<Endpoint>> connect_unix_end(const std::string& path);

}  // namespace devices::character
