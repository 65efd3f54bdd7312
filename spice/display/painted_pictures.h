// Where in a frame buffer pictures of a video may have been painted: all that is known are the pixels that changed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/ports/geometry.h"
#include "spice/canvas/region.h"

namespace spice::display {

// A video's edge may stand still for a picture, so places lie on a grid: their sides stay the same from one picture to
// the next. The reference server's device compares columns of 32 pixels, and single rows.
constexpr std::int32_t kPictureGridWidth = 32;
constexpr std::int32_t kPictureGridHeight = 16;
// More places than that are no videos.
constexpr std::size_t kMostPicturePlaces = 16;

// Places within `bounds` that hold the changed pixels, and none twice: first those of videos that run already, if at
// least half of one has changed, as then all of it is the video's next picture.
std::vector<core::Rect> picture_places(const canvas::Region& changed, std::span<const core::Rect> running,
                                       const core::Rect& bounds);

}  // namespace spice::display
