// Pixels as an image is to have them: a bitmap format of the protocol and rows where they lie.
#pragma once

#include <cstddef>
#include <cstdint>

#include "spice/wire/image.h"

namespace spice::image {

constexpr unsigned bits_per_pixel(wire::BitmapFormat format) {
  switch (format) {
    case wire::BitmapFormat::Le1:
    case wire::BitmapFormat::Be1: return 1;
    case wire::BitmapFormat::Le4:
    case wire::BitmapFormat::Be4: return 4;
    case wire::BitmapFormat::Indexed8:
    case wire::BitmapFormat::Alpha8: return 8;
    case wire::BitmapFormat::Rgb16: return 16;
    case wire::BitmapFormat::Rgb24: return 24;
    case wire::BitmapFormat::Rgb32:
    case wire::BitmapFormat::Rgba: return 32;
  }
  return 0;
}

constexpr bool is_indexed(wire::BitmapFormat format) {
  return format <= wire::BitmapFormat::Indexed8;
}

// With colours of its own.
constexpr bool is_color(wire::BitmapFormat format) {
  return !is_indexed(format) && format != wire::BitmapFormat::Alpha8;
}

// Somebody else keeps the rows. Both sides are 1..canvas::kMaxSide.
struct StoredPixels {
  wire::BitmapFormat format = wire::BitmapFormat::Rgb32;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  const std::uint8_t* rows = nullptr;  // the first stored row
  std::ptrdiff_t stride = 0;           // to the next one
  bool top_down = true;                // the first stored row is the top one
  bool is_padded = false;              // a guest's rows that are longer than their pixels

  const std::uint8_t* row(std::uint32_t y) const { return rows + static_cast<std::ptrdiff_t>(y) * stride; }
  // What QUIC and JPEG want.
  const std::uint8_t* top_row() const { return top_down ? rows : row(height - 1); }
  std::ptrdiff_t stride_down() const { return top_down ? stride : -stride; }
  // Without padding.
  std::size_t row_bytes() const { return (std::size_t{width} * bits_per_pixel(format) + 7) / 8; }
  std::size_t bytes() const { return row_bytes() * height; }
  std::uint64_t pixels() const { return std::uint64_t{width} * height; }
};

}  // namespace spice::image
