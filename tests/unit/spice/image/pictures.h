// Pictures for tests: guests' images of any format with content of several kinds.
#pragma once

#include <cstdint>
#include <random>

#include "core/ports/drawing.h"
#include "tests/unit/spice/image/model_client.h"

namespace pictures {

using Random = std::mt19937;

enum class Kind : std::uint8_t { Noise, Plain, Gradient, Windows };

// Bytes of a pixel that neither pass for one kind only nor depend on the format.
core::Bitmap bitmap(Random& random, core::BitmapFormat format, Kind kind, std::uint32_t width, std::uint32_t height);
// Any format, kind, direction, padding; sides up to `most`.
core::ImagePtr any(Random& random, std::uint32_t most);
model::Picture shown(const core::Bitmap& bitmap);

}  // namespace pictures
