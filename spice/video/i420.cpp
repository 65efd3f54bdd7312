#include "spice/video/i420.h"

#include <algorithm>
#include <cstring>

namespace spice::video {

namespace {

struct Rgb {
  int r, g, b;
};

Rgb split(std::uint32_t pixel) {
  return {static_cast<int>(pixel >> 16 & 0xff), static_cast<int>(pixel >> 8 & 0xff), static_cast<int>(pixel & 0xff)};
}

// BT.601 in 1/256, with the offset and one half for rounding.
std::uint8_t luma_of(const Rgb& c) {
  return static_cast<std::uint8_t>((66 * c.r + 129 * c.g + 25 * c.b + (16 << 8) + 128) >> 8);
}
// Of the sum of four pixels.
std::uint8_t blue_of(const Rgb& sum) {
  return static_cast<std::uint8_t>((-38 * sum.r - 74 * sum.g + 112 * sum.b + (128 << 10) + 512) >> 10);
}
std::uint8_t red_of(const Rgb& sum) {
  return static_cast<std::uint8_t>((112 * sum.r - 94 * sum.g - 18 * sum.b + (128 << 10) + 512) >> 10);
}

// A row as 0x00RRGGBB.
void read_row(const std::uint8_t* from, PixelLayout layout, std::size_t width, std::uint32_t* to) {
  switch (layout) {
    case PixelLayout::Rgb32: std::memcpy(to, from, width * 4); return;
    case PixelLayout::Rgb24:
      for (std::size_t x = 0; x < width; ++x)
        to[x] = from[3 * x] | std::uint32_t{from[3 * x + 1]} << 8 | std::uint32_t{from[3 * x + 2]} << 16;
      return;
    case PixelLayout::Rgb16:
      for (std::size_t x = 0; x < width; ++x) {
        const std::uint32_t pixel = from[2 * x] | std::uint32_t{from[2 * x + 1]} << 8;
        const auto five = (pixel & 0x1f) | (pixel << 3 & 0x1f00) | (pixel << 6 & 0x1f0000);
        to[x] = (five << 3 & 0xf8f8f8) | (five >> 2 & 0x070707);
      }
      return;
  }
}

void luma_row(const std::uint32_t* pixels, std::size_t width, std::uint8_t* to) {
  for (std::size_t x = 0; x < width; ++x)
    to[x] = luma_of(split(pixels[x]));
}

// `pixels` are two rows of `width`, which is even.
void chroma_row(const std::uint32_t* upper, const std::uint32_t* lower, std::size_t width, std::uint8_t* blue,
                std::uint8_t* red) {
  for (std::size_t x = 0; x < width; x += 2) {
    const Rgb a = split(upper[x]), b = split(upper[x + 1]), c = split(lower[x]), d = split(lower[x + 1]);
    const Rgb sum{a.r + b.r + c.r + d.r, a.g + b.g + c.g + d.g, a.b + b.b + c.b + d.b};
    blue[x / 2] = blue_of(sum);
    red[x / 2] = red_of(sum);
  }
}

}  // namespace

void I420::resize(std::uint32_t width, std::uint32_t height) {
  width_ = width;
  height_ = height;
  bytes_.resize(luma_bytes() + 2 * chroma_width() * chroma_height());
  pixels_.resize(4 * chroma_width());
}

void I420::convert(const Picture& picture) {
  resize(picture.width, picture.height);
  const auto even_width = 2 * chroma_width();
  auto* const upper = pixels_.data();
  auto* const lower = upper + even_width;
  const auto read = [&](std::size_t y, std::uint32_t* to) {
    read_row(picture.rows + static_cast<std::ptrdiff_t>(y) * picture.stride, picture.layout, width_, to);
    if (even_width > width_) to[width_] = to[width_ - 1];
  };
  for (std::size_t y = 0; y < height_; y += 2) {
    read(y, upper);
    read(std::min<std::size_t>(y + 1, height_ - 1), lower);
    luma_row(upper, width_, luma() + y * width_);
    if (y + 1 < height_) luma_row(lower, width_, luma() + (y + 1) * width_);
    chroma_row(upper, lower, even_width, blue() + y / 2 * chroma_width(), red() + y / 2 * chroma_width());
  }
}

}  // namespace spice::video
