// How long a drawing may take. Most kinds cost some 20 ns a pixel at worst, so that the largest surface is drawn in a
// second or two whatever the guest asks for; the few that cost much more have fewer pixels.
#pragma once

#include <cstdint>

#include "core/ports/drawing.h"

namespace spice::canvas {

// Rough, on a slow host, of a drawing that changes so many pixels at most.
std::int64_t nanoseconds_to_draw(const core::Drawing& drawing, std::int64_t pixels);

// Enough for 4096 x 3840 pixels of any kind that drivers use, and for 1920 x 1080 of all.
constexpr std::int64_t kMostNanoseconds = 2'000'000'000;

// Of a stroke, the rest is not drawn: more than a path has that goes over a screen once.
constexpr std::int64_t kMostLinePixels = 1 << 22;

}  // namespace spice::canvas
