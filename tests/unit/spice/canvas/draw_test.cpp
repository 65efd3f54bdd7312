// What the model of model_test.cpp does not have: surfaces that read themselves, lines, text, errors, numbers of any
// size.
#include <algorithm>
#include <gtest/gtest.h>
#include <set>
#include <utility>

#include "tests/unit/spice/canvas/display.h"

namespace {

using namespace canvas_test;
using core::Rect;
using spice::canvas::DrawError;

core::Drawing on(const Rect& box, decltype(core::Drawing::operation) operation) {
  return {.box = box, .operation = std::move(operation)};
}

class Draw : public ::testing::Test {
 protected:
  void draw(const core::Drawing& drawing) { ASSERT_TRUE(spice::canvas::draw(drawing, display_).has_value()); }
  DrawError error(const core::Drawing& drawing) {
    const auto drawn = spice::canvas::draw(drawing, display_);
    EXPECT_FALSE(drawn.has_value());
    return drawn ? DrawError{} : drawn.error();
  }
  // Pixels (x, y) that are not 0.
  std::set<std::pair<int, int>> drawn_pixels() {
    std::set<std::pair<int, int>> pixels;
    for (std::int32_t y = 0; y < surface_.height(); ++y) {
      for (std::int32_t x = 0; x < surface_.width(); ++x) {
        if (get(surface_, x, y) != 0) pixels.emplace(x, y);
      }
    }
    return pixels;
  }
  core::DrawStroke line(std::vector<core::PathPoint> pixels) {
    for (auto& point : pixels)
      point = {point.x * 16, point.y * 16};
    return {.path = {{core::PathSegment::kBegin | core::PathSegment::kEnd, std::move(pixels)}},
            .brush = core::SolidBrush{1}};
  }

  std::mt19937 random_{7};
  Display display_;
  Surface& surface_ = display_.add(0, 40, 30);
};

using Pixels = std::set<std::pair<int, int>>;

TEST_F(Draw, copy_from_its_own_surface_reads_what_was_there_before) {
  scribble(surface_, random_);
  const auto expected = get(surface_, 3, 2);
  draw(on({5, 4, 25, 20}, core::DrawCopy{.source = {.image = surface_image(0), .area = {3, 2, 23, 18}}}));
  EXPECT_EQ(get(surface_, 5, 4), expected);
  Display other;
  auto& reference = other.add(0, 40, 30);
  random_.seed(7);
  scribble(reference, random_);
  ASSERT_TRUE(spice::canvas::draw(on({5, 4, 25, 20}, core::DrawCopyBits{{3, 2}}), other).has_value());
  for (std::int32_t i = 0; i < 40 * 30; ++i)
    ASSERT_EQ(get(surface_, i % 40, i / 40), get(reference, i % 40, i / 40));
}

TEST_F(Draw, own_pixels_are_an_image_of_the_surface_before) {
  put(surface_, 10, 10, 0x123456);
  draw(on({20, 20, 22, 22}, core::DrawCopy{.source = {.image = own_image({10, 10, 12, 12}), .area = {0, 0, 2, 2}}}));
  EXPECT_EQ(get(surface_, 20, 20), 0x123456U);
  EXPECT_EQ(
      error(on({0, 0, 9, 9}, core::DrawCopy{.source = {.image = own_image({-1, 0, 8, 9}), .area = {0, 0, 9, 9}}})),
      DrawError::BadArea);
}

TEST_F(Draw, what_cannot_be_stretched_is_black_and_not_what_memory_held) {
  auto& other = display_.add(3, 43, 18);
  scribble(other, random_);
  scribble(surface_, random_);
  draw(on({0, 5, 33, 6}, core::DrawCopy{.source = {.image = surface_image(3), .area = {0, -29915, 43, 18}},
                                        .rop = core::kRopPut | core::kRopXor}));
  core::DrawTransparent transparent{.source = {.image = surface_image(3), .area = {0, -29915, 43, 18}},
                                    .true_color = 1};
  draw(on({0, 7, 33, 8}, transparent));
  for (std::int32_t x = 0; x < 33; ++x)
    ASSERT_EQ(get(surface_, x, 7), 0U);
}

TEST_F(Draw, more_work_than_a_few_seconds_is_refused) {
  display_.add(4, 8192, 8192);
  core::DrawComposite composite{.operation = 62, .source = {.image = surface_image(0)}};
  EXPECT_EQ(error({.surface = 4, .box = {0, 0, 8192, 8192}, .operation = composite}), DrawError::TooComplex);
  core::Drawing small{.surface = 4, .box = {0, 0, 1920, 1080}, .operation = composite};
  small.clip = std::vector<Rect>{{0, 0, 8, 8}};
  draw(small);
}

TEST_F(Draw, surface_of_another_format_is_converted) {
  auto& other = display_.add(3, 4, 4, SurfaceFormat::Rgb565);
  put(other, 1, 2, 0xf81f);
  draw(on({0, 0, 4, 4}, core::DrawCopy{.source = {.image = surface_image(3), .area = {0, 0, 4, 4}}}));
  EXPECT_EQ(get(surface_, 1, 2) & 0xffffffU, 0xff00ffU);
}

TEST_F(Draw, surface_of_bits_is_filled_and_masks) {
  auto& mask = display_.add(5, 37, 9, SurfaceFormat::A1);
  auto fill = on({3, 2, 30, 5}, core::DrawFill{.brush = core::SolidBrush{1}});
  fill.surface = 5;
  draw(fill);
  EXPECT_EQ(get(mask, 3, 2), 1U);
  EXPECT_EQ(get(mask, 30, 2), 0U);
  draw(on({0, 0, 40, 30}, core::DrawFill{.brush = core::SolidBrush{9}, .mask = {.image = surface_image(5)}}));
  EXPECT_EQ(drawn_pixels().size(), 27U * 3U);
}

TEST_F(Draw, lines_leave_out_their_last_point_and_join_without_gaps) {
  draw(on(surface_.bounds(), line({{2, 2}, {5, 2}, {5, 4}, {3, 6}})));
  EXPECT_EQ(drawn_pixels(), (Pixels{{2, 2}, {3, 2}, {4, 2}, {5, 2}, {5, 3}, {5, 4}, {4, 5}}));
}

TEST_F(Draw, line_that_starts_far_away_has_the_pixels_of_the_whole_line) {
  constexpr std::int32_t kFar = 1 << 26;
  draw(on(surface_.bounds(), line({{-kFar, -kFar / 2}, {kFar, kFar / 2}})));
  Pixels expected;
  for (int x = 0; x < 40; ++x)
    expected.emplace(x, (x + 1) / 2);
  EXPECT_EQ(drawn_pixels(), expected);
}

TEST_F(Draw, clip_cuts_pixels_out_of_a_line_and_moves_none) {
  auto drawing = on(surface_.bounds(), line({{0, 0}, {39, 17}}));
  draw(drawing);
  const auto whole = drawn_pixels();
  display_.add(0, 40, 30);
  drawing.clip = {{{5, 0, 8, 30}, {20, 0, 21, 10}, {30, 10, 40, 20}}};
  draw(drawing);
  for (const auto& pixel : drawn_pixels())
    EXPECT_TRUE(whole.contains(pixel));
  EXPECT_EQ(drawn_pixels().size(), 3U + 1U + 9U);
}

TEST_F(Draw, dashes_go_on_around_corners) {
  auto stroke = line({{1, 1}, {7, 1}, {7, 9}});
  stroke.dashes = {4 * 16, 3 * 16};
  draw(on(surface_.bounds(), stroke));
  // On for 4, off for 3, of which 1 is on the second piece, on for 4, off.
  EXPECT_EQ(drawn_pixels(), (Pixels{{1, 1}, {2, 1}, {3, 1}, {4, 1}, {7, 2}, {7, 3}, {7, 4}, {7, 5}}));
}

TEST_F(Draw, dashed_line_inverts_each_pixel_once) {
  auto stroke = line({{1, 1}, {20, 9}, {1, 17}, {1, 1}});
  stroke.dashes = {300 * 16 / 2};
  stroke.fore_mode = core::kRopXor;
  draw(on(surface_.bounds(), stroke));
  const auto drawn = drawn_pixels();
  stroke.fore_mode = core::kRopPut;
  draw(on(surface_.bounds(), stroke));
  for (const auto& pixel : drawn_pixels())
    EXPECT_TRUE(drawn.contains(pixel)) << pixel.first << ", " << pixel.second;
}

TEST_F(Draw, dashes_of_no_length_are_a_solid_line) {
  auto stroke = line({{1, 1}, {5, 1}});
  stroke.dashes = {0, 0};
  draw(on(surface_.bounds(), stroke));
  EXPECT_EQ(drawn_pixels().size(), 4U);
}

TEST_F(Draw, text_is_bottom_up_as_every_client_draws_it) {
  core::DrawText text{.glyphs = {{.position = {3, 3}, .width = 3, .height = 2}},
                      .values = {0x80, 0x60},
                      .fore_brush = core::SolidBrush{0xff}};
  draw(on(surface_.bounds(), text));
  EXPECT_EQ(drawn_pixels(), (Pixels{{4, 3}, {5, 3}, {3, 4}}));
  display_.add(0, 40, 30);
  text.top_down = true;
  draw(on(surface_.bounds(), text));
  EXPECT_EQ(drawn_pixels(), (Pixels{{4, 3}, {5, 3}, {3, 4}}));
}

// Adds a glyph to the text and its bits to the text's values.
core::Glyph add_random_bits(core::DrawText& text, std::mt19937& random) {
  const auto number = [&random](unsigned end) { return static_cast<std::uint16_t>(random() % end); };
  core::Glyph glyph{.position = {number(50) - 10, number(40) - 10},
                    .origin = {number(9) - 4, number(9) - 4},
                    .width = static_cast<std::uint16_t>(1 + number(20)),
                    .height = static_cast<std::uint16_t>(1 + number(9)),
                    .start = static_cast<std::uint32_t>(text.values.size())};
  for (auto bytes = (glyph.width + 7U) / 8U * glyph.height; bytes > 0; --bytes)
    text.values.push_back(static_cast<std::uint8_t>(random()));
  return text.glyphs.emplace_back(glyph);
}

// Where a glyph of single bits has one.
void add_pixels(const core::Glyph& glyph, std::span<const std::uint8_t> values, Pixels& pixels) {
  const int stride = (glyph.width + 7) / 8;
  for (int y = 0; y < glyph.height; ++y) {
    for (int x = 0; x < glyph.width; ++x) {
      const auto byte = values[glyph.start + static_cast<std::size_t>((glyph.height - 1 - y) * stride + x / 8)];
      if ((byte >> (7 - x % 8) & 1) != 0)
        pixels.emplace(glyph.position.x + glyph.origin.x + x, glyph.position.y + glyph.origin.y + y);
    }
  }
}

// At once, or with a mask because there is something behind it.
TEST_F(Draw, text_of_single_bits_sets_pixels_where_its_bits_are) {
  constexpr Rect kBox{7, 5, 33, 26}, kNothing{}, kBeyond{100, 100, 101, 101};
  constexpr std::uint32_t kColor = 0xff12'3456;
  for (int round = 0; round < 100; ++round) {
    core::DrawText text{.glyphs = {},
                        .values = {},
                        .back_area = round % 2 == 0 ? kNothing : kBeyond,
                        .fore_brush = core::SolidBrush{kColor},
                        .back_brush = core::SolidBrush{1}};
    Pixels pixels;
    for (int i = 0; i < 4; ++i) {
      const auto glyph = add_random_bits(text, random_);
      add_pixels(glyph, text.values, pixels);
    }
    const bool has_alpha = round % 3 == 0;
    const auto format = has_alpha ? core::SurfaceFormat::Argb : core::SurfaceFormat::Xrgb;
    Display other;
    auto& surface = display_.add(0, 40, 30, format);
    auto& expected = other.add(0, 40, 30, format);
    auto same = random_;
    scribble(surface, random_);
    scribble(expected, same);
    for (const auto& [x, y] : pixels) {
      const bool is_inside = x >= kBox.left && x < kBox.right && y >= kBox.top && y < kBox.bottom;
      if (is_inside) put(expected, x, y, has_alpha ? kColor : kColor & 0xff'ffff);
    }
    draw(on(kBox, text));
    for (std::int32_t i = 0; i < 40 * 30; ++i)
      ASSERT_EQ(get(surface, i % 40, i / 40), get(expected, i % 40, i / 40));
  }
}

TEST_F(Draw, glyph_with_too_few_values_is_an_error) {
  core::DrawText text{.depth = core::GlyphDepth::A8,
                      .glyphs = {{.width = 3, .height = 2}},
                      .values = {1, 2, 3, 4, 5},
                      .fore_brush = core::SolidBrush{1}};
  EXPECT_EQ(error(on(surface_.bounds(), text)), DrawError::BadImage);
  text.values.push_back(6);
  draw(on(surface_.bounds(), text));
  for (const std::uint32_t start : {1U, 6U, 7U, UINT32_MAX}) {
    text.glyphs[0].start = start;
    EXPECT_EQ(error(on(surface_.bounds(), text)), DrawError::BadImage);
  }
}

TEST_F(Draw, bitmaps_that_do_not_fit_together_are_errors) {
  const auto copy = [](core::Bitmap bitmap) {
    return on({0, 0, 4, 4}, core::DrawCopy{.source = {.image = image(std::move(bitmap)), .area = {0, 0, 4, 4}}});
  };
  auto good = noise(4, 4, SurfaceFormat::Xrgb, true, random_);
  draw(copy(good));
  auto bad = good;
  bad.data.resize(bad.data.size() - 5);
  EXPECT_EQ(error(copy(bad)), DrawError::BadImage);
  bad = good;
  bad.stride = 15;
  EXPECT_EQ(error(copy(bad)), DrawError::BadImage);
  bad = good;
  bad.width = UINT32_MAX;
  EXPECT_EQ(error(copy(bad)), DrawError::BadImage);
  bad = good;
  bad.format = core::BitmapFormat::Indexed8;
  EXPECT_EQ(error(copy(bad)), DrawError::BadImage) << "no palette";
  EXPECT_EQ(error(on({0, 0, 4, 4}, core::DrawCopy{})), DrawError::NoImage);
  EXPECT_EQ(error(on({0, 0, 4, 4}, core::DrawCopy{.source = {.image = surface_image(77), .area = {0, 0, 4, 4}}})),
            DrawError::NoSuchSurface);
}

TEST_F(Draw, error_leaves_the_surface_as_it_was) {
  scribble(surface_, random_);
  const auto before = get(surface_, 5, 5);
  const auto good = image(noise(9, 9, SurfaceFormat::Xrgb, true, random_));
  EXPECT_EQ(error(on({0, 0, 9, 9},
                     core::DrawOpaque{.source = {.image = good, .area = {0, 0, 9, 9}}, .brush = core::PatternBrush{}})),
            DrawError::NoImage);
  EXPECT_EQ(get(surface_, 5, 5), before);
}

TEST_F(Draw, palette_shorter_than_its_indices_is_black_beyond) {
  core::Bitmap bitmap{.format = core::BitmapFormat::Indexed8,
                      .width = 2,
                      .height = 1,
                      .stride = 2,
                      .palette = std::make_shared<core::Palette>(core::Palette{.colors = {0xabcdef}}),
                      .data = {0, 200}};
  surface_ = Surface(2, 1);
  put(surface_, 1, 0, 5);
  draw(on({0, 0, 2, 1}, core::DrawCopy{.source = {.image = image(bitmap), .area = {0, 0, 2, 1}}}));
  EXPECT_EQ(get(surface_, 0, 0), 0xabcdefU);
  EXPECT_EQ(get(surface_, 1, 0), 0U);
}

TEST_F(Draw, numbers_of_any_size_are_drawn_or_refused) {
  constexpr auto low = INT32_MIN, high = INT32_MAX;
  const auto picture = image(noise(9, 9, SurfaceFormat::Xrgb, true, random_));
  const Rect all{low, low, high, high};
  draw(on(all, core::DrawFill{.brush = core::SolidBrush{1}}));
  EXPECT_EQ(drawn_pixels().size(), 40U * 30U);
  draw(on(all, core::DrawFill{.brush = core::PatternBrush{picture, {low, high}}}));
  draw(on(all, core::DrawCopyBits{{high, low}}));
  draw(on(all, core::DrawCopy{.source = {.image = picture, .area = all}}));
  EXPECT_EQ(error(on({0, 0, 1, 1}, core::DrawCopy{.source = {.image = picture, .area = all}})), DrawError::BadArea);
  draw(on(all, core::DrawCopy{.source = {.image = picture, .area = {0, 0, 9, 9}}}));
  draw(on(all, core::DrawAlphaBlend{.source = {.image = picture, .area = {0, 0, 9, 9}}, .alpha = 3}));
  draw(on(all, core::DrawFill{.mask = {.image = image(bits(9, 9, core::BitmapFormat::Be1, true, random_)),
                                       .origin = {high, low}}}));
  core::DrawComposite composite{
      .source = {.image = picture, .origin = {high, low}, .repeat = core::CompositeRepeat::Normal}};
  composite.source.transform = core::Transform{high, low, high, low, high, low};
  draw(on(all, composite));
  auto stroke = line({});
  stroke.path[0].points = {{low, low}, {high, high}, {low, high}, {high, low}, {0, high}, {low, 0}, {high, 0}};
  draw(on(all, stroke));
  stroke.dashes = {16, low, high};
  draw(on(all, stroke));
  stroke.path[0].flags |= core::PathSegment::kBezier;
  draw(on(all, stroke));
  draw(on(all, core::DrawText{.glyphs = {{.position = {high, low}, .origin = {high, low}, .width = 8, .height = 1}},
                              .values = {0xff},
                              .fore_brush = core::SolidBrush{1}}));
}

TEST_F(Draw, too_many_clip_rectangles_are_refused) {
  auto drawing = on(surface_.bounds(), core::DrawBlackness{});
  drawing.clip.emplace(70'000, Rect{0, 0, 1, 1});
  EXPECT_EQ(error(drawing), DrawError::TooComplex);
}

TEST_F(Draw, unknown_ways_to_composite_are_refused) {
  const auto picture = image(noise(9, 9, SurfaceFormat::Xrgb, true, random_));
  for (const int operation : {14, 15, 28, 44, 63, 255})
    EXPECT_EQ(error(on({0, 0, 9, 9}, core::DrawComposite{.operation = static_cast<std::uint8_t>(operation),
                                                         .source = {.image = picture}})),
              DrawError::BadOperation);
  EXPECT_EQ(
      error(on({0, 0, 9, 9}, core::DrawComposite{.source = {.image = picture, .filter = core::CompositeFilter(5)}})),
      DrawError::BadOperation);
}

using SurfaceDeathTest = Draw;

TEST_F(SurfaceDeathTest, write_beyond_either_end_ends_the_process) {
  EXPECT_DEATH(*static_cast<volatile std::uint8_t*>(surface_.row(surface_.height())) = 1, "");
  EXPECT_DEATH(*static_cast<volatile std::uint8_t*>(surface_.row(0) - 4096) = 1, "");
}

}  // namespace
