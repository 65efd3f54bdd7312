// Where a picture lies in a window that may have another size.
#pragma once

#include "core/ports/geometry.h"

namespace vmm::window {

struct Size {
  std::int32_t width = 0;
  std::int32_t height = 0;
  bool operator==(const Size&) const = default;
};

// As large as fits, of its own shape, in the middle. Both have pixels.
core::Rect placed(Size picture, Size window);

// What an area of the picture covers in the window, at least in part, when the picture is at `place`.
core::Rect scaled(const core::Rect& area, Size picture, const core::Rect& place);

// The picture's pixel that is seen at a point of the window; the nearest one for what is beside it.
core::Point picture_point(core::Point at, Size picture, const core::Rect& place);

}  // namespace vmm::window
