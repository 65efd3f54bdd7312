// Pictures of the guest's screen as files.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/result.h"
#include "vmm/machine/controllable.h"

namespace vmm::control {

enum class PictureFormat : std::uint8_t { Ppm, Png };

// Writes the whole file or nothing: it appears under `path` complete.
core::Result<> write_picture(const machine::Picture& picture, PictureFormat format, const std::string& path);

// Writes what a display shows to a PNG file of its own in the current directory, named after the machine and the time,
// and says so in the log. Control loop.
void keep_picture(machine::Controllable& machine, const std::string& device);

}  // namespace vmm::control
