// The process's standard input and output. A terminal is put into raw mode, so that each key reaches the guest as it is
// pressed, except Ctrl-C, which still interrupts the process; its old mode is restored when the stream goes.
#pragma once

#include <memory>

#include "core/base/result.h"
#include "devices/character/endpoint.h"

namespace devices::character {

// One at a time in a process: a second one is an error.
core::Result<std::unique_ptr<Endpoint>> open_stdio_end(int input = 0, int output = 1);

}  // namespace devices::character
