// The images of a drawing, whatever it is.
#pragma once

#include <variant>

#include "core/ports/drawing.h"

namespace spice::display {

enum class ImageRole { Pixels, Mask };

// Calls f(image, role) for each; a null one is a source or a pattern that is missing.
template <class F>
void for_each_image(const core::Drawing& drawing, F f) {
  const auto brush = [&f](const core::Brush& of) {
    if (const auto* pattern = std::get_if<core::PatternBrush>(&of)) f(pattern->image, ImageRole::Pixels);
  };
  std::visit(
      [&](const auto& operation) {
        if constexpr (requires { operation.source.image; }) f(operation.source.image, ImageRole::Pixels);
        if constexpr (requires { operation.brush; }) brush(operation.brush);
        if constexpr (requires { operation.fore_brush; }) {
          brush(operation.fore_brush);
          brush(operation.back_brush);
        }
        if constexpr (requires { operation.mask.image; }) {
          if (operation.mask.image != nullptr) f(operation.mask.image, ImageRole::Mask);
        }
        if constexpr (requires { operation.mask->image; }) {
          if (operation.mask) f(operation.mask->image, ImageRole::Pixels);
        }
      },
      drawing.operation);
}

}  // namespace spice::display
