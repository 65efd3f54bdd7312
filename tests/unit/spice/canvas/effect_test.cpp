#include "spice/canvas/effect.h"

#include <gtest/gtest.h>

#include "tests/unit/spice/canvas/display.h"

namespace {

using namespace canvas_test;
using core::Rect;
using spice::canvas::drawing_effect;
using spice::canvas::DrawingEffect;
using spice::canvas::Region;
using Reads = std::vector<spice::canvas::SurfaceRead>;

class Effect : public ::testing::Test {
 protected:
  Effect() {
    display_.add(0, 100, 80);
    display_.add(2, 50, 40);
  }
  DrawingEffect effect(const Rect& box, decltype(core::Drawing::operation) operation) {
    return drawing_effect({.box = box, .operation = std::move(operation)}, display_);
  }
  core::ImagePtr picture(std::uint32_t width, std::uint32_t height) {
    return image(noise(width, height, SurfaceFormat::Xrgb, true, random_));
  }
  core::Mask mask() { return {.image = image(bits(64, 64, core::BitmapFormat::Be1, true, random_))}; }

  std::mt19937 random_{1};
  Display display_;
};

TEST_F(Effect, solid_fill_covers_its_box_on_the_surface) {
  const auto result = effect({-5, 10, 20, 200}, core::DrawFill{.brush = core::SolidBrush{1}});
  EXPECT_EQ(result.changed, Region({0, 10, 20, 80}));
  EXPECT_TRUE(result.covers);
  EXPECT_TRUE(result.reads.empty());
}

TEST_F(Effect, fill_that_looks_at_the_old_pixels_does_not_cover) {
  EXPECT_FALSE(effect({0, 0, 9, 9}, core::DrawFill{.brush = core::SolidBrush{1}, .rop = core::kRopXor}).covers);
  EXPECT_FALSE(effect({0, 0, 9, 9}, core::DrawFill{.brush = core::SolidBrush{1}, .mask = mask()}).covers);
  EXPECT_TRUE(effect({0, 0, 9, 9}, core::DrawFill{.rop = core::kRopBlackness}).covers);
}

TEST_F(Effect, clip_narrows_what_changes) {
  core::Drawing drawing{
      .box = {0, 0, 50, 50}, .clip = {{{10, 10, 20, 20}, {15, 15, 60, 30}}}, .operation = core::DrawWhiteness{}};
  Region expected({10, 10, 20, 20});
  expected.add(Rect{15, 15, 50, 30});
  EXPECT_EQ(drawing_effect(drawing, display_).changed, expected);
  EXPECT_TRUE(drawing_effect(drawing, display_).covers);
}

TEST_F(Effect, copy_covers_where_its_source_is) {
  const auto whole =
      effect({10, 10, 30, 30}, core::DrawCopy{.source = {.image = picture(20, 20), .area = {0, 0, 20, 20}}});
  EXPECT_TRUE(whole.covers);
  EXPECT_EQ(whole.changed, Region({10, 10, 30, 30}));
  const auto part =
      effect({10, 10, 30, 30}, core::DrawCopy{.source = {.image = picture(15, 20), .area = {0, 0, 20, 20}}});
  EXPECT_TRUE(part.covers);
  EXPECT_EQ(part.changed, Region({10, 10, 25, 30}));
}

TEST_F(Effect, stretched_copy_covers_if_its_area_is_within_the_image) {
  EXPECT_TRUE(
      effect({0, 0, 60, 60}, core::DrawCopy{.source = {.image = picture(20, 20), .area = {0, 0, 20, 20}}}).covers);
  EXPECT_FALSE(
      effect({0, 0, 60, 60}, core::DrawCopy{.source = {.image = picture(20, 20), .area = {0, 0, 21, 20}}}).covers);
}

TEST_F(Effect, surfaces_that_are_read_are_named_with_their_area) {
  const auto copy =
      effect({0, 0, 30, 30}, core::DrawCopy{.source = {.image = surface_image(2), .area = {30, 30, 60, 60}}});
  EXPECT_EQ(copy.reads, (Reads{{2, {30, 30, 50, 40}}}));
  const auto fill = effect({0, 0, 9, 9}, core::DrawFill{.brush = core::PatternBrush{surface_image(2), {}}});
  EXPECT_EQ(fill.reads, (Reads{{2, {0, 0, 50, 40}}}));
  const auto own =
      effect({0, 0, 9, 9}, core::DrawCopy{.source = {.image = own_image({5, 5, 14, 14}), .area = {0, 0, 9, 9}}});
  EXPECT_EQ(own.reads, (Reads{{0, {5, 5, 14, 14}}}));
}

TEST_F(Effect, copy_bits_covers_and_reads_its_own_surface) {
  const auto result = effect({0, 0, 50, 50}, core::DrawCopyBits{{60, 10}});
  EXPECT_EQ(result.changed, Region({0, 0, 40, 50}));
  EXPECT_TRUE(result.covers);
  EXPECT_EQ(result.reads, (Reads{{0, {60, 10, 100, 60}}}));
}

TEST_F(Effect, rop3_covers_without_its_destination_bit) {
  const core::Source source{.image = picture(20, 20), .area = {0, 0, 20, 20}};
  EXPECT_TRUE(
      effect({0, 0, 20, 20}, core::DrawRop3{.source = source, .brush = core::SolidBrush{1}, .code = 0xc0}).covers);
  EXPECT_FALSE(
      effect({0, 0, 20, 20}, core::DrawRop3{.source = source, .brush = core::SolidBrush{1}, .code = 0xca}).covers);
}

TEST_F(Effect, blends_do_not_cover_and_replacing_composites_do) {
  const core::Source source{.image = picture(20, 20), .area = {0, 0, 20, 20}};
  EXPECT_FALSE(effect({0, 0, 20, 20}, core::DrawAlphaBlend{.source = source}).covers);
  EXPECT_FALSE(effect({0, 0, 20, 20}, core::DrawComposite{.operation = 3, .source = {.image = source.image}}).covers);
  EXPECT_TRUE(effect({0, 0, 20, 20}, core::DrawComposite{.operation = 1, .source = {.image = source.image}}).covers);
}

TEST_F(Effect, what_changes_nothing_has_no_area) {
  EXPECT_TRUE(effect({0, 0, 9, 9}, core::DrawNothing{}).changed.empty());
  EXPECT_TRUE(effect({0, 0, 9, 9}, core::DrawAlphaBlend{.alpha = 0}).changed.empty());
  EXPECT_TRUE(effect({0, 0, 9, 9}, core::DrawCopyBits{{0, 0}}).changed.empty());
  core::Drawing nowhere{.surface = 9, .box = {0, 0, 9, 9}, .operation = core::DrawBlackness{}};
  EXPECT_TRUE(drawing_effect(nowhere, display_).changed.empty());
}

}  // namespace
