// Images of the render vectors as drawings have them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/ports/drawing.h"

namespace vectors {

// Bitmaps and surfaces as they are; what is encoded in a way that only clients know is decoded to a bitmap.
// Throws std::runtime_error.
core::ImagePtr image_of(const nlohmann::json& description, const std::string& folder);

}  // namespace vectors
