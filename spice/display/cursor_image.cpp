#include "spice/display/cursor_image.h"

#include <algorithm>
#include <array>
#include <bit>
#include <span>

#include "core/base/endian.h"

namespace spice::display {
namespace {

constexpr std::uint32_t kColorBits = 0x00ffffff;

// Reads the pixels of one shape. Its state says that all the bytes are there.
class ShapeReader {
 public:
  explicit ShapeReader(const core::CursorShape& shape)
      : shape_(shape),
        mask_at_(cursor_bytes(shape.type, shape.width, shape.height).value_or(mask_bytes()) - mask_bytes()) {}

  std::uint32_t combined(std::int32_t x, std::int32_t y, std::uint32_t under) const {
    const std::size_t index = static_cast<std::size_t>(y) * shape_.width + static_cast<std::size_t>(x);
    if (shape_.type == core::CursorType::Alpha) return over(word(index * 4), under);
    if (shape_.type == core::CursorType::Mono) {
      const std::uint32_t kept = bit(0, x, y) ? under : 0;
      return (kept ^ (bit(mask_bytes(), x, y) ? kColorBits : 0)) & kColorBits;
    }
    // Clients count the mask's bits through, without padding rows.
    const bool is_masked = (shape_.data[mask_at_ + index / 8] & 0x80U >> index % 8) != 0;
    return (color(index, x, y) ^ (is_masked ? under : 0)) & kColorBits;
  }

 private:
  std::size_t mask_bytes() const { return (shape_.width + 7U) / 8 * std::size_t{shape_.height}; }
  std::uint32_t word(std::size_t at) const { return core::load_le<std::uint32_t>(shape_.data.data() + at); }
  bool bit(std::size_t plane, std::int32_t x, std::int32_t y) const {
    const auto row = plane + (shape_.width + 7U) / 8 * static_cast<std::size_t>(y);
    return (shape_.data[row + static_cast<std::size_t>(x) / 8] & 0x80 >> x % 8) != 0;
  }
  std::uint32_t palette(std::size_t pixel_bytes, std::size_t index) const { return word(pixel_bytes + index * 4); }

  std::uint32_t color(std::size_t index, std::int32_t x, std::int32_t y) const {
    const std::size_t pixels = std::size_t{shape_.width} * shape_.height;
    switch (shape_.type) {
      case core::CursorType::Color4: {
        const std::size_t row_bytes = (shape_.width + 1U) / 2;
        const auto byte = shape_.data[static_cast<std::size_t>(y) * row_bytes + static_cast<std::size_t>(x) / 2];
        return palette(row_bytes * shape_.height, x % 2 == 0 ? byte >> 4 : byte & 15);
      }
      case core::CursorType::Color8: return palette(pixels, shape_.data[index]);
      case core::CursorType::Color16: {
        const std::uint32_t pixel = core::load_le<std::uint16_t>(shape_.data.data() + index * 2);
        return (pixel & 0x1f) << 3 | (pixel & 0x3e0) << 6 | (pixel & 0x7c00) << 9;
      }
      case core::CursorType::Color24:
        return shape_.data[index * 3] | static_cast<std::uint32_t>(shape_.data[index * 3 + 1]) << 8 |
               static_cast<std::uint32_t>(shape_.data[index * 3 + 2]) << 16;
      case core::CursorType::Color32: return word(index * 4);
      case core::CursorType::Alpha:
      case core::CursorType::Mono: break;
    }
    return 0;
  }

  static std::uint32_t over(std::uint32_t source, std::uint32_t under) {
    const std::uint32_t rest = 255 - (source >> 24);
    std::uint32_t result = 0;
    for (unsigned shift = 0; shift < 24; shift += 8) {
      const std::uint32_t product = (under >> shift & 0xff) * rest + 128;
      const std::uint32_t sum = (source >> shift & 0xff) + ((product + (product >> 8)) >> 8);
      result |= std::min<std::uint32_t>(sum, 255) << shift;
    }
    return result;
  }

  const core::CursorShape& shape_;
  std::size_t mask_at_;
};

struct Span {
  std::int64_t first = 0;  // of the shape
  std::int64_t end = 0;
};

// The part of a shape's side that lies on a picture's.
Span visible_part(std::int64_t place, std::int64_t shape_side, std::int64_t picture_side) {
  return {std::max<std::int64_t>(0, -place), std::min(shape_side, picture_side - place)};
}

// What lies over any picture so that black becomes `on_black` and white `on_white`: not premultiplied ARGB.
std::uint32_t overlay(std::uint32_t on_black, std::uint32_t on_white) {
  constexpr std::uint32_t kGray = 0xff808080;
  const auto black = std::bit_cast<std::array<std::uint8_t, 4>>(on_black);
  const auto white = std::bit_cast<std::array<std::uint8_t, 4>>(on_white);
  int lets_through = 255;
  for (std::size_t color = 0; color < 3; ++color) {
    if (black[color] > white[color]) return kGray;
    lets_through = std::min(lets_through, white[color] - black[color]);
  }
  const int alpha = 255 - lets_through;
  std::uint32_t pixel = static_cast<std::uint32_t>(alpha) << 24;
  for (std::size_t color = 0; alpha != 0 && color < 3; ++color)
    pixel |= static_cast<std::uint32_t>(std::min(255, (black[color] * 255 + alpha / 2) / alpha)) << (8 * color);
  return pixel;
}

}  // namespace

core::PointerPicture cursor_picture(const core::CursorShape& shape) {
  constexpr std::uint32_t kWhite = 0x00ffffff;
  core::PointerPicture picture{.width = shape.width, .height = shape.height, .hot_spot = shape.hot_spot, .pixels = {}};
  picture.pixels.reserve(std::size_t{shape.width} * shape.height);
  const ShapeReader reader(shape);
  for (std::int32_t y = 0; y < picture.height; ++y)
    for (std::int32_t x = 0; x < picture.width; ++x)
      picture.pixels.push_back(overlay(reader.combined(x, y, 0), reader.combined(x, y, kWhite)));
  return picture;
}

void draw_cursor(const CursorState& cursor, core::PixelView to) {
  if (!cursor.visible || cursor.shape == nullptr) return;
  const auto& shape = *cursor.shape;
  const std::int64_t left = std::int64_t{cursor.position.x} - shape.hot_spot.x;
  const std::int64_t top = std::int64_t{cursor.position.y} - shape.hot_spot.y;
  const auto columns = visible_part(left, shape.width, to.width);
  const auto rows = visible_part(top, shape.height, to.height);
  const ShapeReader reader(shape);
  for (auto y = rows.first; y < rows.end; ++y) {
    const auto row = to.row(static_cast<std::int32_t>(top + y));
    for (auto x = columns.first; x < columns.end; ++x) {
      auto& pixel = row[static_cast<std::size_t>(left + x)];
      pixel = reader.combined(static_cast<std::int32_t>(x), static_cast<std::int32_t>(y), pixel);
    }
  }
}

}  // namespace spice::display
