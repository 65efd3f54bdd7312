// How much a picture looks like a photo: whether neighbouring pixels differ a little (photos, gradients) or not at all
// or a lot (text, windows). The measure of the reference server, to the bit, as bytes on the wire and the start of
// video streams follow from it. Any thread.
#pragma once

#include <cstdint>

#include "spice/image/stored_pixels.h"

namespace spice::image {

enum class Graduality : std::uint8_t { Low, Medium, High };

// Looks at one pixel in fifteen. Of formats with colours; the rows are taken as one piece.
Graduality graduality(const StoredPixels& pixels);

}  // namespace spice::image
