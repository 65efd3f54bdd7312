#include "spice/image/image_source.h"

#include <cstring>
#include <gtest/gtest.h>

#include "spice/canvas/surface.h"
#include "tests/unit/spice/image/model_client.h"
#include "tests/unit/spice/image/pictures.h"

namespace {

using core::SurfaceFormat;
using spice::canvas::Surface;
using spice::image::ImageSource;
using spice::wire::BitmapFormat;

Surface filled(SurfaceFormat format, auto pixel) {
  Surface surface(5, 4, format);
  for (std::int32_t y = 0; y < 4; ++y) {
    for (std::int32_t x = 0; x < 5; ++x) {
      const std::uint32_t value = pixel(x, y);
      const auto bytes = spice::canvas::bits_per_pixel(format) / 8;
      std::memcpy(surface.row(y) + static_cast<std::size_t>(x) * bytes, &value, bytes);
    }
  }
  return surface;
}

constexpr auto kCount = [](std::int32_t x, std::int32_t y) { return static_cast<std::uint32_t>(16 * y + x); };

TEST(ImageSource, area_of_a_surface_is_read_where_it_lies) {
  const auto surface = filled(SurfaceFormat::Xrgb, kCount);
  const auto source = ImageSource::of_surface(surface.pixels(), {1, 2, 4, 4}, true);
  ASSERT_TRUE(source.has_value());
  EXPECT_EQ(source->pixels().rows, surface.row(2) + 4);
  EXPECT_EQ(model::picture(source->pixels()), (model::Picture{3, 2, {0x21, 0x22, 0x23, 0x31, 0x32, 0x33}}));
}

TEST(ImageSource, formats_of_surfaces_become_those_of_images) {
  const auto format = [](SurfaceFormat from) {
    const auto surface = filled(from, kCount);
    const auto source = ImageSource::of_surface(surface.pixels(), surface.bounds(), false);
    return source ? std::optional(source->pixels().format) : std::nullopt;
  };
  EXPECT_EQ(format(SurfaceFormat::Xrgb), BitmapFormat::Rgb32);
  EXPECT_EQ(format(SurfaceFormat::Argb), BitmapFormat::Rgb32);
  EXPECT_EQ(format(SurfaceFormat::Rgb555), BitmapFormat::Rgb16);
  EXPECT_EQ(format(SurfaceFormat::A8), BitmapFormat::Alpha8);
  EXPECT_EQ(ImageSource::of_surface(Surface(5, 4, SurfaceFormat::A1).pixels(), {0, 0, 5, 4}, false), std::nullopt);
}

TEST(ImageSource, rgb565_is_widened) {
  const auto surface =
      filled(SurfaceFormat::Rgb565, [](std::int32_t x, std::int32_t) { return x == 0 ? 0xf800U : 0x07e0U; });
  const auto source = ImageSource::of_surface(surface.pixels(), {0, 1, 2, 2}, false);
  ASSERT_TRUE(source.has_value());
  EXPECT_EQ(source->pixels().format, BitmapFormat::Rgb32);
  EXPECT_EQ(model::picture(source->pixels()), (model::Picture{2, 1, {0xff0000, 0x00ff00}}));
}

TEST(ImageSource, unused_bytes_are_sent_where_they_are_seen) {
  struct Case {
    SurfaceFormat format;
    std::uint32_t first, others;
    bool is_primary;
    BitmapFormat expected;
    bool high_bits;
  };
  constexpr std::uint32_t kNone = 0x00123456, kAll = 0xff123456, kSome = 0x80123456;
  for (const auto& [format, first, others, is_primary, expected, high_bits] : {
           Case{SurfaceFormat::Xrgb, kSome, kAll, true, BitmapFormat::Rgb32, false},
           Case{SurfaceFormat::Xrgb, kNone, kNone, false, BitmapFormat::Rgb32, false},
           Case{SurfaceFormat::Xrgb, kAll, kAll, false, BitmapFormat::Rgb32, true},
           Case{SurfaceFormat::Xrgb, kAll, kNone, false, BitmapFormat::Rgba, false},
           Case{SurfaceFormat::Xrgb, kSome, kSome, false, BitmapFormat::Rgba, false},
           Case{SurfaceFormat::Argb, kAll, kSome, true, BitmapFormat::Rgba, false},
       }) {
    const auto surface =
        filled(format, [a = first, b = others](std::int32_t x, std::int32_t y) { return x == 0 && y == 0 ? a : b; });
    const auto source = ImageSource::of_surface(surface.pixels(), surface.bounds(), is_primary);
    ASSERT_TRUE(source.has_value());
    EXPECT_EQ(source->pixels().format, expected);
    EXPECT_EQ(source->high_bits_set(), high_bits);
  }
}

TEST(ImageSource, bitmaps_of_all_kinds_show_their_pixels) {
  pictures::Random random(3);
  for (int count = 0; count < 300; ++count) {
    const auto image = pictures::any(random, 20);
    const auto& bitmap = std::get<core::Bitmap>(image->content);
    const auto source = ImageSource::of_bitmap(image);
    ASSERT_TRUE(source.has_value());
    std::vector<std::uint32_t> colors;
    if (source->palette() != nullptr) colors = source->palette()->colors;
    if (!colors.empty()) colors.resize(256);
    EXPECT_EQ(model::picture(source->pixels(), colors), pictures::shown(bitmap));
  }
}

TEST(ImageSource, bitmap_whose_parts_do_not_fit_is_none) {
  const auto of = [](core::Bitmap bitmap) {
    return ImageSource::of_bitmap(std::make_shared<core::Image>(core::Image{.content = std::move(bitmap)}));
  };
  const core::Bitmap good{
      .format = core::BitmapFormat::Rgb32, .width = 2, .height = 2, .stride = 8, .data = std::vector<std::uint8_t>(16)};
  EXPECT_NE(of(good), std::nullopt);
  auto bad = good;
  bad.stride = 7;
  EXPECT_EQ(of(bad), std::nullopt);
  bad = good;
  bad.data.pop_back();
  EXPECT_EQ(of(bad), std::nullopt);
  bad = good;
  bad.width = 0;
  EXPECT_EQ(of(bad), std::nullopt);
  bad = good;
  bad.format = core::BitmapFormat{77};
  EXPECT_EQ(of(bad), std::nullopt);
  bad = good;
  bad.format = core::BitmapFormat::Indexed8;  // without a palette
  EXPECT_EQ(of(bad), std::nullopt);
  EXPECT_EQ(ImageSource::of_bitmap(nullptr), std::nullopt);
  EXPECT_EQ(ImageSource::of_bitmap(std::make_shared<core::Image>(core::Image{.content = core::OwnPixels{}})),
            std::nullopt);
}

}  // namespace
