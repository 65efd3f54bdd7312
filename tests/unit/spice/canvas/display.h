// Surfaces and images for tests of drawings.
#pragma once

#include <cstring>
#include <map>
#include <random>

#include "spice/canvas/draw.h"

namespace canvas_test {

using core::SurfaceFormat;
using spice::canvas::Surface;

class Display final : public spice::canvas::SurfaceTable {
 public:
  Surface* find(core::SurfaceId id) override {
    const auto found = surfaces_.find(id);
    return found == surfaces_.end() ? nullptr : &found->second;
  }
  Surface& add(core::SurfaceId id, std::int32_t width, std::int32_t height,
               SurfaceFormat format = SurfaceFormat::Xrgb) {
    return surfaces_[id] = Surface(width, height, format);
  }

 private:
  std::map<core::SurfaceId, Surface> surfaces_;
};

inline std::uint32_t mask_of(SurfaceFormat format) {
  const auto bits = spice::canvas::bits_per_pixel(format);
  return bits == 32 ? ~0U : (1U << bits) - 1;
}

inline std::uint32_t get(const Surface& surface, std::int32_t x, std::int32_t y) {
  const auto bits = spice::canvas::bits_per_pixel(surface.format());
  if (bits == 1) return surface.row(y)[x / 8] >> (x % 8) & 1U;
  std::uint32_t pixel = 0;
  std::memcpy(&pixel, surface.row(y) + static_cast<std::size_t>(x) * bits / 8, bits / 8);
  return pixel;
}

inline void put(Surface& surface, std::int32_t x, std::int32_t y, std::uint32_t pixel) {
  const auto bits = spice::canvas::bits_per_pixel(surface.format());
  std::memcpy(surface.row(y) + static_cast<std::size_t>(x) * bits / 8, &pixel, bits / 8);
}

inline void scribble(Surface& surface, std::mt19937& random) {
  for (std::int32_t y = 0; y < surface.height(); ++y) {
    for (std::int32_t x = 0; x < surface.width(); ++x)
      put(surface, x, y, static_cast<std::uint32_t>(random()));
  }
}

inline core::ImagePtr image(core::Bitmap bitmap) {
  return std::make_shared<core::Image>(core::Image{.content = std::move(bitmap)});
}

inline core::ImagePtr surface_image(core::SurfaceId id) {
  return std::make_shared<core::Image>(core::Image{.content = core::SurfacePixels{id}});
}

inline core::ImagePtr own_image(const core::Rect& area) {
  return std::make_shared<core::Image>(core::Image{.content = core::OwnPixels{area}});
}

// Chance pixels in the format that a surface takes as they are.
inline core::Bitmap noise(std::uint32_t width, std::uint32_t height, SurfaceFormat like, bool top_down,
                          std::mt19937& random) {
  const auto format = like == SurfaceFormat::A8       ? core::BitmapFormat::A8
                      : like == SurfaceFormat::Rgb555 ? core::BitmapFormat::Rgb555
                                                      : core::BitmapFormat::Rgb32;
  const std::uint32_t stride =
      width * spice::canvas::bits_per_pixel(like) / 8 + static_cast<std::uint32_t>(random() % 5);
  core::Bitmap bitmap{.format = format,
                      .top_down = top_down,
                      .width = width,
                      .height = height,
                      .stride = stride,
                      .palette = nullptr,
                      .data = {}};
  bitmap.data.resize(std::size_t{stride} * height);
  for (auto& byte : bitmap.data)
    byte = static_cast<std::uint8_t>(random());
  return bitmap;
}

inline core::Bitmap bits(std::uint32_t width, std::uint32_t height, core::BitmapFormat format, bool top_down,
                         std::mt19937& random) {
  auto bitmap = noise((width + 7) / 8, height, SurfaceFormat::A8, top_down, random);
  bitmap.format = format;
  bitmap.width = width;
  return bitmap;
}

inline const std::uint8_t* row_of(const core::Bitmap& bitmap, std::int64_t y) {
  const auto stored = bitmap.top_down ? y : std::int64_t{bitmap.height} - 1 - y;
  return bitmap.data.data() + stored * bitmap.stride;
}

inline std::uint32_t pixel_of(const core::Bitmap& bitmap, std::int64_t x, std::int64_t y) {
  std::uint32_t pixel = 0;
  const auto* const row = row_of(bitmap, y);
  switch (bitmap.format) {
    case core::BitmapFormat::Le1: return row[x / 8] >> (x % 8) & 1U;
    case core::BitmapFormat::Be1: return row[x / 8] >> (7 - x % 8) & 1U;
    case core::BitmapFormat::A8: return row[x];
    case core::BitmapFormat::Rgb555: std::memcpy(&pixel, row + 2 * x, 2); return pixel;
    default: std::memcpy(&pixel, row + 4 * x, 4); return pixel;
  }
}

}  // namespace canvas_test
