// Host ends by name, as the command line has them:
//   stdio | file:PATH | unix:PATH[,server=on|off] | pty | null | none
#pragma once

#include <memory>
#include <string_view>

#include "core/base/result.h"
#include "core/base/thread_start.h"
#include "core/ports/char_stream.h"

namespace devices::character {

// Ready for use: the file is created, the socket listens, the terminal is raw. Destroy it after the device that uses
// it.
core::Result<std::unique_ptr<core::CharStream>> open(std::string_view spec, const core::ThreadStart& start = {});

}  // namespace devices::character
