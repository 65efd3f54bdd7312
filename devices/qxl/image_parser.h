// Images of commands, from guest memory to values. [QXL QXLImage]
#pragma once

#include <cstdint>
#include <memory>

#include "core/ports/drawing.h"
#include "devices/qxl/command_reader.h"

namespace devices::qxl {

// What a driver of the first revision does otherwise. [QXL QXL_COMMAND_FLAG_COMPAT, _16BPP]
struct CommandFlags {
  bool compat = false;        // the older layout of drawables
  bool colors_15bit = false;  // colours of brushes and palettes have 5 bits each
  bool operator==(const CommandFlags&) const = default;
};

// A colour as commands have it, as the seam has it.
std::uint32_t color_of(std::uint32_t color, const CommandFlags& flags);

enum class ImageUse : std::uint8_t { Picture, Mask };

// Null, and the reader knows why, if the image makes no sense.
core::ImagePtr parse_image(CommandReader& in, QxlAddress at, ImageUse use, const CommandFlags& flags);

}  // namespace devices::qxl
