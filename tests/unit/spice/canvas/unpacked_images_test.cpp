#include "spice/canvas/unpacked_images.h"

#include <gtest/gtest.h>

#include "spice/codec/quic.h"
#include "tests/unit/spice/canvas/display.h"

namespace {

using namespace canvas_test;
using spice::canvas::DrawError;
using spice::canvas::UnpackedImages;
namespace codec = spice::codec;

core::QuicBitmap packed(std::uint32_t side, std::uint8_t grey) {
  const std::vector<std::uint8_t> pixels(std::size_t{side} * side * 4, grey);
  const codec::QuicImage image{
      .width = side, .height = side, .rows = pixels.data(), .stride = std::ptrdiff_t{4} * side};
  core::QuicBitmap quic;
  quic.data.resize(pixels.size() + 1000);
  codec::QuicScratch scratch;
  quic.data.resize(codec::quic_encode(image, quic.data, scratch).value());
  return quic;
}

core::ImagePtr named(std::uint64_t id, core::QuicBitmap quic, bool cacheable = true) {
  return std::make_shared<core::Image>(core::Image{.id = id, .cacheable = cacheable, .content = std::move(quic)});
}

class Unpacked : public ::testing::Test {
 protected:
  spice::canvas::UnpackedImage get(const core::ImagePtr& image) {
    return images_.get(image, std::get<core::QuicBitmap>(image->content)).value();
  }
  std::uint32_t first_pixel(const core::ImagePtr& image) {
    std::uint32_t pixel = 0;
    std::memcpy(&pixel, get(image)->pixels().rows, sizeof pixel);
    return pixel & 0xff'ffff;
  }

  UnpackedImages images_;
};

TEST_F(Unpacked, image_that_comes_again_is_unpacked_once) {
  const auto first = get(named(1, packed(16, 3)));
  EXPECT_EQ(get(named(1, packed(16, 3))), first);
  EXPECT_NE(get(named(2, packed(16, 3))), first);
  EXPECT_EQ(images_.images(), 2U);
}

TEST_F(Unpacked, name_may_mean_another_image_later) {
  EXPECT_EQ(first_pixel(named(1, packed(16, 3))), 0x030303U);
  EXPECT_EQ(first_pixel(named(1, packed(16, 4))), 0x040404U);
  EXPECT_EQ(first_pixel(named(1, packed(32, 4))), 0x040404U);
  EXPECT_EQ(images_.images(), 1U);
}

TEST_F(Unpacked, broken_image_is_an_error_and_leaves_nothing) {
  auto quic = packed(64, 9);
  quic.data.resize(20);
  const auto image = named(1, std::move(quic));
  EXPECT_EQ(images_.get(image, std::get<core::QuicBitmap>(image->content)).error(), DrawError::BadImage);
  EXPECT_EQ(images_.images(), 0U);
  EXPECT_EQ(images_.bytes(), 0U);
}

TEST_F(Unpacked, those_that_were_used_last_are_kept_as_far_as_they_fit) {
  const auto quic = packed(1024, 1);  // 4 MiB unpacked
  const auto first = get(named(0, quic));
  for (std::uint64_t id = 1; id < 20; ++id) {
    const auto held = get(named(id, quic));
    EXPECT_EQ(get(named(0, quic)), first);
    EXPECT_LE(images_.bytes(), UnpackedImages::kMostBytes);
    EXPECT_EQ(get(named(id, quic)), held);
  }
  EXPECT_EQ(images_.images(), 7U);
  get(named(20, packed(4096, 1)));  // more than there is room for
  EXPECT_EQ(images_.images(), 7U);
  const auto small = packed(1, 1);
  for (std::uint64_t id = 100; id < 100 + 2 * UnpackedImages::kMostImages; ++id)
    get(named(id, small));
  EXPECT_EQ(images_.images(), UnpackedImages::kMostImages);
}

class Keeping final : public spice::canvas::SurfaceTable {
 public:
  Surface* find(core::SurfaceId id) override { return surfaces.find(id); }
  UnpackedImages* unpacked_images() override { return &images; }

  Display surfaces;
  UnpackedImages images;
};

TEST_F(Unpacked, drawings_use_them_where_the_guest_says_that_it_will_draw_the_image_again) {
  Keeping display;
  auto& surface = display.surfaces.add(0, 40, 40);
  const auto draw = [&display](const core::ImagePtr& image) {
    const core::Source whole{.image = image, .area = {0, 0, 16, 16}};
    const core::DrawOpaque both{.source = whole, .brush = core::PatternBrush{image, {}}, .rop = core::kRopXor};
    const core::DrawCopy copy{.source = whole};
    return spice::canvas::draw({.box = {0, 0, 16, 16}, .operation = copy}, display).has_value() &&
           spice::canvas::draw({.box = {20, 20, 36, 36}, .operation = both}, display).has_value();
  };
  EXPECT_TRUE(draw(named(1, packed(16, 3), false)));
  EXPECT_EQ(display.images.images(), 0U);
  EXPECT_TRUE(draw(named(1, packed(16, 4))));
  EXPECT_TRUE(draw(named(1, packed(16, 4))));
  EXPECT_EQ(display.images.images(), 1U);
  EXPECT_EQ(canvas_test::get(surface, 0, 0) & 0xff'ffff, 0x040404U);
  EXPECT_EQ(canvas_test::get(surface, 20, 20) & 0xff'ffff, 0U);
}

}  // namespace
