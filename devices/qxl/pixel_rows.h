// Lines of video memory to canvas pixels, and the comparison that keeps reports tight. Pure functions.
#pragma once

#include <cstdint>
#include <span>

#include "core/ports/display.h"
#include "devices/qxl/change_rects.h"
#include "devices/qxl/scanout.h"

namespace devices::qxl {

// How many pixels a line of `scanout` becomes, panning room included.
std::size_t row_pixels(const Scanout& scanout);
// `bytes` holds scanout.line_bytes, `out` row_pixels(scanout).
void convert_row(const Scanout& scanout, std::span<const std::uint8_t> bytes, std::span<std::uint32_t> out);
// Copies what differs from `row` into `to`, line `y` of the canvas, and adds it to `changes`.
void update_row(std::span<const std::uint32_t> row, std::span<std::uint32_t> to, std::int32_t y, ChangeRects& changes);

}  // namespace devices::qxl
