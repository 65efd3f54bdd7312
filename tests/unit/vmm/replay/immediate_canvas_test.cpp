#include "vmm/replay/immediate_canvas.h"

#include <gtest/gtest.h>

#include "vmm/replay/call.h"

namespace {

using namespace vmm::replay;
using core::SurfaceFormat;

core::DrawingPtr fill(core::SurfaceId surface, const core::Rect& box, std::uint32_t color) {
  core::Drawing drawing{.surface = surface, .box = box};
  drawing.operation = core::DrawFill{.brush = core::SolidBrush{color}, .mask = {}};
  return std::make_shared<const core::Drawing>(drawing);
}

TEST(ImmediateCanvas, nothing_is_shown_before_there_is_a_surface) {
  EXPECT_TRUE(ImmediateCanvas().shown().empty());
}

TEST(ImmediateCanvas, drawings_are_drawn_at_once) {
  ImmediateCanvas canvas;
  ASSERT_TRUE(canvas.create_surface(0, {4, 4, SurfaceFormat::Xrgb}));
  canvas.draw(fill(0, {1, 1, 2, 2}, 0x00123456));
  EXPECT_EQ(*canvas.shown().at(1, 1), 0x00123456U);
  EXPECT_EQ(*canvas.shown().at(0, 0), 0U);
}

TEST(ImmediateCanvas, what_cannot_be_drawn_is_counted) {
  ImmediateCanvas canvas;
  canvas.draw(fill(7, {0, 0, 1, 1}, 1));
  const auto& fills = canvas.tallies()[1];
  EXPECT_EQ(fills.drawings, 1U);
  EXPECT_EQ(fills.refused, 1U);
  EXPECT_EQ(canvas.tallies()[2].drawings, 0U);
}

TEST(ImmediateCanvas, surface_of_16_bits_is_shown_in_32) {
  ImmediateCanvas canvas;
  canvas.create_surface(0, {2, 2, SurfaceFormat::Rgb555});
  canvas.draw(fill(0, {0, 0, 2, 2}, 0x7c00));
  EXPECT_EQ(*canvas.shown().at(1, 1) & 0xffffff, 0x00ff0000U);
}

TEST(ImmediateCanvas, destroyed_primary_surface_stays_in_the_picture) {
  ImmediateCanvas canvas;
  canvas.create_surface(0, {2, 2, SurfaceFormat::Xrgb});
  canvas.draw(fill(0, {0, 0, 2, 2}, 5));
  canvas.destroy_surfaces();
  EXPECT_EQ(canvas.pixels().pixels, nullptr);
  EXPECT_EQ(*canvas.shown().at(0, 0), 5U);
}

TEST(ImmediateCanvas, single_monitor_shows_its_part_until_there_is_another_surface) {
  ImmediateCanvas canvas;
  ASSERT_TRUE(canvas.create_surface(0, {8, 4, SurfaceFormat::Xrgb}));
  EXPECT_EQ(canvas.shown_area(), (core::Rect{0, 0, 8, 4}));
  canvas.set_monitors({.max_allowed = 2, .heads = {{.id = 0, .area = {0, 0, 4, 3}}, {.id = 1, .area = {}}}});
  EXPECT_EQ(canvas.shown_area(), (core::Rect{0, 0, 4, 3}));
  canvas.set_monitors({.max_allowed = 2, .heads = {}});
  EXPECT_EQ(canvas.shown_area(), (core::Rect{0, 0, 4, 3}));
  canvas.destroy_surface(0);
  EXPECT_EQ(canvas.shown_area(), (core::Rect{0, 0, 4, 3}));
  ASSERT_TRUE(canvas.create_surface(0, {8, 4, SurfaceFormat::Xrgb}));
  EXPECT_EQ(canvas.shown_area(), (core::Rect{0, 0, 8, 4}));
}

TEST(ImmediateCanvas, impossible_surfaces_are_refused) {
  ImmediateCanvas canvas;
  EXPECT_FALSE(canvas.create_surface(1, {0, 4, SurfaceFormat::Xrgb}));
  EXPECT_FALSE(canvas.create_surface(1, {4, 4, static_cast<SurfaceFormat>(3)}));
  EXPECT_FALSE(canvas.create_surface(1, {40000, 4, SurfaceFormat::Xrgb}));
}

TEST(ImmediateCanvas, surfaces_together_have_a_limit) {
  ImmediateCanvas canvas;
  unsigned made = 0;
  while (made < 100 && canvas.create_surface(made + 1, {8192, 8192, SurfaceFormat::Xrgb}))
    ++made;
  EXPECT_EQ(made, 8U);
  canvas.destroy_surface(1);
  EXPECT_TRUE(canvas.create_surface(1, {8192, 8192, SurfaceFormat::Xrgb}));
}

TEST(Call, changes_outside_the_frame_buffer_change_nothing) {
  ImmediateCanvas canvas;
  perform(SetMode{4, 4}, canvas);
  const std::vector<std::uint8_t> pixels(64, 0xff);
  perform(Changed{{2, 2, 5, 3}, pixels}, canvas);
  perform(Changed{{-1, 0, 1, 1}, pixels}, canvas);
  perform(Changed{{0, 0, 4, 4}, {1, 2, 3}}, canvas);
  EXPECT_EQ(*canvas.shown().at(2, 2), 0U);
  perform(Changed{{2, 2, 4, 3}, pixels}, canvas);
  EXPECT_EQ(*canvas.shown().at(3, 2), 0xffffffffU);
}

TEST(Call, surface_is_loaded_from_either_end) {
  ImmediateCanvas canvas;
  perform(CreateSurface{0, {1, 2, SurfaceFormat::Xrgb}}, canvas);
  LoadSurface load{0, {1, 2, SurfaceFormat::Xrgb}, 4, false, {1, 0, 0, 0, 2, 0, 0, 0}};
  perform(load, canvas);
  EXPECT_EQ(*canvas.shown().at(0, 0), 2U);
  load.top_down = true;
  perform(load, canvas);
  EXPECT_EQ(*canvas.shown().at(0, 0), 1U);
  load.rows.pop_back();
  load.rows[0] = 9;
  perform(load, canvas);  // too short
  EXPECT_EQ(*canvas.shown().at(0, 0), 1U);
}

TEST(Call, modes_of_any_size_are_safe) {
  ImmediateCanvas canvas;
  perform(SetMode{-5, 0}, canvas);
  EXPECT_EQ(canvas.shown().width(), 1);
  perform(SetMode{1'000'000, 3}, canvas);
  EXPECT_EQ(canvas.shown().width(), 8192);
}

}  // namespace
