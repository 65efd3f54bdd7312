// Into which rectangles a region that a client lacks is cut, one message each.
#pragma once

#include <vector>

#include "core/ports/display.h"
#include "spice/canvas/region.h"

namespace spice::display {

// One message holds at most so many pixels, so that a slow client holds little memory and a change elsewhere does not
// wait behind a whole screen.
constexpr std::int64_t kMaxUpdatePixels = std::int64_t{128} * 1024;
// A new client's first picture is one message up to this size, as the reference server sends it: spicy-screenshot takes
// what it has after the first drawing.
constexpr std::int64_t kMaxFirstPicturePixels = std::int64_t{16} * 1024 * 1024;
// A message costs over a hundred bytes beside its pixels: rectangles so near that joining them adds no more than this
// many pixels are sent as one. A text cell has 144.
constexpr std::int64_t kJoinSlackPixels = 256;
// More rectangles than this are not told apart.
constexpr std::size_t kMaxUpdateRects = 64;

// Rectangles that together hold the region; each at most kMaxUpdatePixels, from top to bottom within one area.
std::vector<core::Rect> plan_updates(canvas::Region region);

}  // namespace spice::display
