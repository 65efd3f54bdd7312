// Drawings that look like pictures of a video.
#pragma once

#include <cstdint>
#include <memory>

#include "core/ports/drawing.h"

namespace tests {

inline core::Rect box(std::int32_t left, std::int32_t top, std::int32_t width, std::int32_t height) {
  return {left, top, left + width, top + height};
}

// A picture of dest's size, every byte `value`, rows of 32-bit pixels.
inline core::Drawing picture(const core::Rect& dest, std::uint8_t value = 0, bool top_down = true) {
  const auto width = static_cast<std::uint32_t>(dest.width());
  const auto height = static_cast<std::uint32_t>(dest.height());
  core::Bitmap bitmap{.top_down = top_down, .width = width, .height = height, .stride = width * 4};
  bitmap.data.assign(std::size_t{bitmap.stride} * height, value);
  core::DrawCopy copy;
  copy.source.image = std::make_shared<core::Image>(core::Image{.content = std::move(bitmap)});
  copy.source.area = {0, 0, dest.width(), dest.height()};
  return {.box = dest, .effect = core::Effect::Opaque, .operation = std::move(copy)};
}

// The same with another bitmap.
inline core::Drawing with_bitmap(core::Drawing drawing, core::Bitmap bitmap) {
  auto& copy = std::get<core::DrawCopy>(drawing.operation);
  copy.source.image = std::make_shared<core::Image>(core::Image{.content = std::move(bitmap)});
  return drawing;
}

}  // namespace tests
