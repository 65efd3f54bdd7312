#include "tests/unit/spice/image/pictures.h"

#include <algorithm>

#include "spice/image/image_source.h"

namespace pictures {
namespace {

std::uint8_t value(Random& random, Kind kind, std::size_t x, std::uint32_t y) {
  switch (kind) {
    case Kind::Noise: return static_cast<std::uint8_t>(random());
    case Kind::Plain: return 0x5a;
    case Kind::Gradient: return static_cast<std::uint8_t>(x / 4 * 3 + y * 2 + random() % 2);
    case Kind::Windows: return x / 40 % 2 == y / 9 % 2 ? 0xf0 : static_cast<std::uint8_t>(x / 4 % 7 * 30);
  }
  return 0;
}

std::shared_ptr<const core::Palette> palette(Random& random) {
  auto result = std::make_shared<core::Palette>();
  result->unique = random() % 3 == 0 ? 0 : random() % 200 + 1;
  // What a name stands for never changes.
  Random colors(static_cast<unsigned>(result->unique));
  const std::size_t count = result->unique % 5 == 1 ? 2 : 256;
  for (std::size_t index = 0; index < count; ++index)
    result->colors.push_back(static_cast<std::uint32_t>(colors()) & 0xffffff);
  return result;
}

}  // namespace

core::Bitmap bitmap(Random& random, core::BitmapFormat format, Kind kind, std::uint32_t width, std::uint32_t height) {
  const auto bits = spice::image::bits_per_pixel(static_cast<spice::wire::BitmapFormat>(format));
  core::Bitmap result{.format = format, .width = width, .height = height, .stride = (width * bits + 7) / 8};
  for (std::uint32_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < result.stride; ++x)
      result.data.push_back(value(random, kind, x, y));
  }
  if (format <= core::BitmapFormat::Indexed8) result.palette = palette(random);
  return result;
}

core::ImagePtr any(Random& random, std::uint32_t most) {
  const auto format = static_cast<core::BitmapFormat>(random() % 10 + 1);
  const auto kind = static_cast<Kind>(random() % 4);
  auto made = bitmap(random, format, kind, static_cast<std::uint32_t>(random() % most + 1),
                     static_cast<std::uint32_t>(random() % most + 1));
  made.top_down = random() % 2 == 0;
  if (random() % 4 == 0) {
    const auto padding = static_cast<std::uint32_t>(random() % 7);
    std::vector<std::uint8_t> data;
    for (std::uint32_t y = 0; y < made.height; ++y) {
      const auto row = made.data.begin() + static_cast<std::ptrdiff_t>(y) * made.stride;
      data.insert(data.end(), row, row + made.stride);
      if (y + 1 < made.height || random() % 2 == 0) data.insert(data.end(), padding, 0xee);
    }
    made.data = std::move(data);
    made.stride += padding;
  }
  return std::make_shared<core::Image>(core::Image{.content = std::move(made)});
}

model::Picture shown(const core::Bitmap& bitmap) {
  std::vector<std::uint32_t> colors;
  if (bitmap.palette != nullptr) {
    colors = bitmap.palette->colors;
    colors.resize(std::max<std::size_t>(colors.size(), 256));
  }
  spice::image::StoredPixels pixels{.format = static_cast<spice::wire::BitmapFormat>(bitmap.format),
                                    .width = bitmap.width,
                                    .height = bitmap.height,
                                    .rows = bitmap.data.data(),
                                    .stride = static_cast<std::ptrdiff_t>(bitmap.stride)};
  pixels.top_down = bitmap.top_down;
  return model::picture(pixels, colors);
}

}  // namespace pictures
